"""The checks against real servers and agents of both major versions."""

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.module_utils.assertion import parse
from ansible_collections.gpufleet.serving.plugins.module_utils.http import Connection
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import keep_trying
from ansible_collections.gpufleet.serving.plugins.modules import prometheus_query, prometheus_rules, prometheus_targets
from prometheus_server import serve_pages

VERSIONS = ["2.53.3", "3.5.3"]
PAGE = (b"# TYPE a gauge\na 1\n# TYPE b gauge\nb NaN\n", "text/plain; version=0.0.4")
RULES = {
    "groups": [
        {
            "name": "sound",
            "interval": "1s",
            "rules": [{"record": "job:up:sum", "expr": "sum by (job) (up)"}, {"alert": "Down", "expr": "up == 0"}],
        },
        {"name": "broken", "interval": "1s", "rules": [{"record": "clash", "expr": "a * on () b / on () up"}]},
    ]
}


@pytest.fixture(scope="module")
def page_address():
    with serve_pages([PAGE]) as address:
        yield address


def scraping(address: str) -> dict:
    labels = {"__metrics_path__": "/0", "instance": "gpu1"}
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {"job_name": "node", "static_configs": [{"targets": [address], "labels": labels}]},
            {"job_name": "dead", "static_configs": [{"targets": ["127.0.0.1:1"], "labels": {"instance": "gpu2"}}]},
            {
                "job_name": "dropped",
                "static_configs": [{"targets": ["127.0.0.1:2"]}],
                "relabel_configs": [{"action": "drop", "source_labels": ["__address__"], "regex": ".*"}],
            },
        ],
    }


@pytest.fixture(scope="module", params=VERSIONS)
def server(request, start_prometheus, page_address, tmp_path_factory):
    rules = tmp_path_factory.mktemp("rules") / "rules.yml"
    rules.write_text(yaml.safe_dump(RULES), encoding="utf-8")
    return start_prometheus(request.param, {**scraping(page_address), "rule_files": [str(rules)]})


@pytest.fixture(scope="module", params=VERSIONS)
def agent(request, start_prometheus, page_address):
    config = {**scraping(page_address), "remote_write": [{"url": "http://127.0.0.1:1/api/v1/write"}]}
    flag = "--agent" if request.param.startswith("3") else "--enable-feature=agent"
    return start_prometheus(request.param, config, flag)


def query(server, text: str, that: str | None = None, deadline: float = 20, **options):
    params = {"url": server.url, "query": text, "min_series": 0, "last": None, "start": None, "end": None}
    params |= {"step": "1s", **options}
    assertion = parse(that) if that else None
    return keep_trying(lambda: prometheus_query.check(Connection(), params, assertion, False), deadline, 0.5)


@pytest.mark.parametrize(
    ("text", "that", "options"),
    [
        ("a", "== 1", {}),
        ("up", "== 1 for any", {"min_series": 2}),
        ('up{job="dead"}', "< 1 for all", {}),
        ("a", "> 0.99", {"last": "2s", "min_series": 1}),
        ("vector(1) == 2", "absent", {}),
        ("b", "present", {}),
        ("1 + 1", "== 2", {}),
        ("sum(up)", None, {}),
    ],
)
def test_queries_that_hold(server, text, that, options):
    verdict = query(server, text, that, **options)
    assert verdict.problems == []
    assert verdict.values["series"] or that == "absent"


@pytest.mark.parametrize(
    ("text", "that", "said"),
    [
        ("up", "== 1 for all", 'expected == 1 for all, found 0 for up{instance="gpu2", job="dead"}'),
        ("b", ">= 0", 'expected >= 0, found nan for b{instance="gpu1", job="node"}'),
        ("nowhere", "> 0", "expected > 0, found no series at all"),
        ("a", "absent", "expected no series, found a{"),
    ],
)
def test_queries_that_do_not_hold(server, text, that, said):
    query(server, "a", "present")
    query(server, "count(up)", "== 2")
    (problem,) = query(server, text, that, deadline=0).problems
    assert problem.startswith(said)


def test_a_query_that_cannot_be_parsed_is_told_at_once(server):
    verdict = query(server, "sum(", "> 0")
    assert verdict.final
    assert "Prometheus refuses the query: bad_data" in verdict.problems[0]


def test_rules_that_fail_are_told_with_prometheus_own_words(server):
    def look():
        return prometheus_rules.check(Connection(), server.url, ["sound", "Down", "serving"], False)

    server.wait(lambda: any("clash fails" in problem for problem in look().problems))
    verdict = look()
    assert verdict.values["rules"] == 3
    missing, failing = verdict.problems
    assert missing.startswith("expected the group or rule serving, which is not loaded")
    assert failing.startswith("broken/clash fails: ")
    assert "many-to-many" in failing or "multiple matches" in failing


def expected_targets(address: str) -> list[dict]:
    return [
        {"job": "node", "instance": "gpu1", "address": address},
        {"job": "dead", "instance": "gpu2", "address": "127.0.0.1:1"},
        {"job": "dropped", "instance": "gpu3", "address": "127.0.0.1:2"},
        {"job": "node", "instance": "gpu9", "address": "192.0.2.9:9100"},
    ]


def judged_targets(prometheus, address: str) -> list[str]:
    def look():
        return prometheus_targets.check(Connection(), prometheus.url, expected_targets(address), False)

    prometheus.wait(lambda: any("is down" in problem for problem in look().problems))
    prometheus.wait(lambda: not any("not scraped yet" in problem for problem in look().problems))
    return look().problems


def test_targets_that_are_missing_dropped_or_down_are_told_apart(server, page_address):
    dropped, unknown, down = judged_targets(server, page_address)
    assert "dropped on gpu3 (127.0.0.1:2) to be scraped; the relabelling of its job drops it" in dropped
    assert "node on gpu9 (192.0.2.9:9100) to be scraped; Prometheus does not know it" in unknown
    assert down.startswith("dead on gpu2 (http://127.0.0.1:1/metrics) is down: ")
    assert "connection refused" in down


def test_an_agent_tells_its_targets(agent, page_address):
    assert len(judged_targets(agent, page_address)) == 3


def test_an_agent_has_no_rules_and_cannot_be_queried(agent):
    verdict = prometheus_rules.check(Connection(), agent.url, [], False)
    assert verdict.final
    assert "unavailable with Prometheus Agent" in verdict.problems[0]
    assert "unavailable with Prometheus Agent" in query(agent, "up", deadline=0).problems[0]


def test_what_is_not_prometheus_is_told_as_such(page_address):
    verdict = prometheus_rules.check(Connection(), f"http://{page_address}/0", [], False)
    assert not verdict.passed
