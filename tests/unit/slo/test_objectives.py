"""Objectives as the inventory writes them."""

import re
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.slo.objectives import Objective, parse, problems

RECORDED = Path(__file__).parents[2] / "recordings/vllm-0.32.0-cpu/metrics-before-any-request.txt"
ALL = {"availability": 99.9, "ttft": {"seconds": 1, "percent": 95}, "latency": {"seconds": 10, "percent": 99}}


def test_objectives_become_ratios_and_bounds():
    assert parse("m", {**ALL, "window": "7d"}) == [
        Objective("m", "availability", 0.999, "7d"),
        Objective("m", "latency", 0.99, "7d", 10.0),
        Objective("m", "ttft", 0.95, "7d", 1.0),
    ]


def test_what_is_not_said_is_not_promised_and_the_window_has_a_default():
    assert parse("m", {"availability": 99, "ttft": None, "window": None}) == [
        Objective("m", "availability", 0.99, "30d")
    ]
    assert parse("m", {}) == []


def test_good_ones_have_no_problem(served):
    assert list(problems(ALL, served["indicators"])) == []
    assert list(problems({}, served["indicators"])) == []
    assert list(problems({"latency": {"seconds": 0.3, "percent": 50}, "window": "90d"}, served["indicators"])) == []


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"ttft": {"seconds": 0.9, "percent": 95}}, "ttft: 0.9 s is no bound .* write 0.75 or 1\\."),
        ({"ttft": {"seconds": 9999, "percent": 95}}, "write 2560\\."),
        ({"latency": {"seconds": 0.1, "percent": 95}}, "write 0.3\\."),
        ({"latency": {"seconds": "10", "percent": 95}}, "'10' is no number of seconds"),
        ({"latency": 10}, "write seconds and percent"),
        ({"latency": {"seconds": 10}}, "write seconds and percent"),
        ({"availability": {"percent": 99}}, "percent alone"),
        ({"availability": 100}, "leaves no room for a single error"),
        ({"availability": 0.999}, "is it the share of good requests"),
        ({"availability": 0}, "0 is no percentage"),
        ({"availability": 101}, "101 is no percentage"),
        ({"availability": True}, "True is no percentage"),
        ({"throughput": 99}, "throughput is not measured; there are availability, ttft, latency"),
        ({"availability": 99, "window": "a month"}, "write it like 30d"),
        ({"availability": 99, "window": "1h"}, "too short"),
        ({"availability": 99, "window": "2y"}, "too long"),
        ({"window": "30d"}, "a window alone promises nothing"),
    ],
)
def test_each_problem_is_named_with_its_remedy(served, said, problem):
    (found,) = problems(said, served["indicators"])
    assert re.search(problem, found), found


@pytest.mark.parametrize("slo", ["ttft", "latency"])
def test_the_bounds_are_those_of_the_real_server(served, slo):
    indicator = served["indicators"][slo]
    page = RECORDED.read_text(encoding="utf-8")
    bounds = re.findall(rf'^{indicator["histogram"]}_bucket{{.*le="([\d.]+)"', page, re.MULTILINE)
    assert [float(bound) for bound in bounds] == [float(bound) for bound in indicator["bounds"]]
    # The label is compared as text, and repr() of a float is how the server writes it.
    assert bounds == [repr(float(bound)) for bound in indicator["bounds"]]
