"""What a person would look at on a machine that runs dcgm-exporter."""

import re

import pytest

testinfra_hosts = ["ansible://all"]
UNIT = "nvidia-dcgm-exporter.service"


@pytest.fixture
def page(fetch):
    return fetch("http://127.0.0.1:9400/metrics")


def test_it_runs_and_starts_at_boot(host):
    assert host.service(UNIT).is_running
    assert host.service(UNIT).is_enabled


def test_every_gpu_of_the_machine_is_on_the_page(host, page):
    nodes = int(host.check_output("ls /dev/nvidia[0-9]* | wc -l"))
    assert len(re.findall(r"^DCGM_FI_DEV_FB_USED{", page, re.MULTILINE)) == nodes > 0


def test_it_reads_our_counters_and_leaves_the_vendors_alone(host, page):
    for field in ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "DCGM_FI_DEV_FB_TOTAL", "DCGM_EXP_XID_ERRORS_COUNT"):
        assert f"\n# TYPE {field} " in f"\n{page}"
        assert field not in re.sub("(?m)^#.*", "", host.file("/etc/dcgm-exporter/default-counters.csv").content_string)


def test_the_memory_adds_up(page):
    mib = {name: float(value) for name, value in re.findall(r'^DCGM_FI_DEV_FB_(\w+){gpu="0".* (\S+)$', page, re.M)}
    assert mib["TOTAL"] == mib["USED"] + mib["FREE"] + mib["RESERVED"]


def test_profiling_fields_are_there_where_the_card_has_them(page):
    geforce = "GeForce" in page
    assert ("DCGM_FI_PROF_SM_ACTIVE{" in page) is not geforce


def test_the_drop_in_is_in_effect(host):
    wanted = ("Restart", "TimeoutStopUSec", "StandardOutput", "CapabilityBoundingSet", "NoNewPrivileges")
    shown = dict(
        line.split("=", 1) for line in host.check_output(f"systemctl show -p {','.join(wanted)} {UNIT}").splitlines()
    )
    assert shown == {
        "Restart": "always",
        "TimeoutStopUSec": "5s",
        "StandardOutput": "journal",
        "CapabilityBoundingSet": "cap_sys_admin",
        "NoNewPrivileges": "yes",
    }


def test_it_speaks_to_the_journal_and_no_longer_to_a_file(host):
    assert "Starting dcgm-exporter" in host.check_output(f"journalctl -u {UNIT} -o cat --no-pager")
    assert not host.file("/var/log/dcgm-exporter.log").exists


def test_the_unit_is_hardened_as_far_as_the_gpus_stay_within_reach(host):
    said = host.run(f"systemd-analyze security {UNIT} --no-pager").stdout
    assert float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1]) <= 3.5


def test_the_versions_are_locked(host):
    if host.file("/etc/apt/preferences.d/gpufleet-dcgm.pref").exists:
        policy = host.check_output("apt-cache policy datacenter-gpu-manager-exporter")
        assert re.search(r"\*\*\* 1:4\.8\.2-\S+ 1001", policy)
    else:
        assert (
            "datacenter-gpu-manager-exporter-1:4.8.2-*.*"
            in host.file("/etc/dnf/plugins/versionlock.list").content_string
        )


def test_nothing_else_comes_from_the_repository(host):
    if host.file("/etc/apt/preferences.d/gpufleet-dcgm.pref").exists:
        assert "Candidate: (none)" in host.check_output("apt-cache policy nvidia-driver-cuda")
