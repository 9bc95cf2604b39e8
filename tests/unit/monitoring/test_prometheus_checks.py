"""What the checks make of Prometheus' answers. The answers are shortened ones of 3.5.3 and 2.53.3."""

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.durations import DurationError, seconds
from ansible_collections.gpufleet.serving.plugins.module_utils.prometheus_api import ApiError, labels_text
from ansible_collections.gpufleet.serving.plugins.modules import prometheus_query, prometheus_rules, prometheus_targets


def target(job="node", address="a:9100", health="up", error=""):
    return {
        "labels": {"job": job, "instance": "gpu1"},
        "discoveredLabels": {"__address__": address, "job": job},
        "scrapeUrl": f"http://{address}/metrics",
        "health": health,
        "lastError": error,
    }


EXPECTED = {"job": "node", "instance": "gpu1", "address": "a:9100"}


def test_targets_that_are_there_and_up_are_in_order():
    assert prometheus_targets.missing([target()], [EXPECTED]) == []
    assert prometheus_targets.down([target()]) == []


def test_a_target_that_prometheus_does_not_know_is_missing():
    assert prometheus_targets.missing([target(job="vllm")], [EXPECTED]) == [EXPECTED]
    said = prometheus_targets.why_missing(EXPECTED, [target(job="vllm")])
    assert said == (
        "expected node on gpu1 (a:9100) to be scraped; "
        "Prometheus does not know it: run the playbook on the Prometheus host"
    )


def test_a_target_that_relabelling_drops_is_told_apart():
    said = prometheus_targets.why_missing(EXPECTED, [{"discoveredLabels": target()["discoveredLabels"]}])
    assert "the relabelling of its job drops it (scrape pool node)" in said


def test_a_target_that_is_down_shows_the_error_of_its_last_scrape():
    (said,) = prometheus_targets.down([target(health="down", error="connection refused")])
    assert said == "node on gpu1 (http://a:9100/metrics) is down: connection refused"


def test_a_target_not_scraped_yet_is_not_taken_for_one_that_is_up():
    (said,) = prometheus_targets.down([target(health="unknown")])
    assert "not scraped yet" in said


def test_a_rule_is_in_order_only_when_it_was_evaluated_without_error():
    problem = prometheus_rules.problem
    assert problem("g", {"name": "r", "health": "ok"}) is None
    assert problem("g", {"name": "r", "health": "err", "lastError": "many-to-many"}) == "g/r fails: many-to-many"
    assert "not been evaluated" in problem("g", {"name": "r", "health": "unknown"})


def test_rules_and_groups_that_must_be_there_are_missed_by_name():
    rules = [("monitoring", {"name": "TargetDown"})]
    assert prometheus_rules.missing(rules, ["monitoring", "TargetDown"]) == []
    near, far = prometheus_rules.missing(rules, ["TargetsDown", "serving"])
    assert near.endswith("TargetsDown, which is not loaded; did you mean TargetDown?")
    assert far.endswith("serving, which is not loaded; is its file in rule_files, and was it reloaded?")


def test_vectors_matrices_and_scalars_look_alike():
    normalise = prometheus_query.normalise
    assert normalise({"resultType": "scalar", "result": [1, "2"]}) == [{"labels": {}, "values": [[1, "2"]]}]
    vector = {"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [1, "2"]}]}
    assert normalise(vector) == [{"labels": {"a": "b"}, "values": [[1, "2"]]}]
    matrix = {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "2"], [2, "3"]]}]}
    assert normalise(matrix) == [{"labels": {}, "values": [[1, "2"], [2, "3"]]}]
    native = {"resultType": "vector", "result": [{"metric": {"a": "b"}, "histogram": [1, {"count": "1"}]}]}
    assert normalise(native) == [{"labels": {"a": "b"}, "values": []}]


def test_a_string_is_no_result_to_assert_something_of():
    with pytest.raises(ApiError, match="the result is the string 'x'"):
        prometheus_query.normalise({"resultType": "string", "result": [1, "x"]})


@pytest.mark.parametrize(
    ("options", "path", "window"),
    [
        ({}, "query", {}),
        ({"last": "5m"}, "query_range", {"start": 700.0, "end": 1000.0, "step": 15.0}),
        ({"last": "90", "step": "1m"}, "query_range", {"start": 910.0, "end": 1000.0, "step": 60.0}),
        ({"start": "2026-01-01T00:00:00Z", "end": "5"}, "query_range", {"start": "2026-01-01T00:00:00Z", "end": "5"}),
    ],
)
def test_a_range_is_asked_for_when_one_is_given(options, path, window):
    params = {"query": "up", "last": None, "start": None, "end": None, "step": "15s", **options}
    asked, parameters = prometheus_query.request(params, now=1000.0)
    assert asked == path
    assert parameters == {"query": "up", **({"step": 15.0} if window else {}), **window}


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("1.5", 1.5), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("1d", 86400)],
)
def test_durations(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "5 m", "m", "-5", "0", "0s", "5x", "inf", "1h-5m"])
def test_what_is_no_duration(text):
    with pytest.raises(DurationError, match="is no duration"):
        seconds(text)


def test_a_series_is_written_as_one_writes_it():
    assert labels_text({"__name__": "up", "job": 'a"b', "instance": "c"}) == r'up{instance="c", job="a\"b"}'
    assert labels_text({"__name__": "up"}) == "up"
    assert labels_text({}) == "{}"
