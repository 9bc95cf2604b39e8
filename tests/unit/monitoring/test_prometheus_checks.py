"""What the checks make of Prometheus' answers. The answers are shortened ones of 3.5.3 and 2.53.3."""

from ansible_collections.gpufleet.serving.plugins.modules.prometheus_query import normalise
from ansible_collections.gpufleet.serving.plugins.modules.prometheus_rules import problem
from ansible_collections.gpufleet.serving.plugins.modules.prometheus_targets import judge


def target(job="node", address="a:9100", health="up", error=""):
    return {
        "labels": {"job": job, "instance": "gpu1"},
        "discoveredLabels": {"__address__": address},
        "scrapeUrl": f"http://{address}/metrics",
        "health": health,
        "lastError": error,
    }


EXPECTED = [{"job": "node", "instance": "gpu1", "address": "a:9100"}]


def test_targets_that_are_there_and_up_are_in_order():
    assert judge([target()], EXPECTED) == []


def test_a_target_that_prometheus_does_not_know_is_missing():
    (said,) = judge([target(job="vllm")], EXPECTED)
    assert "node on gpu1 (a:9100) is not scraped at all" in said


def test_a_target_that_is_down_shows_the_error_of_its_last_scrape():
    (said,) = judge([target(health="down", error="connection refused")], EXPECTED)
    assert "is down: connection refused" in said


def test_a_target_not_scraped_yet_is_not_taken_for_one_that_is_up():
    (said,) = judge([target(health="unknown")], EXPECTED)
    assert "not scraped yet" in said


def test_a_rule_is_in_order_only_when_it_was_evaluated_without_error():
    assert problem("g", {"name": "r", "health": "ok"}) is None
    assert "g/r fails: many-to-many" in problem("g", {"name": "r", "health": "err", "lastError": "many-to-many"})
    assert "not been evaluated" in problem("g", {"name": "r", "health": "unknown"})


def test_vectors_matrices_and_scalars_look_alike():
    assert normalise({"resultType": "scalar", "result": [1, "2"]}) == [{"labels": {}, "values": [[1, "2"]]}]
    vector = {"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [1, "2"]}]}
    assert normalise(vector) == [{"labels": {"a": "b"}, "values": [[1, "2"]]}]
    matrix = {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "2"], [2, "3"]]}]}
    assert normalise(matrix) == [{"labels": {}, "values": [[1, "2"], [2, "3"]]}]
