# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Prometheus' HTTP API, as far as the checks need it.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/, and the answers of 2.53.3 and 3.5.3.
"""

from __future__ import annotations

import json
from typing import Any, Mapping
from urllib.parse import urlencode

from .http import Answer, Connection, send
from .http_errors import HttpError, refuse_status

# Kinds of refusal that the same request will meet again.
_FINAL = ("bad_data", "not_found", "not_acceptable")


class ApiError(Exception):
    """Prometheus answered, and said no: its own words.

    Attributes:
        final: asking again cannot help.
    """

    def __init__(self, kind: str, words: str):
        super().__init__(f"{kind}: {words}")
        self.final = kind in _FINAL


def ask(connection: Connection, url: str, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """The `data` of an answer of /api/v1/<path>.

    Raises:
        HttpError: no answer, or one of something else than Prometheus' API.
        ApiError: an answer with `status: error`, such as a query that cannot be parsed.
    """
    query = "?" + urlencode(parameters) if parameters else ""
    answer = send(connection, f"{url.rstrip('/')}/api/v1/{path}{query}", any_status=True)
    document = _document(answer)
    if document is None:
        if not 200 <= answer.status < 300:
            refuse_status(answer, connection.secrets)
        found = f"{answer.content_type or 'something'} that begins {answer.text[:60]!r}"
        raise HttpError(
            "protocol",
            f"{answer.url.partition('?')[0]}: expected Prometheus' API, found {found}; check host, port and path",
        )
    if document["status"] != "success":
        raise ApiError(document.get("errorType", "error"), document.get("error", "without a reason"))
    return document["data"]


def _document(answer: Answer) -> Mapping[str, Any] | None:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return None
    return document if isinstance(document, dict) and "status" in document else None


def labels_text(metric: Mapping[str, str]) -> str:
    """A series as one would write it: name{label="value"}."""
    pairs = ", ".join(f"{name}={json.dumps(metric[name])}" for name in sorted(metric) if name != "__name__")
    name = metric.get("__name__", "")
    return f"{name}{{{pairs}}}" if pairs or not name else name
