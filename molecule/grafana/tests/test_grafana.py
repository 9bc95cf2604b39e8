"""What a person would look at on a machine that runs Grafana."""

import json
import re

import pytest

testinfra_hosts = ["ansible://all"]
_STATUS = """
import sys, ssl, urllib.request as u, urllib.error as e
context = ssl._create_unverified_context()
try:
    print(u.urlopen(u.Request(sys.argv[1], data=b"{}" if sys.argv[2] == "POST" else None), context=context).status)
except e.HTTPError as error:
    print(error.code)
"""


@pytest.fixture
def base(host):
    return (
        "https://127.0.0.1:3000/grafana"
        if host.file("/etc/grafana/secrets/tls.key").exists
        else "http://127.0.0.1:3000"
    )


@pytest.fixture
def status(host, base):
    return lambda path, method="GET": int(host.check_output("python3 -c %s %s %s", _STATUS, base + path, method))


def test_it_runs_as_its_own_user_and_at_boot(host):
    service = host.service("grafana-server")
    assert service.is_running
    assert service.is_enabled
    assert host.check_output("ps -o user= -p $(systemctl show -P MainPID grafana-server)") == "grafana"


@pytest.mark.parametrize("path", ["grafana.ini", "secrets/admin_password", "provisioning/datasources/gpufleet.yaml"])
def test_configuration_is_for_grafana_alone(host, path):
    file = host.file(f"/etc/grafana/{path}")
    assert (file.user, file.group, oct(file.mode)) == ("root", "grafana", "0o640")


def test_no_secret_stands_in_the_ini_or_in_a_command_line(host):
    password = host.file("/etc/grafana/secrets/admin_password").content_string
    assert password not in host.file("/etc/grafana/grafana.ini").content_string
    assert password not in host.check_output("ps -eo args")


def test_strangers_are_turned_away(status):
    assert status("/api/org") == 401
    assert status("/api/user/signup", "POST") == 401
    assert status("/api/health") == 200


def test_datasources_have_fixed_uids(host):
    text = host.file("/etc/grafana/provisioning/datasources/gpufleet.yaml").content_string
    assert re.findall(r"uid: (\S+)", text) == ["gpufleet-alertmanager", "gpufleet-prometheus"]


def test_each_provisioned_dashboard_is_sound(host):
    files = host.check_output("ls /etc/grafana/dashboards").split()
    assert "grafana-fleet.json" in files
    for file in files:
        assert json.loads(host.file(f"/etc/grafana/dashboards/{file}").content_string)["uid"].startswith("gpufleet-")


def test_the_version_is_held(host):
    policy = host.check_output("apt-cache policy grafana")
    installed = re.search(r"Installed: (\S+)", policy)[1]
    assert re.search(rf"\*\*\* {re.escape(installed)} 1001", policy)


def test_the_unit_is_well_hardened(host):
    said = host.run("systemd-analyze security grafana-server.service --no-pager").stdout
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])
    assert exposure <= 2.0
