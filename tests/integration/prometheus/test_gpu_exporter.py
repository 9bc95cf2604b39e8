"""A real Prometheus over the stand-in for dcgm-exporter: dropped labels, numbers from the inventory, alerts."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.filter.dcgm import dcgm_counters
from ansible_collections.gpufleet.serving.plugins.plugin_utils.scrape import Series, inventory_rules
from prometheus_server import ROOT, free_port

ROLE = ROOT / "roles" / "dcgm_exporter" / "files"
VERSIONS = ("3.5.3", "2.53.3")
TARGET = {"instance": "gpu1", "site": "lab", "model_name": "llama"}


@pytest.fixture(scope="module", params=VERSIONS)
def version(request) -> str:
    """Of Prometheus."""
    return request.param


@pytest.fixture(scope="module")
def machine(version, tmp_path_factory) -> Path:
    """A root folder with two cards for the stand-in; each Prometheus has its own, on which no other broke anything."""
    root = tmp_path_factory.mktemp("machine")
    for index in (0, 1):
        folder = root / f"proc/driver/nvidia/gpus/0000:0{index}:00.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t\t NVIDIA A100-SXM4-80GB\nGPU UUID: \t GPU-{index}\n")
    (root / "sys/module/nvidia").mkdir(parents=True)
    (root / "sys/module/nvidia/version").write_text("580.95.05\n")
    (root / "run/dcgm-lab").mkdir(parents=True)
    return root


@pytest.fixture(scope="module")
def exporter(machine):
    """Where the stand-in answers."""
    counters = machine / "counters.csv"
    counters.write_text(dcgm_counters([], "4.8.2"))
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, ROOT / "lab/standins/dcgm_exporter.py", "-f", counters, "-a", address, "-c", "200"],
        env={**os.environ, "DCGM_LAB_ROOT": str(machine)},
        stderr=subprocess.DEVNULL,
    )
    for _attempt in range(100):
        try:
            urllib.request.urlopen(f"http://{address}/health", timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield address
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def prometheus(version, start_prometheus, exporter, tmp_path_factory):
    rules = tmp_path_factory.mktemp("rules")
    (rules / "inventory.yml").write_text(
        inventory_rules([Series("gpufleet:inventory_gpus", 2, {"instance": "gpu1", "site": "lab"})])
    )
    options = yaml.safe_load((ROLE / "monitoring" / "scrape.yml").read_text(encoding="utf-8"))["options"]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules / "*.yml"), str(ROLE / "monitoring" / "rules" / "*.yml")],
        "scrape_configs": [
            {"job_name": "dcgm", **options, "static_configs": [{"targets": [exporter], "labels": TARGET}]}
        ],
    }
    return start_prometheus(version, config)


def series(prometheus, query: str) -> list[dict[str, str]]:
    return [one["metric"] for one in prometheus.get("/api/v1/query", query=query)["result"]]


def test_the_exporters_own_name_of_the_host_is_dropped_and_nothing_collides(prometheus):
    prometheus.wait(lambda: len(series(prometheus, "DCGM_FI_DEV_GPU_TEMP")) == 2)
    for found in series(prometheus, "DCGM_FI_DEV_GPU_TEMP"):
        assert {name: found[name] for name in TARGET} == TARGET
        assert not {name for name in found if name.lower() == "hostname" or name.startswith("exported_")}


def test_what_the_inventory_knows_is_recorded_and_nothing_is_amiss(prometheus):
    prometheus.wait(lambda: bool(series(prometheus, "gpufleet:inventory_gpus")))
    (found,) = series(prometheus, "gpufleet:inventory_gpus")
    assert found == {"__name__": "gpufleet:inventory_gpus", "instance": "gpu1", "site": "lab"}
    assert series(prometheus, "ALERTS") == []


def test_every_rule_evaluates(prometheus):
    def evaluated() -> list[dict]:
        return [rule for group in prometheus.get("/api/v1/rules")["groups"] for rule in group["rules"]]

    prometheus.wait(lambda: all(rule["health"] != "unknown" for rule in evaluated()))
    assert [rule["name"] for rule in evaluated() if rule["health"] != "ok"] == []


def test_a_card_that_falls_off_the_bus_is_told_by_its_xid_and_missed(prometheus, machine):
    (machine / "run/dcgm-lab/xid").write_text("1 79\n")
    (machine / "run/dcgm-lab/lose").write_text("1\n")

    def alerts() -> set[str]:
        return {one["alertname"] for one in series(prometheus, "ALERTS")}

    try:
        # The XID of a lost card is not on the page any more; it is counted before the card goes.
        prometheus.wait(lambda: "GpuMissing" in alerts())
        (machine / "run/dcgm-lab/lose").unlink()
        prometheus.wait(lambda: "GpuXidCritical" in alerts() and "GpuMissing" not in alerts())
    finally:
        for fault in (machine / "run/dcgm-lab").iterdir():
            fault.unlink()
