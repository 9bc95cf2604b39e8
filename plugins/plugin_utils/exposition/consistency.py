"""What a well-formed page can still get wrong: histograms that contradict themselves, series that stand twice."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .cursor import shown
from .model import TYPE_LABEL, Family, Finding, Kind, Labels, Sample, series_text
from .numbers import parse_float, spell

_INF = float("inf")


def check_family(family: Family) -> Iterator[Finding]:
    """Everything about one family that its single lines do not show."""
    yield from _duplicates(family)
    if family.type in ("histogram", "gaugehistogram"):
        for labels, samples in family.series().items():
            yield from _Histogram(family, labels, samples).check()
    elif family.type == "summary":
        for labels, samples in family.series().items():
            yield from _summary(family, labels, samples)
    elif family.type == "counter":
        yield from _counter(family)


def _duplicates(family: Family) -> Iterator[Finding]:
    if len({(sample.name, sample.labels) for sample in family.samples}) == len(family.samples):
        return
    lines: dict[tuple[str, Labels], int] = {}
    for sample in family.samples:
        first = lines.setdefault((sample.name, sample.labels), sample.line)
        if first != sample.line:
            series = series_text(sample.name, sample.labels)
            yield _contradiction(sample, "every series once", f"{series} again, which stands in line {first} already")


def _counter(family: Family) -> Iterator[Finding]:
    for sample in family.samples:
        if not sample.value >= 0:
            yield _contradiction(sample, f"{family.name} to be 0 or more, as a counter is", spell(sample.value))


class _Names:
    """How the parts of a histogram are called: a gauge histogram of OpenMetrics has _gcount and _gsum."""

    def __init__(self, base: str, samples: list[Sample]):
        gauge = any(sample.name == base + "_gcount" for sample in samples)
        self.bucket = base + "_bucket"
        self.count = base + ("_gcount" if gauge else "_count")
        self.sum = base + ("_gsum" if gauge else "_sum")


class _Histogram:
    """One histogram series: its buckets, its _count and its _sum."""

    def __init__(self, family: Family, labels: Labels, samples: list[Sample]):
        self.title = series_text(family.name, labels)
        self.gauge = family.type == "gaugehistogram"
        self.samples = samples
        self.names = _Names(family.name, samples)
        by_name = {sample.name: sample for sample in samples}
        self.count = by_name.get(self.names.count)
        self.sum = by_name.get(self.names.sum)
        self.buckets: list[tuple[float, Sample]] = []

    def check(self) -> Iterator[Finding]:
        yield from self._sort_out()
        if self.buckets:
            yield from self._bucket_order()
            yield from self._totals()
        elif self.count or self.sum:
            yield _contradiction(self.samples[-1], f'a bucket le="+Inf" of {self.title}', "no bucket at all")

    def _sort_out(self) -> Iterator[Finding]:
        """Fill `buckets` with those of a usable bound, in ascending order."""
        for sample in self.samples:
            bound = dict(sample.labels).get("le")
            value = parse_float(bound) if bound is not None else None
            if bound is not None and value is None:
                yield Finding(sample.line, Kind.SYNTAX, "a number as le", shown(bound))
            elif sample.name == self.names.count and sample.value < 0:
                yield Finding(sample.line, Kind.SYNTAX, f"{sample.name} to be 0 or more", spell(sample.value))
            elif sample.name in (self.names.count, self.names.sum):
                if bound is not None:
                    yield _contradiction(sample, f"the label le on {self.names.bucket} only", f"it on {sample.name}")
            elif value is None or math.isnan(value):
                yield _contradiction(sample, f"{self.names.bucket} with a bound as le", series_text(*sample[:2]))
            elif sample.value < 0:
                yield Finding(sample.line, Kind.SYNTAX, "a bucket of 0 or more", spell(sample.value))
            elif sample.name != self.names.bucket:
                yield _contradiction(sample, f"the label le on {self.names.bucket} only", f"it on {sample.name}")
            else:
                self.buckets.append((value, sample))
        self.buckets.sort(key=lambda bucket: bucket[0])

    def _bucket_order(self) -> Iterator[Finding]:
        for (lower, below), (upper, sample) in zip(self.buckets, self.buckets[1:], strict=False):
            if lower == upper:
                if below.labels != sample.labels:
                    found = f"le={shown(dict(sample.labels)['le'])}, which line {below.line} has already"
                    yield _contradiction(sample, f"every bucket of {self.title} once", found)
            elif not sample.value >= below.value:
                expected = f"a bucket of {self.title} that is no smaller than le={spell(lower)} ({spell(below.value)})"
                yield _contradiction(sample, expected, spell(sample.value))
            elif sample.line < below.line:
                yield Finding(
                    sample.line, Kind.LINT, "buckets in the order of le", f"le={spell(lower)} behind {spell(upper)}"
                )

    def _totals(self) -> Iterator[Finding]:
        top, last = self.buckets[-1]
        if top != _INF:
            yield _contradiction(last, f'a bucket le="+Inf" of {self.title}', f"le={spell(top)} as the last one")
        elif self.count and self.count.value != last.value:
            expected = f'{self.count.name} to equal the bucket le="+Inf" in line {last.line} ({spell(last.value)})'
            yield _contradiction(self.count, expected, spell(self.count.value))
        if self.count is None and not (self.gauge and self.sum is None):
            yield _contradiction(last, f"{self.names.count} with the buckets of {self.title}", "none")
        # A histogram of negative values has no meaningful sum, so OpenMetrics lets it go without.
        if self.sum is None and not self.gauge and not self.buckets[0][0] < 0:
            yield _contradiction(last, f"{self.names.sum} with the buckets of {self.title}", "none")


def _summary(family: Family, labels: Labels, samples: list[Sample]) -> Iterator[Finding]:
    title = series_text(family.name, labels)
    for sample in samples:
        quantile = dict(sample.labels).get(TYPE_LABEL["summary"])
        if quantile is None:
            if sample.name == family.name:
                yield _contradiction(sample, f"a label quantile on {family.name}, which is a summary", "none")
            elif not sample.value >= 0 and sample.name == family.name + "_count":
                yield _contradiction(sample, f"{sample.name} to be 0 or more", spell(sample.value))
            continue
        value = parse_float(quantile)
        if value is None:
            yield Finding(sample.line, Kind.SYNTAX, "a number as quantile", shown(quantile))
        elif not 0 <= value <= 1:
            yield _contradiction(sample, f"a quantile of {title} between 0 and 1", shown(quantile))
    names = {sample.name for sample in samples}
    for suffix in ("_count", "_sum"):
        if family.name + suffix not in names:
            yield _contradiction(samples[-1], f"{family.name}{suffix} in the summary {title}", "none")


def _contradiction(sample: Sample, expected: str, found: str) -> Finding:
    return Finding(sample.line, Kind.CONSISTENCY, expected, found)
