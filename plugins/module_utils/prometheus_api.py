# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Prometheus' HTTP API, as far as the checks need it. Source: https://prometheus.io/docs/prometheus/latest/querying/api/"""

from __future__ import annotations

from typing import Any, Mapping
from urllib.parse import urlencode

from .http import Connection, send
from .http_errors import HttpError


class ApiError(Exception):
    """Prometheus answered, and said no: its own words."""


def ask(connection: Connection, url: str, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """The `data` of an answer of /api/v1/<path>.

    Raises:
        HttpError: no answer.
        ApiError: an answer with `status: error`, such as a query that cannot be parsed.
    """
    query = "?" + urlencode(parameters) if parameters else ""
    answer = send(connection, f"{url.rstrip('/')}/api/v1/{path}{query}", any_status=True)
    document = answer.json()
    if not isinstance(document, Mapping) or "status" not in document:
        raise HttpError("protocol", f"{answer.url}: this is not Prometheus' API; check host, port and path")
    if document["status"] != "success":
        raise ApiError(f"{document.get('errorType', 'error')}: {document.get('error', 'without a reason')}")
    return document["data"]


def labels_text(metric: Mapping[str, str]) -> str:
    """A series as one would write it: name{label="value"}."""
    pairs = ", ".join(f'{name}="{metric[name]}"' for name in sorted(metric) if name != "__name__")
    return f"{metric.get('__name__', '')}{{{pairs}}}"
