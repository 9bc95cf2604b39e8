"""What a page of metrics consists of, and what can be said against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

Labels = tuple[tuple[str, str], ...]

# Labels that belong to the type, not to the series: they tell buckets and quantiles apart.
TYPE_LABEL = {"histogram": "le", "gaugehistogram": "le", "summary": "quantile"}


class Kind(Enum):
    """How bad a finding is, and who says so."""

    SYNTAX = "syntax"  # the page cannot be parsed; `promtool check metrics` exits 1
    SCRAPE = "scrape"  # promtool lets it pass, but Prometheus refuses the scrape or reads something else
    CONSISTENCY = "consistency"  # it can be parsed, but what it says contradicts itself
    LINT = "lint"  # against convention only; no verdict on a program one does not own


class Finding(NamedTuple):
    """One thing that is wrong: on which line (from 1), what was expected there and what was found."""

    line: int
    kind: Kind
    expected: str
    found: str

    @property
    def severity(self) -> str:
        """error or lint."""
        return "lint" if self.kind is Kind.LINT else "error"

    def __str__(self) -> str:
        return f"line {self.line}: expected {self.expected}, found {self.found}"


class Sample(NamedTuple):
    """One series' value. `labels` are sorted by name."""

    name: str
    labels: Labels
    value: float
    line: int


@dataclass(slots=True)
class Family:
    """A metric family under its name in the classic text format, whatever the page was written in.

    Attributes:
        name: counters end in _total where the program says so; histograms and summaries have their base name.
        type: counter, gauge, histogram, gaugehistogram, summary or untyped; None while nothing is known.
        line: where it is mentioned first.
    """

    name: str
    line: int
    type: str | None = None
    help: str | None = None
    unit: str | None = None
    samples: list[Sample] = field(default_factory=list)

    def series(self) -> dict[Labels, list[Sample]]:
        """The samples by their labels without `le` and `quantile`: one entry for each series in the reader's sense."""
        own = TYPE_LABEL.get(self.type or "")
        found: dict[Labels, list[Sample]] = {}
        for sample in self.samples:
            labels = tuple(pair for pair in sample.labels if pair[0] != own) if own else sample.labels
            found.setdefault(labels, []).append(sample)
        return found


@dataclass(frozen=True)
class Exposition:
    """A page after it was judged: its families by name, and every finding by line."""

    families: dict[str, Family]
    findings: list[Finding]

    @property
    def malformed(self) -> bool:
        """Whether it cannot be parsed; in the text format, whether `promtool check metrics` exits 1."""
        return any(finding.kind is Kind.SYNTAX for finding in self.findings)

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.kind is not Kind.LINT]

    @property
    def lint(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.kind is Kind.LINT]

    @property
    def samples(self) -> int:
        """How many sample lines the page has, which is what Prometheus stores as series."""
        return sum(len(family.samples) for family in self.families.values())


def series_text(name: str, labels: Iterable[tuple[str, str]]) -> str:
    """A series as one writes it: name{label="value"}."""
    inside = ",".join(f'{label}="{_escape(value)}"' for label, value in labels)
    return f"{name}{{{inside}}}" if inside else name


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
