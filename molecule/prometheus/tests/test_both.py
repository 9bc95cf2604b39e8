"""What holds for Prometheus as a server and as an agent."""

import re

testinfra_hosts = ["ansible://all"]


def test_it_runs_as_its_own_user_and_at_boot(host):
    service = host.service("prometheus")
    assert service.is_running
    assert service.is_enabled
    (process,) = host.process.filter(comm="prometheus")
    assert process.user == "prometheus"


def test_the_version_on_disk_is_the_one_that_answers(host, api):
    running = api("status/buildinfo")["version"].split("+")[0]
    assert host.file("/opt/prometheus/current").linked_to == f"/opt/prometheus/{running}"


def test_configuration_and_secrets_are_not_for_everybody(host):
    assert host.file("/etc/prometheus").mode == 0o750
    for name in host.file("/etc/prometheus/secrets").listdir():
        secret = host.file(f"/etc/prometheus/secrets/{name}")
        assert (secret.user, secret.group, secret.mode) == ("root", "prometheus", 0o640)


def test_the_unit_is_well_hardened(host):
    said = host.run("systemd-analyze security prometheus.service --no-pager").stdout
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])
    assert exposure <= 1.5
