"""The configuration that the inventory becomes, judged by the program's own tool."""

import json
from pathlib import Path

import pytest
import yaml
from alertmanager_values import DEFAULTS, FULL, INHIBIT_RULES
from ansible_collections.gpufleet.serving.plugins.plugin_utils.alertmanager import config

WEBHOOK = {"name": "ops", "type": "webhook", "url": "https://chat.example.com/hook"}
SMALL = {**DEFAULTS, "alertmanager_receivers": [WEBHOOK]}
TEMPLATES = Path(__file__).parents[3] / "roles/alertmanager/files/templates"


def receivers(values) -> dict:
    return {receiver["name"]: receiver for receiver in config.document(values, [])["receivers"]}


@pytest.mark.parametrize("values", [SMALL, FULL], ids=["small", "full"])
def test_amtool_finds_it_in_order(amtool, tmp_path, values):
    (tmp_path / "alertmanager.yml").write_text(config.text(values, INHIBIT_RULES))
    done = amtool("check-config", tmp_path / "alertmanager.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_secret_stands_in_it():
    text = config.text(FULL, INHIBIT_RULES)
    assert [name for name, secret in FULL["alertmanager_secrets"].items() if secret in text] == []


def test_each_secret_is_a_private_file_and_named_by_its_full_path():
    secrets = {file["path"]: file for file in config.files(FULL) if file.get("secret")}
    assert set(secrets) == {f"/etc/alertmanager/secrets/{name}" for name in FULL["alertmanager_secrets"]}
    assert {(file["group"], file["mode"]) for file in secrets.values()} == {("alertmanager", "0640")}
    text = config.text(FULL, [])
    assert [path for path in secrets if path not in text] == []


def test_entries_of_one_name_become_one_receiver():
    oncall = receivers(FULL)["oncall"]
    assert oncall["pagerduty_configs"][0]["routing_key_file"] == "/etc/alertmanager/secrets/pagerduty"
    assert oncall["slack_configs"][0]["api_url_file"] == "/etc/alertmanager/secrets/slack"


def test_settings_in_upstreams_words_win_but_do_not_undo_the_token():
    assert receivers(FULL)["chat"]["slack_configs"][0]["color"] == "good"
    entry = {**WEBHOOK, "token_secret": "t", "settings": {"http_config": {"proxy_url": "http://p"}, "max_alerts": 3}}
    (hook,) = receivers({**SMALL, "alertmanager_receivers": [entry]})["ops"]["webhook_configs"]
    assert hook["max_alerts"] == 3
    assert hook["http_config"] == {
        "proxy_url": "http://p",
        "authorization": {"credentials_file": "/etc/alertmanager/secrets/t"},
    }


def test_people_hear_of_the_end_unless_they_do_not_want_to():
    assert receivers(FULL)["oncall"]["pagerduty_configs"][0]["send_resolved"] is True
    assert receivers(FULL)["mail"]["email_configs"][0]["send_resolved"] is False


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("severity=critical", "oncall,tickets"),
        ("severity=warning site=fra", "chat"),
        ("severity=warning site=ams", "mail"),
        ("severity=warning site=ams job=node", "phone"),
        ("alertname=Watchdog severity=none", "pulse"),
        ("alertname=Watchdog severity=critical", "pulse"),
        ("alertname=Anything", "mail"),
    ],
)
def test_amtool_routes_alerts_as_the_inventory_says(amtool, tmp_path, labels, told):
    (tmp_path / "alertmanager.yml").write_text(config.text(FULL, INHIBIT_RULES))
    done = amtool("config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}", *labels.split())
    assert done.stdout.strip() == told, done.stderr


def test_without_routes_everything_goes_to_the_first_receiver_and_the_watchdog_nowhere(amtool, tmp_path):
    (tmp_path / "alertmanager.yml").write_text(config.text(SMALL, []))
    tell = ("config", "routes", "test", f"--config.file={tmp_path / 'alertmanager.yml'}")
    assert amtool(*tell, "severity=critical").stdout.strip() == "ops"
    assert amtool(*tell, "alertname=Watchdog").stdout.strip() == "nowhere"


def test_the_dead_mans_switch_hears_at_every_interval():
    route = config.document(FULL, [])["route"]["routes"][0]
    assert (route["receiver"], route["group_interval"]) == ("pulse", "1m")
    assert route["repeat_interval"] == "1s"  # shorter than the interval, else every second one is left out


def test_components_and_operators_inhibit():
    rules = config.document(FULL, INHIBIT_RULES)["inhibit_rules"]
    assert rules == [*INHIBIT_RULES, *FULL["alertmanager_inhibit_rules"]]


def test_the_text_is_stable_and_its_hash_is_the_programs_own():
    assert config.text(FULL, INHIBIT_RULES) == config.text(FULL, INHIBIT_RULES)
    assert yaml.safe_load(config.text(FULL, [])) == config.document(FULL, [])
    # The bytes 18 92 3f df 31 24 begin the MD5 of a file that Alertmanager 0.33.1 called 3.9796617482776e+13.
    assert int.from_bytes(bytes.fromhex("18923fdf3124"), "little") == 39796617482776
    assert config.config_hash("") == int.from_bytes(bytes.fromhex("d41d8cd98f00"), "little")


def test_check_mode_does_not_expect_what_it_does_not_change():
    assert "alertmanager_config_hash" in config.in_force("x")
    assert "alertmanager_config_hash" not in config.in_force("x", changing=True)


ALERT = {
    "status": "firing",
    "labels": {"alertname": "HostDown", "severity": "critical", "instance": "gpu1", "site": "fra"},
    "annotations": {"summary": "gpu1 cannot be reached.", "description": "Look at the power."},
}
OTHER = {
    "status": "firing",
    "labels": {"alertname": "GpuHot", "severity": "critical", "instance": "gpu1", "site": "fra"},
    "annotations": {"summary": "GPU 3 is hot."},
}


@pytest.mark.parametrize(
    ("status", "alerts", "title", "text"),
    [
        (
            "firing",
            [ALERT],
            "[CRITICAL] HostDown on gpu1 (fra)",
            "- gpu1 cannot be reached.\n  Look at the power.",
        ),
        (
            "firing",
            [ALERT, OTHER],
            "[CRITICAL] 2 alerts on gpu1 (fra)",
            "- gpu1 cannot be reached.\n  Look at the power.\n- GPU 3 is hot.",
        ),
        (
            "resolved",
            [{**ALERT, "status": "resolved"}],
            "[RESOLVED] HostDown on gpu1 (fra)",
            "- Resolved: gpu1 cannot be reached.",
        ),
        (
            "firing",
            [{"status": "firing", "labels": {"a": "b"}, "annotations": {"summary": "Odd."}}],
            "[FIRING] 1 alerts",
            "- Odd.",
        ),
    ],
    ids=["one", "several", "resolved", "bare"],
)
def test_a_message_says_what_it_is_about(amtool, tmp_path, status, alerts, title, text):
    common = set.intersection(*(set(alert["labels"].items()) for alert in alerts))
    data = {"receiver": "x", "status": status, "alerts": alerts, "commonLabels": dict(common), "groupLabels": {}}
    (tmp_path / "data.json").write_text(json.dumps(data))

    def rendered(name: str) -> str:
        done = amtool(
            *("template", "render", f"--template.glob={TEMPLATES}/*.tmpl", f"--template.data={tmp_path / 'data.json'}"),
            f'--template.text={{{{ template "{name}" . }}}}',
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert rendered("gpufleet.title") == title
    assert rendered("gpufleet.text") == text
