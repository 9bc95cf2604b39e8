# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""One call to a Grafana, whose refusals are told in its own words."""

from __future__ import annotations

import json
from typing import Any, Mapping, Sequence
from urllib.parse import urlencode

from ..http import Answer, Connection, send
from ..http_errors import first_words, refuse_status
from .errors import RefusedError

_ADVICE = {
    401: "check `url_username` and `url_password`, or `token`",
    403: "the account may not do this; give it the role Editor, or Admin for datasources",
}


class Caller:
    """Calls one server.

    Args:
        url: where it is published, its sub-path included.
        org_id: the organisation, where it is not the account's own.
    """

    def __init__(self, connection: Connection, url: str, org_id: int | None = None):
        self._connection = connection
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/json"}
        if org_id is not None:
            self._headers["X-Grafana-Org-Id"] = str(org_id)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        missing: Sequence[int] = (),
    ) -> Any:
        """The answer's JSON, or None for a status in `missing`.

        Raises:
            RefusedError: any other status than 2xx.
            HttpError: no complete answer, or one that is not JSON.
        """
        url = f"{self._url}{path}" + (f"?{urlencode(query)}" if query else "")
        answer = send(self._connection, url, method=method, body=body, headers=self._headers, any_status=True)
        if answer.status in missing:
            return None
        if 300 <= answer.status < 400:
            refuse_status(answer, self._connection.secrets)
        if not 200 <= answer.status < 300:
            raise self._refused(method, path, answer)
        return answer.json() if answer.body else None

    def _refused(self, method: str, path: str, answer: Answer) -> RefusedError:
        said = self.said(answer)
        advice = _ADVICE.get(answer.status)
        return RefusedError(
            f"{method} {self._url}{path}: Grafana answers {answer.status}, saying {said!r}"
            + (f"; {advice}" if advice else ""),
            answer.status,
            said,
        )

    def said(self, answer: Answer) -> str:
        """What the server says in a refusal: `message`, as later or older ones write it, or its first words."""
        try:
            document = json.loads(answer.body)
        except ValueError:
            document = None
        entries = document if isinstance(document, list) else [document]
        words = []
        for entry in entries:
            if isinstance(entry, dict) and entry.get("message"):
                names = ", ".join(entry.get("fieldNames") or ())
                words.append(f"{names}: {entry['message']}" if names else str(entry["message"]))
        return first_words("; ".join(words) or answer.text, self._connection.secrets, limit=400)
