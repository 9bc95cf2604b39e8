"""What the parts are to each other: what one exposes is scraped, labelled and judged by another."""

import json
from urllib.parse import quote

import pytest

testinfra_hosts = ["ansible://mon1"]


@pytest.fixture
def query(fetch):
    def ask(expression: str) -> list[dict]:
        return json.loads(fetch(f"http://127.0.0.1:9090/api/v1/query?query={quote(expression)}"))["data"]["result"]

    return ask


def test_every_target_of_the_inventory_is_up(query):
    up = {(s["metric"]["job"], s["metric"]["instance"]): s["value"][1] for s in query("up")}
    assert up == {
        ("vllm", "gpu1"): "1",
        ("node", "gpu1"): "1",
        ("node", "mon1"): "1",
        ("prometheus", "mon1"): "1",
    }


def test_every_series_of_the_box_carries_instance_site_and_model(query):
    assert query('count({job=~".+", instance="gpu1", model_name!="tiny"})') == []
    assert query('count({job=~".+", site!="lab"})') == []
    assert query('count({exported_model_name!=""})') == []


def test_the_models_own_metrics_are_there(query):
    (sample,) = query("vllm:kv_cache_usage_perc")
    assert sample["metric"]["model_name"] == "tiny"
    assert sample["metric"]["instance"] == "gpu1"


def test_rules_of_all_components_are_loaded(fetch):
    groups = json.loads(fetch("http://127.0.0.1:9090/api/v1/rules"))["data"]["groups"]
    assert {group["name"] for group in groups} == {"host", "monitoring", "serving"}
