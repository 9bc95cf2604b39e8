"""The objectives of a fleet."""

from types import SimpleNamespace

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.scrape import ScrapeError
from ansible_collections.gpufleet.serving.plugins.plugin_utils.slo.gather import gather, merge

PROMISE = {"availability": 99.9}


def serving(served, **hosts):
    """A component whose hosts serve what `hosts` says: a list of (model, objectives) each."""
    component = SimpleNamespace(
        name="vllm", service_levels={**served, "each": "E", "model_name": "M", "objectives": "O"}
    )
    parts = {"M": 0, "O": 1}

    def running(_component):
        for host, instances in hosts.items():
            yield host, lambda value, item=None, instances=instances: instances if value == "E" else item[parts[value]]

    return [component], running


def test_models_of_all_hosts_come_into_one_file(served):
    levels = gather(*serving(served, gpu1=[("a", PROMISE), ("b", {})], gpu2=[("a", PROMISE), ("c", PROMISE)]))
    loaded = yaml.safe_load(levels.rules["service-levels.yml"])
    models = {rule["labels"]["model_name"] for group in loaded["groups"] for rule in group["rules"]}
    assert models == {"a", "c"}


def test_the_longest_window_is_told(served):
    promises = [("a", {**PROMISE, "window": "7d"}), ("b", {**PROMISE, "window": "90d"})]
    assert gather(*serving(served, gpu1=promises)).longest_window == 90 * 86400


def test_without_promises_there_is_no_file(served):
    assert gather(*serving(served, gpu1=[("a", {}), ("b", None)])).rules == {}
    assert gather([SimpleNamespace(name="node_exporter", service_levels={})], lambda _: []).longest_window == 0


def test_values_that_the_argument_specs_fill_in_are_not_said(served):
    assert gather(*serving(served, gpu1=[("a", {"availability": None, "ttft": None})])).rules == {}


def test_one_model_has_one_set_of_objectives():
    with pytest.raises(ScrapeError, match=r"a: the objectives on gpu2 differ from those on gpu1.*99\.5 against.*99\.9"):
        merge([("gpu1", "a", PROMISE), ("gpu2", "a", {"availability": 99.5})])


def test_an_instance_that_says_nothing_is_no_contradiction():
    assert merge([("gpu1", "a", {}), ("gpu2", "a", PROMISE), ("gpu3", "a", {})]) == {"a": ("gpu2", PROMISE)}


def test_a_wrong_objective_is_named_with_its_host_and_model(served):
    with pytest.raises(ScrapeError, match="gpu1: a: objectives: latency: 9 s is no bound"):
        gather(*serving(served, gpu1=[("a", {"latency": {"seconds": 9, "percent": 99}})]))
