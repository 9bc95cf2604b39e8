"""The lab's Grafana answers all recorded calls as the real 7.5.5 did."""

from __future__ import annotations

import re

import pytest
from recording import EXCHANGES
from standin import StandIn

# What differs from run to run.
_MOMENT = re.compile(r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """All exchanges, in the order of the recording: later ones build on earlier ones."""
    running = StandIn(tmp_path_factory.mktemp("grafana"), "7.5.5")
    found = {}
    for name, exchange in EXCHANGES.items():
        asked = exchange["request"]
        found[name] = running.ask(asked["method"], asked["path"], asked["body"], asked["auth"])
    running.close()
    return found


def timeless(value):
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items()}
    if isinstance(value, list):
        return [timeless(item) for item in value]
    return "MOMENT" if isinstance(value, str) and _MOMENT.match(value) else value


@pytest.mark.parametrize("name", list(EXCHANGES))
def test_exchange(answers, name):
    recorded = EXCHANGES[name]["response"]
    status, content_type, body = answers[name]
    assert status == recorded["status"]
    assert timeless(body) == timeless(recorded["body"])
    assert content_type.partition(";")[0] == recorded["content_type"].partition(";")[0]
