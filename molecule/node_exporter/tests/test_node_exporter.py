"""What a person would look at on a machine that runs node_exporter."""

import re

import pytest

testinfra_hosts = ["ansible://all"]


@pytest.fixture
def metrics(fetch):
    return lambda: fetch("http://127.0.0.1:9100/metrics")


def test_it_runs_as_its_own_user_and_at_boot(host):
    service = host.service("node_exporter")
    assert service.is_running
    assert service.is_enabled
    (process,) = host.process.filter(comm="node_exporter")
    assert process.user == "node_exporter"


def test_the_version_on_disk_is_the_one_that_answers(host, metrics):
    running = re.search(r'node_exporter_build_info{[^}]*version="([^"]+)"', metrics())[1]
    assert host.file("/opt/node_exporter/current").linked_to.startswith(f"/opt/node_exporter/{running.split('+')[0]}")


def test_a_textfile_becomes_a_metric_without_a_restart(host, metrics):
    folder = "/var/lib/node_exporter/textfile"
    host.check_output(f"printf 'molecule_probe 42\\n' > {folder}/probe.prom && chmod 644 {folder}/probe.prom")
    try:
        assert "\nmolecule_probe 42\n" in metrics()
    finally:
        host.check_output(f"rm {folder}/probe.prom")


def test_collectors_are_switched_as_asked(metrics):
    answered = set(re.findall(r'node_scrape_collector_success{collector="(\w+)"} 1', metrics()))
    assert {"processes", "systemd", "textfile", "filesystem"} <= answered
    assert "wifi" not in answered


def test_container_noise_is_left_out(metrics):
    assert not re.search(r'fstype="(overlay|proc|sysfs|cgroup2?|devpts)"', metrics())


def test_the_unit_is_well_hardened(host):
    said = host.run("systemd-analyze security node_exporter.service --no-pager").stdout
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])
    assert exposure <= 2.0
