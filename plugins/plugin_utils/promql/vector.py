"""What an expression yields, as far as it can be told without data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

# Kinds of values. `bucket_rate` is what histogram_quantile takes; `count` is a counter whose buckets were chosen by le.
COUNTER, BUCKET, GAUGE, BUCKET_RATE, UNTYPED, SCALAR, STRING = (
    "counter",
    "bucket",
    "gauge",
    "bucket_rate",
    "untyped",
    "scalar",
    "string",
)
CUMULATIVE = (COUNTER, BUCKET)


@dataclass(frozen=True)
class Vector:
    """An instant or range vector, or a scalar.

    Attributes:
        may: labels that its series can carry.
        sure: labels that each of its series carries.
        any_label: it may carry labels that nobody can foretell.
        components: who exposes it; series of two never share the label job.
        families: metric families that it was computed from.
        aggregated: its counters were summed, so that the reset of one cannot be told any more.
        present: there is always something in it, traffic or not.
        never_zero: no value of it can be 0.
        pole: the divisor that may be 0 while the dividend is not, so that the value may be infinite; the sign says
            which way.
    """

    kind: str
    may: frozenset[str] = frozenset()
    sure: frozenset[str] = frozenset()
    any_label: bool = False
    components: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    aggregated: bool = False
    present: bool = False
    never_zero: bool = False
    pole: str = ""
    sign: int = 1

    @property
    def is_vector(self) -> bool:
        return self.kind not in (SCALAR, STRING)

    def carries(self, label: str) -> bool:
        return self.any_label or label in self.may

    def keep(self, labels: frozenset[str]) -> Vector:
        may = labels if self.any_label else self.may & labels
        return replace(self, may=may, sure=self.sure & labels, any_label=False)

    def drop(self, labels: frozenset[str]) -> Vector:
        return replace(self, may=self.may - labels, sure=self.sure - labels)

    def add(self, labels: frozenset[str]) -> Vector:
        return replace(self, may=self.may | labels)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a query.

    Attributes:
        at: what in the text it is about, to point at; empty for the whole.
    """

    message: str
    at: str = ""

    def placed(self, text: str) -> str:
        """The message behind its place in `text`: line and column from 1."""
        position = text.find(self.at) if self.at else -1
        if position < 0:
            return self.message
        line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
        return f"{f'line {line}, ' if line > 1 else ''}column {column}: {self.message}"


@dataclass
class Judgement:
    """What a query yields, and what is wrong with it."""

    vector: Vector
    findings: list[Finding] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)
