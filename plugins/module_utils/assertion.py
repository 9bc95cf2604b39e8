# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What a query's result must satisfy, in one short sentence: `> 0.99`, `== 1 for any`, `absent`, `present`."""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import Sequence

_OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FORM = re.compile(r"(==|!=|<=|>=|<|>)\s*(\S+)(?:\s+for\s+(all|any))?")
_USAGE = "write a comparison such as '> 0.99', '== 1 for all' or '>= 1 for any', or 'absent' or 'present'"


class AssertionSyntaxError(ValueError):
    """The sentence is none of the known forms."""


@dataclass(frozen=True)
class Assertion:
    """A parsed assertion.

    Attributes:
        text: as it was written.
        kind: compare, absent or present.
        symbol, bound, scope: of a comparison; scope is all or any.
    """

    text: str
    kind: str
    symbol: str = ""
    bound: float = 0.0
    scope: str = "all"

    def holds(self, value: float) -> bool:
        """Whether one value satisfies the comparison. NaN never does, not even `!=`."""
        return not math.isnan(value) and _OPERATORS[self.symbol](value, self.bound)

    def problems(self, series: Sequence[tuple[str, Sequence[float]]]) -> list[str]:
        """What is wrong with a result.

        Args:
            series: (how the series is called, its values); an instant query has one value each.
        """
        if self.kind == "absent":
            return [f"expected no series, found {name}" for name, _values in series]
        if not series:
            return [f"expected {self.text}, found no series at all"]
        if self.kind == "present":
            return []
        wrong = [(name, bad) for name, values in series for bad in [self._first_wrong(values)] if bad is not None]
        if self.scope == "any":
            return [] if len(wrong) < len(series) else [f"expected {self.text}, found " + _listed(wrong)]
        return [f"expected {self.text}, found {value:g} for {name}" for name, value in wrong]

    def _first_wrong(self, values: Sequence[float]) -> float | None:
        return next((value for value in values if not self.holds(value)), None)


def _listed(wrong: Sequence[tuple[str, float]], most: int = 5) -> str:
    more = f" and {len(wrong) - most} more" if len(wrong) > most else ""
    return ", ".join(f"{value:g} for {name}" for name, value in wrong[:most]) + more


def parse(text: str) -> Assertion:
    """Parse an assertion.

    Raises:
        AssertionSyntaxError: with the forms that are known.
    """
    plain = text.strip()
    if plain in ("absent", "present"):
        return Assertion(plain, plain)
    match = _FORM.fullmatch(plain)
    if not match:
        raise AssertionSyntaxError(f"{text!r} is no assertion; {_USAGE}")
    try:
        bound = float(match.group(2))
        if math.isnan(bound):
            raise ValueError
    except ValueError:
        raise AssertionSyntaxError(f"{text!r} compares with {match.group(2)!r}, which is no number; {_USAGE}") from None
    return Assertion(plain, "compare", match.group(1), bound, match.group(3) or "all")
