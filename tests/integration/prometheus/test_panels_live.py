"""Dashboards' queries against real servers of both major versions, through Ansible as a role would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.http import Connection
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import keep_trying
from ansible_collections.gpufleet.serving.plugins.modules import prometheus_panels
from prometheus_server import ROOT, serve_pages

PAGE = (b"# TYPE a_total counter\na_total 3\n# TYPE b gauge\nb NaN\n", "text/plain; version=0.0.4")
SITE = {"name": "site", "type": "query", "query": "label_values(up, site)", "includeAll": True, "allValue": ".*"}
BOX = {"name": "box", "type": "query", "query": 'label_values(up{site=~"$site"}, instance)', "includeAll": True}

WATCHDOG = {"alert": "Watchdog", "expr": "vector(1)"}


def panel(title: str, expr: str, **more) -> dict:
    targets = [{"refId": "A", "expr": expr, "instant": more.pop("instant", False)}]
    return {"title": title, "type": "timeseries", "datasource": "${datasource}", "targets": targets, **more}


GOOD = {
    "title": "Good",
    "uid": "good",
    "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}, SITE, BOX]},
    "panels": [
        panel("Rate", 'rate(a_total{site=~"$site", instance=~"$box"}[$__rate_interval])'),
        panel("Number", 'sum(a_total{instance=~"${box:regex}"})', instant=True),
        panel("Whole range", "count_over_time(a_total[$__range])"),
        panel("Quiet", "a_total > 5", gpufleet={"may_be_empty": True, "why": "Quiet."}),
    ],
}
BAD = {
    "title": "Bad",
    "panels": [
        panel("Missing", "nowhere"),
        panel("NaN", "b"),
        panel("Wrong", "sum("),
        panel("Clash", "a_total * on () group_left () up"),
        panel("Fine", "up"),
    ],
}


@pytest.fixture(scope="module")
def page_address():
    with serve_pages([PAGE]) as address:
        yield address


@pytest.fixture(scope="module", params=["2.53.3", "3.5.3"])
def server(request, start_prometheus, page_address):
    targets = [
        {"targets": [page_address], "labels": {"__metrics_path__": "/0", "instance": "gpu.1"}},
        {"targets": ["127.0.0.1:1"], "labels": {"instance": "gpu2"}},
    ]
    job = {"job_name": "node", "static_configs": targets}
    scraping = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [job]}
    return start_prometheus(request.param, scraping)


def look(server, *dashboards: dict, deadline: float = 30) -> dict:
    params = {"url": server.url, "last": "1m", "scrape_interval": "1s", "on_problem": "report"}
    looks = [prometheus_panels.Look(dashboard) for dashboard in dashboards]
    verdict = keep_trying(lambda: prometheus_panels.check(Connection(), params, looks, False), deadline, 0.5)
    return verdict.as_result("report")


def test_panels_get_their_data_once_prometheus_has_scraped(server):
    result = look(server, GOOD)
    assert result["passed"], result["problems"]
    [told] = result["results"]
    assert (told["panels"], told["shown"], told["quiet"]) == (4, ["Rate", "Number", "Whole range"], ["Quiet"])
    assert told["detail"] == "4 panels: 3 with data, 1 empty as they may be"


def test_panels_without_data_and_failing_queries_are_told(server):
    server.wait(lambda: server.get("/api/v1/query", query="a_total")["result"])
    result = look(server, BAD, deadline=0)
    missing, clash = result["problems"][-2], [one for one in result["problems"] if '"Clash"' in one]
    assert result["problems"][-1] == 'Bad: panel "NaN" has no data: b'
    assert missing == 'Bad: panel "Missing" has no data: nowhere'
    assert any('Bad: panel "Wrong", query A fails: bad_data: ' in one for one in result["problems"])
    assert len(clash) == 1 and "many-to-many" in clash[0]
    assert result["results"][0]["shown"] == ["Fine"]


def test_through_ansible_one_call_gives_a_row_per_dashboard(server, tmp_path):
    for name, document in (("good", GOOD), ("bad", BAD)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    arguments = {
        "url": server.url,
        "dashboards": [str(tmp_path)],
        "last": "1m",
        "scrape_interval": "1s",
        "on_problem": "report",
    }
    command = [Path(sys.executable).with_name("ansible"), "localhost", "-i", "localhost,", "-c", "local"]
    command += ["-m", "gpufleet.serving.prometheus_panels", "-a", json.dumps(arguments)]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
    }
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout[done.stdout.index("=> {") + 3 :])
    assert [(row["subject"], row["passed"]) for row in result["results"]] == [("Bad", False), ("Good", True)]


@pytest.mark.parametrize("version", ["2.53.3", "3.5.3"])
def test_our_dashboards_find_what_the_programs_really_expose(version, start_prometheus, tmp_path):
    """The page that vLLM was recorded with, and Prometheus itself: two scrapes are enough, whatever the traffic."""
    recorded = (ROOT / "tests/recordings/vllm-0.32.0-cpu/metrics.txt").read_bytes()
    labels = {"instance": "gpu1", "site": "ams", "model_name": "tiny", "vllm_instance": "main"}
    rules = tmp_path / "rules.yml"
    rules.write_text(json.dumps({"groups": [{"name": "g", "interval": "1s", "rules": [WATCHDOG]}]}), encoding="utf-8")
    itself = tmp_path / "itself.json"
    with serve_pages([(recorded, "text/plain; version=0.0.4")]) as address:
        vllm = {"targets": [address], "labels": {"__metrics_path__": "/0", **labels}}
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [
                {"job_name": "vllm", "honor_labels": True, "static_configs": [vllm]},
                {"job_name": "prometheus", "file_sd_configs": [{"files": [str(itself)], "refresh_interval": "1s"}]},
            ],
        }
        server = start_prometheus(version, config)
        target = {"targets": [server.url.removeprefix("http://")], "labels": {"instance": "mon1", "site": "ams"}}
        itself.write_text(json.dumps([target]), encoding="utf-8")
        files = [ROOT / f"roles/{topic}/files/monitoring/dashboards/{topic}.json" for topic in ("vllm", "prometheus")]
        documents = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        result = look(server, *documents)
    assert result["problems"] == []
    assert all(len(told["shown"]) > len(told["quiet"]) for told in result["results"])
