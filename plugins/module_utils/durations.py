# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Durations as Prometheus writes them: 90, 5m, 1h30m."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_FORM = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+)(ms|[smhdwy])")


class DurationError(ValueError):
    """Not a duration, with the forms that are known."""


def seconds(text: str) -> float:
    """Seconds in a duration; a bare number is seconds.

    Raises:
        DurationError: neither form, or nothing at all.
    """
    plain = str(text).strip()
    try:
        value = float(plain)
    except ValueError:
        if not _FORM.fullmatch(plain):
            raise DurationError(f"{text!r} is no duration; write seconds, or such as 30s, 5m or 1h30m") from None
        value = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(plain))
    if not 0 < value < float("inf"):
        raise DurationError(f"{text!r} is no duration that passes")
    return value
