"""What the parts are to each other: what one exposes is scraped, labelled and judged by another."""

import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

testinfra_hosts = ["ansible://mon1"]
ROOMS = Path(__file__).resolve().parents[3] / "roles"


@pytest.fixture
def query(fetch):
    def ask(expression: str) -> list[dict]:
        return json.loads(fetch(f"http://127.0.0.1:9090/api/v1/query?query={quote(expression)}"))["data"]["result"]

    return ask


def test_every_target_of_the_inventory_is_up(query):
    up = {(s["metric"]["job"], s["metric"]["instance"]): s["value"][1] for s in query("up")}
    assert up == {
        ("dcgm", "gpu1"): "1",
        ("vllm", "gpu1"): "1",
        ("node", "gpu1"): "1",
        ("node", "mon1"): "1",
        ("alertmanager", "mon1"): "1",
        ("grafana", "mon1"): "1",
        ("prometheus", "mon1"): "1",
    }


def test_every_series_of_the_box_carries_instance_site_and_model(query):
    assert query('count({job=~".+", instance="gpu1", model_name!="tiny", __name__!~".+:.+|ALERTS.*"})') == []
    assert query('count({job=~".+", site!="lab"})') == []
    assert query('count({exported_model_name!=""})') == []


def test_rules_know_what_the_inventory_says_and_what_is_promised(query):
    (gpus,) = query("gpufleet:inventory_gpus")
    assert (gpus["metric"]["instance"], gpus["value"][1]) == ("gpu1", "2")
    (release,) = query("gpufleet:inventory_vllm_info")
    assert release["metric"] | {"version": "0.32.0", "model_name": "tiny", "instance": "gpu1"} == release["metric"]
    assert query("count(DCGM_FI_DEV_GPU_TEMP)")[0]["value"][1] == "2"
    assert {s["metric"]["slo"] for s in query("slo:objective:ratio")} == {"availability", "ttft", "latency"}


def test_the_models_own_metrics_are_there(query):
    (sample,) = query("vllm:kv_cache_usage_perc")
    assert sample["metric"]["model_name"] == "tiny"
    assert sample["metric"]["instance"] == "gpu1"


def test_rules_of_all_components_are_loaded(fetch):
    groups = json.loads(fetch("http://127.0.0.1:9090/api/v1/rules"))["data"]["groups"]
    loaded = {group["name"] for group in groups}
    files = list(ROOMS.glob("*/files/monitoring/rules/*.yml"))
    brought = {group["name"] for file in files for group in yaml.safe_load(file.read_text())["groups"]}
    assert files
    assert brought <= loaded


def test_every_dashboard_that_the_rooms_bring_was_run_against_prometheus():
    brought = {json.loads(file.read_text())["uid"] for file in ROOMS.glob("*/files/monitoring/dashboards/*.json")}
    verify = json.loads((Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "verify.json").read_text())
    panels = [check for check in verify["checks"] if check["check"] == "panels"]
    assert verify["passed"]
    assert len(panels) == len(brought)
