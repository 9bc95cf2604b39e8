"""Asking Prometheus on the machine it runs on."""

import json
from urllib.parse import quote

import pytest


@pytest.fixture
def api(fetch):
    """`api(path) -> data` of Prometheus' HTTP API."""
    return lambda path: json.loads(fetch(f"http://127.0.0.1:9090/api/v1/{path}"))["data"]


@pytest.fixture
def query(api):
    """`query(expression) -> list of samples`."""
    return lambda expression: api(f"query?query={quote(expression)}")["result"]
