"""What a Content-Type says about the page behind it, and whether Prometheus would take it."""

from __future__ import annotations

from email.message import Message
from typing import NamedTuple

TEXT = "text/plain"
OPENMETRICS = "application/openmetrics-text"
_EXPECTED = f"expected Content-Type {TEXT} or {OPENMETRICS}"
_REFUSED = "; Prometheus 3 refuses it"
_VERSIONS = {TEXT: {"", "0.0.4", "1.0.0"}, OPENMETRICS: {"", "0.0.1", "1.0.0"}}


class Format(NamedTuple):
    """How to read a page.

    Attributes:
        openmetrics: OpenMetrics 1.0 instead of the classic text format.
        utf8_names: names may hold any character.
        problem: why Prometheus 3 would refuse the scrape because of the header alone; empty if it would not.
    """

    openmetrics: bool
    utf8_names: bool
    problem: str = ""


def read(content_type: str | None) -> Format:
    """Never fails: what is unknown is read as the classic text format, with the reason in `problem`."""
    if not content_type or not content_type.strip():
        return Format(False, False, f"{_EXPECTED}, found none{_REFUSED}")
    header = Message()
    header["Content-Type"] = content_type
    media, parameters = header.get_content_type(), dict(header.get_params(failobj=[])[1:])
    if media not in _VERSIONS or "/" not in content_type:
        return Format(False, False, f"{_EXPECTED}, found {content_type}{_REFUSED}")
    known, version = _VERSIONS[media], parameters.get("version", "")
    wanted = " or ".join(sorted(known - {""}))
    problem = "" if version in known else f"expected version {wanted} of {media}, found {version}{_REFUSED}"
    return Format(media == OPENMETRICS, parameters.get("escaping") == "allow-utf-8", problem)
