"""Scrape targets from definitions."""

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.scrape import (
    ScrapeError,
    Series,
    Target,
    file_sd,
    inventory_rules,
    lend_labels,
    members,
    series_of,
    targets_of,
)


def plain(value, item=None):
    """Stands in for Jinja: callables are called with the item, containers are walked."""
    if callable(value):
        return value(item)
    if isinstance(value, dict):
        return {key: plain(entry, item) for key, entry in value.items()}
    return value


def test_one_target_with_the_hosts_labels():
    (target,) = targets_of("n", {"job": "node", "address": "h:9100"}, "gpu1", plain, {"instance": "gpu1", "site": "x"})
    assert target == Target("node", "gpu1", "h:9100", {"instance": "gpu1", "site": "x"})


def test_one_target_per_item_and_none_where_when_is_false():
    definition = {
        "job": "vllm",
        "each": [{"port": 1, "on": True}, {"port": 2, "on": False}],
        "when": lambda item: item["on"],
        "address": lambda item: f"h:{item['port']}",
        "labels": {"model_name": lambda item: f"m{item['port']}"},
    }
    (target,) = targets_of("vllm", definition, "gpu1", plain, {"instance": "gpu1"})
    assert target.address == "h:1"
    assert target.labels["model_name"] == "m1"


def test_scheme_and_path_travel_as_labels_that_prometheus_understands():
    definition = {"job": "j", "address": "h:1", "scheme": "https", "metrics_path": "/probe"}
    (target,) = targets_of("c", definition, "h", plain, {})
    assert target.labels == {"__scheme__": "https", "__metrics_path__": "/probe"}


@pytest.mark.parametrize("address", ["http://h:1", "h", "h:", "h:x", "h:1/metrics", "::1:9100", "a b:1", ""])
def test_an_address_must_be_host_and_port(address):
    with pytest.raises(ScrapeError, match="host:port"):
        targets_of("c", {"job": "j", "address": address}, "gpu1", plain, {})


def test_ipv6_addresses_stand_in_brackets():
    (target,) = targets_of("c", {"job": "j", "address": "[2001:db8::1]:9100"}, "gpu1", plain, {})
    assert target.address == "[2001:db8::1]:9100"


def test_an_unknown_key_is_refused():
    with pytest.raises(ScrapeError, match="adress"):
        targets_of("c", {"job": "j", "adress": "h:1"}, "gpu1", plain, {})


def test_shared_labels_reach_the_hosts_other_targets_and_no_other_host():
    targets = [
        Target("vllm", "a", "a:1", {"model_name": "x"}, ("model_name",)),
        Target("vllm", "a", "a:2", {"model_name": "y"}, ("model_name",)),
        Target("node", "a", "a:3", {}),
        Target("node", "b", "b:3", {}),
    ]
    labels = {target.address: target.labels for target in lend_labels(targets)}
    assert labels == {"a:1": {"model_name": "x"}, "a:2": {"model_name": "y"}, "a:3": {"model_name": "x,y"}, "b:3": {}}


def test_file_sd_is_stable_and_joins_targets_with_equal_labels():
    targets = [Target("j", "b", "b:1", {"s": "1"}), Target("j", "a", "a:1", {"s": "1"}), Target("i", "a", "a:2", {})]
    expected = {"i": [{"targets": ["a:2"], "labels": {}}], "j": [{"targets": ["a:1", "b:1"], "labels": {"s": "1"}}]}
    assert file_sd(targets) == file_sd(reversed(targets)) == expected


def test_groups_and_hosts_are_resolved_and_others_refused():
    groups = {"all": ["a", "b", "c"], "edge": ["b", "c"]}
    assert members(["edge", "a"], groups) == {"a", "b", "c"}
    assert members(["b"], groups) == {"b"}
    with pytest.raises(ScrapeError, match="'egde' is neither"):
        members(["egde"], groups)


def test_what_the_inventory_knows_becomes_a_series_with_the_hosts_labels():
    definition = {"job": "dcgm", "address": "h:1", "series": {"gpufleet:inventory_gpus": lambda _item: "8"}}
    found = series_of("dcgm_exporter", definition, "gpu1", plain, {"instance": "gpu1", "site": "x", "rack": ""})
    assert found == [Series("gpufleet:inventory_gpus", 8, {"instance": "gpu1", "site": "x"})]


def test_words_become_labels_of_a_series_that_is_1():
    definition = {"series": {"gpufleet:inventory_vllm_info": {"labels": {"version": lambda _item: "0.32.0"}}}}
    (found,) = series_of("vllm", definition, "gpu1", plain, {"instance": "gpu1"})
    assert found == Series("gpufleet:inventory_vllm_info", 1, {"instance": "gpu1", "version": "0.32.0"})


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_the_inventory_does_not_say_is_left_out(nothing):
    assert series_of("c", {"job": "j", "series": {"a:b": lambda _item: nothing}}, "h", plain, {}) == []
    assert series_of("c", {"job": "j"}, "h", plain, {}) == []


def test_a_series_must_be_a_number_under_a_recorded_name():
    with pytest.raises(ScrapeError, match=r"gpu1: c would record a:b as 'two'"):
        series_of("c", {"series": {"a:b": "two"}}, "gpu1", plain, {})
    with pytest.raises(ScrapeError, match="series 'gpus'"):
        series_of("c", {"series": {"gpus": 2}}, "gpu1", plain, {})


def test_the_rule_file_records_each_series_in_a_stable_order():
    series = [Series("a:b", 2, {"instance": "h2"}), Series("a:b", 0, {"instance": "h1", "site": "x"})]
    assert inventory_rules(series) == inventory_rules(reversed(series))
    (group,) = yaml.safe_load(inventory_rules(series))["groups"]
    assert group["rules"] == [
        {"record": "a:b", "expr": "vector(0)", "labels": {"instance": "h1", "site": "x"}},
        {"record": "a:b", "expr": "vector(2)", "labels": {"instance": "h2"}},
    ]
    assert inventory_rules([]) == ""
