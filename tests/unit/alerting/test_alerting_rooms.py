"""What components say of alerts, gathered."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.filter.units import flag_arguments
from ansible_collections.gpufleet.serving.plugins.plugin_utils.alerting import alertmanager_configs, gather
from ansible_collections.gpufleet.serving.plugins.plugin_utils.scrape import ScrapeError

ROLES = Path(__file__).parents[3] / "roles"
ALERTNAME = re.compile(r'alertname\s*(?:=|!=|=~|!~)\s*"([^"]*)"')
RULE = {"source_matchers": ['alertname="A"'], "target_matchers": ['alertname="B"'], "equal": ["instance"]}


def component(name: str, **alerting) -> SimpleNamespace:
    return SimpleNamespace(name=name, alerting=alerting)


def on(*hosts: str):
    """Stands in for the inventory: every component runs on `hosts`, and `{host}` is its variable."""
    return lambda _component: [
        (host, lambda said, host=host: {k: v.format(host=host) for k, v in said.items()}) for host in hosts
    ]


def test_rules_of_all_components_and_an_address_per_host():
    found = gather(
        [component("a", inhibit_rules=[RULE]), component("b", receives={"address": "{host}:9093"})], on("m1", "m2")
    )
    assert found["inhibit_rules"] == [RULE]
    assert [(r["host"], r["address"], r["scheme"]) for r in found["receivers"]] == [
        ("m1", "m1:9093", "http"),
        ("m2", "m2:9093", "http"),
    ]


@pytest.mark.parametrize(
    ("alerting", "said"),
    [
        ({"inhibit": []}, "unknown keys"),
        ({"receives": {"adress": "h:1"}}, "unknown keys"),
        ({"receives": {"address": "http://h:1"}}, "host:port"),
        ({"receives": {"address": "h:1", "peer": "h"}}, "host:port"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(alerting, said):
    with pytest.raises(ScrapeError, match=said):
        gather([component("b", **alerting)], on("m1"))


def test_receivers_that_are_spoken_to_alike_stand_together():
    receivers = [
        {"address": "b:9093", "scheme": "http", "path_prefix": ""},
        {"address": "a:9093", "scheme": "http", "path_prefix": ""},
        {"address": "c:443", "scheme": "https", "path_prefix": "/alerts"},
    ]
    assert alertmanager_configs(receivers, {"basic_auth": {"username": "u"}}) == [
        {"basic_auth": {"username": "u"}, "static_configs": [{"targets": ["a:9093", "b:9093"]}]},
        {
            "scheme": "https",
            "path_prefix": "/alerts",
            "basic_auth": {"username": "u"},
            "static_configs": [{"targets": ["c:443"]}],
        },
    ]


def test_no_alertmanager_is_no_configuration():
    assert alertmanager_configs([], {}) == []


def test_a_flag_with_several_values_is_repeated():
    assert flag_arguments({"peer": ["a:1", "b:2"], "none": []}) == ["--peer=a:1", "--peer=b:2"]


def rooms_rules() -> list[tuple[str, dict]]:
    files = sorted(ROLES.glob("*/files/monitoring/alerting.yml"))
    return [(f.parents[2].name, rule) for f in files for rule in yaml.safe_load(f.read_text()).get("inhibit_rules", [])]


def alert_names() -> set[str]:
    files = ROLES.glob("*/files/monitoring/rules/*.yml")
    rules = [rule for f in files for group in yaml.safe_load(f.read_text())["groups"] for rule in group["rules"]]
    return {rule["alert"] for rule in rules if "alert" in rule}


@pytest.mark.parametrize(("room", "rule"), rooms_rules())
def test_every_alert_that_the_rooms_rules_name_exists(room, rule):
    matchers = [ALERTNAME.fullmatch(m) for m in (*rule["source_matchers"], *rule["target_matchers"])]
    named = {name for match in matchers if match for name in match[1].split("|")}
    assert named
    assert named <= alert_names()
