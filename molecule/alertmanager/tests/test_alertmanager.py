"""What a person would look at on a machine that runs Alertmanager."""

import json
import re

import pytest

testinfra_hosts = ["ansible://all"]
SECRETS = ("not-really-a-token", "not-really-a-key")


@pytest.fixture
def api(fetch):
    return lambda path: json.loads(fetch(f"http://127.0.0.1:9093/api/v2/{path}"))


def test_it_runs_as_its_own_user_and_at_boot(host):
    service = host.service("alertmanager")
    assert service.is_running
    assert service.is_enabled
    (process,) = host.process.filter(comm="alertmanager")
    assert process.user == "alertmanager"


def test_the_version_on_disk_is_the_one_that_answers(host, api):
    running = api("status")["versionInfo"]["version"]
    assert host.file("/opt/alertmanager/current").linked_to == f"/opt/alertmanager/{running}"


def test_the_two_are_one_cluster(api):
    cluster = api("status")["cluster"]
    assert cluster["status"] == "ready"
    assert len(cluster["peers"]) == 2


def test_prometheus_sends_to_both(api):
    assert "Watchdog" in [alert["labels"]["alertname"] for alert in api("alerts")]


def test_the_templates_of_role_and_operator_are_loaded(host):
    folder = host.file("/etc/alertmanager/templates")
    assert sorted(folder.listdir()) == ["gpufleet.tmpl", "mine.tmpl"]


def test_secrets_are_in_private_files_alone(host):
    assert host.file("/etc/alertmanager").mode == 0o750
    for name in host.file("/etc/alertmanager/secrets").listdir():
        secret = host.file(f"/etc/alertmanager/secrets/{name}")
        assert (secret.user, secret.group, secret.mode) == ("root", "alertmanager", 0o640)
    seen = [
        host.check_output("ps axww -o args"),
        host.check_output("journalctl --no-pager -o cat -b"),
        host.file("/etc/alertmanager/alertmanager.yml").content_string,
    ]
    assert [text for text in seen if any(secret in text for secret in SECRETS)] == []


def test_the_unit_is_well_hardened(host):
    said = host.run("systemd-analyze security alertmanager.service --no-pager").stdout
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])
    assert exposure <= 2.0
