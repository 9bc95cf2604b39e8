"""Prometheus' configuration from a bundle."""

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.filter.units import systemd_quote, unit_flags
from ansible_collections.gpufleet.serving.plugins.plugin_utils.prometheus_config import config_document, support_files

BUNDLE = {
    "jobs": {"vllm": {"honor_labels": True}, "node": {}},
    "targets": {"node": [{"targets": ["a:9100"], "labels": {"instance": "a"}}]},
    "rules": {"node-host.yml": "groups: []\n"},
    "alerting": {"receivers": [], "inhibit_rules": []},
}
GLOBAL = {"scrape_interval": "15s", "evaluation_interval": "15s", "external_labels": {}}


def document(mode="server", **changes):
    settings = {
        "global_settings": GLOBAL,
        "scrape_options": {},
        "extra_scrape_configs": [],
        "remote_write": [],
        "alerting": {},
        **changes,
    }
    return config_document(BUNDLE, mode, **settings)


def test_a_job_reads_its_own_target_file_by_a_relative_path():
    jobs = {job["job_name"]: job for job in document()["scrape_configs"]}
    assert jobs["node"]["file_sd_configs"] == [{"files": ["targets/node.yml"]}]
    assert jobs["vllm"]["honor_labels"] is True


def test_the_operators_scrape_options_win():
    jobs = {j["job_name"]: j for j in document(scrape_options={"vllm": {"honor_labels": False}})["scrape_configs"]}
    assert jobs["vllm"]["honor_labels"] is False


def test_an_agent_has_no_rules_no_alerting_and_no_evaluation():
    agent = document("agent", alerting={"alertmanagers": []}, remote_write=[{"url": "http://x"}])
    assert set(agent) == {"global", "scrape_configs", "remote_write"}
    assert "evaluation_interval" not in agent["global"]
    assert not [f for f in support_files(BUNDLE, "agent", {}, {}) if "/rules/" in f["path"]]


def test_a_job_without_targets_still_has_its_file():
    files = {file["path"]: file for file in support_files(BUNDLE, "server", {}, {})}
    assert yaml.safe_load(files["/etc/prometheus/targets/vllm.yml"]["content"]) == []


def test_secrets_are_marked_as_such_and_private():
    (secret,) = [f for f in support_files(BUNDLE, "server", {}, {"token": "s3cret"}) if f["path"].endswith("/token")]
    assert secret["secret"] is True
    assert secret["mode"] == "0640"


def test_own_rules_land_beside_the_gathered_ones():
    paths = [file["path"] for file in support_files(BUNDLE, "server", {"mine": {"groups": []}}, {})]
    assert "/etc/prometheus/rules/mine.yml" in paths
    assert "/etc/prometheus/rules/node-host.yml" in paths


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        ("--a=b", "--a=b"),
        ("--a=b c", '"--a=b c"'),
        ("--a=^(x|y)$", "--a=^(x|y)$$"),
        ("--a=100%", "--a=100%%"),
        (r"--a=\d+", r'"--a=\\d+"'),
        ('--a="x"', r'"--a=\"x\""'),
    ],
)
def test_systemd_passes_arguments_on_literally(argument, quoted):
    assert systemd_quote(argument) == quoted


def test_flags_are_sorted_one_per_line():
    assert unit_flags({"b": "1", "a": True, "c": False}, indent=2) == "  --a \\\n  --b=1 \\\n  --no-c"
