"""Numbers as Go's strconv reads them, which is what Prometheus uses. Python's float() and int() accept more."""

from __future__ import annotations

import re

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch
_INTEGER = re.compile(r"[+-]?[0-9]+").fullmatch
_INFINITE = {sign + word for sign in ("", "+", "-") for word in ("inf", "infinity")}
_INT64 = range(-(2**63), 2**63)


def parse_float(text: str) -> float | None:
    """The value of a sample, a bucket bound or a quantile; None where Prometheus refuses.

    Refused beside nonsense: underscores, hexadecimal, a signed NaN, and numbers too large for a float.
    """
    if _DECIMAL(text):
        value = float(text)
        return None if value in (float("inf"), float("-inf")) else value
    word = text.lower()
    return float(word) if word == "nan" or word in _INFINITE else None


def parse_milliseconds(text: str) -> int | None:
    """A timestamp of the classic text format: a whole number within 64 bits; else None."""
    if not _INTEGER(text):
        return None
    # An absurdly long digit string is refused before int() has to read it.
    value = int(text) if len(text) < 40 else None
    return value if value in _INT64 else None


def spell(value: float) -> str:
    """A number for a message: exact, and without a point where there is nothing behind it."""
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
