"""Contracts: the metric families that a version of a component exposes, and whether a page keeps them.

    component: vllm
    version: 0.32.0
    families:
      vllm:kv_cache_usage_perc: {type: gauge, labels: [engine, model_name], min: 0, max: 1}
      http_requests_total: {type: counter, labels: [handler, method, status], may_be_absent: true}

Families go by their names in the classic text format: counters with _total, histograms and summaries by their base
name, and without the labels `le` and `quantile`. How a contract is recorded: contract_record.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import yaml

from .exposition.model import TYPE_LABEL, Exposition, Family, Labels, Sample, series_text
from .exposition.numbers import spell

TYPES = ("counter", "gauge", "histogram", "gaugehistogram", "summary", "untyped")
_HEAD = ("component", "version", "families")
_NUMBER = (int, float)
_KEYS: dict[str, Any] = {
    "type": str,
    "labels": list,
    "optional_labels": list,
    "may_be_absent": bool,
    "min": _NUMBER,
    "max": _NUMBER,
    "unsupported": _NUMBER,
    "series": int,
    "min_series": int,
    "max_series": int,
    "label_values": Mapping,
}
_SUFFIX = re.compile(r"_(bucket|count|sum|total)$")
# A family that is wrong is mostly wrong in every series; a few show what is the matter.
_MOST_SERIES = 3


class ContractError(Exception):
    """A contract, or an inline expectation, that cannot be used as it stands."""


@dataclass(frozen=True)
class Expectation:
    """What is expected of one family.

    Attributes:
        labels: names that every series must carry; others are allowed beside them.
        optional_labels: names that only some series carry, for those who judge queries.
        may_be_absent: no series is fine too, such as before the first request.
        min, max: bounds of every sample's value; histograms and summaries have none.
        unsupported: from here on a value says "this hardware does not have it", which the bounds do not judge.
        series, min_series, max_series: how many series, not counting buckets and quantiles.
        label_values: label -> regular expression that each value must match wholly.
    """

    name: str
    type: str | None = None
    labels: tuple[str, ...] = ()
    optional_labels: tuple[str, ...] = ()
    may_be_absent: bool = False
    min: float = -math.inf
    max: float = math.inf
    unsupported: float = math.inf
    series: int | None = None
    min_series: int = 0
    max_series: int | None = None
    label_values: tuple[tuple[str, re.Pattern[str]], ...] = ()


def expectations(families: Any, where: str) -> list[Expectation]:
    """From the mapping `families` of a contract, or from inline expectations: the same mapping, or a list of names.

    Raises:
        ContractError: names `where`, the family, what is wrong with it and what may be written.
    """
    if isinstance(families, list):
        families = dict.fromkeys(families)
    if not isinstance(families, Mapping):
        raise ContractError(f"{where}: expected family names with what they must be, found {families!r}")
    return [_expectation(str(name), {} if wanted is None else wanted, where) for name, wanted in families.items()]


def _expectation(name: str, wanted: Any, where: str) -> Expectation:
    where = f"{where}: {name}"
    if not isinstance(wanted, Mapping):
        raise ContractError(f"{where}: expected a mapping such as {{type: gauge}}, found {wanted!r}")
    for key, value in wanted.items():
        _require_known(key, _KEYS, where)
        if not isinstance(value, _KEYS[key]) or (isinstance(value, bool) and key != "may_be_absent"):
            raise ContractError(f"{where}: {key} cannot be {value!r}")
    kind = wanted.get("type")
    if kind not in (None, *TYPES):
        raise ContractError(f"{where}: {kind!r} is no type; the types are {', '.join(TYPES)}")
    labels, optional = ([str(label) for label in wanted.get(key, ())] for key in ("labels", "optional_labels"))
    if kind in TYPE_LABEL:
        if TYPE_LABEL[kind] in labels:
            raise ContractError(f"{where}: {TYPE_LABEL[kind]} belongs to every {kind}; leave it out of labels")
        if {"min", "max", "unsupported"} & set(wanted):
            raise ContractError(f"{where}: a {kind} has no min and max; query its quantiles instead")
    patterns = tuple(_pattern(label, text, where) for label, text in wanted.get("label_values", {}).items())
    given = {**wanted, "labels": tuple(labels), "optional_labels": tuple(optional), "label_values": patterns}
    return Expectation(name, **given)


def _pattern(label: str, text: Any, where: str) -> tuple[str, re.Pattern[str]]:
    try:
        return label, re.compile(str(text))
    except re.error as error:
        raise ContractError(f"{where}: label_values: {text!r} is no regular expression: {error}") from None


def _require_known(key: Any, known: Iterable[str], where: str) -> None:
    if key not in known:
        near = get_close_matches(str(key), known, n=1)
        raise ContractError(
            f"{where}: unknown key {key!r}; "
            + (f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}")
        )


def load(text: str, where: str) -> list[Expectation]:
    """The expectations of a contract file.

    Raises:
        ContractError: it is no YAML, or no contract.
    """
    return expectations(read(text, where)["families"], where)


def read(text: str, where: str) -> dict[str, Any]:
    """A contract file as it is written, for those who read or merge it.

    Raises:
        ContractError: it is no YAML, or its head is not a contract's.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ContractError(f"{where}: not YAML: {error}") from None
    if not isinstance(document, Mapping) or any(key not in document for key in _HEAD):
        raise ContractError(f"{where}: a contract has the keys {', '.join(_HEAD)}")
    for key in document:
        _require_known(key, _HEAD, where)
    if not isinstance(document["families"], Mapping):
        raise ContractError(f"{where}: families: expected a mapping of names, found {document['families']!r}")
    return {**document, "version": str(document["version"])}


def check(page: Exposition, wanted: Iterable[Expectation], renames: Mapping[str, str] | None = None) -> list[str]:
    """Everything in which a page differs from what is expected, each with what was expected and what was found.

    Args:
        renames: what a family used to be called -> what it is called now.
    """
    problems: list[str] = []
    for expectation in wanted:
        family = page.families.get(expectation.name)
        if family is None or not family.samples:
            if not expectation.may_be_absent:
                problems.append(_missing(expectation, family, page, renames or {}))
            continue
        problems += _differences(expectation, family)
    return list(dict.fromkeys(problems))


def _missing(wanted: Expectation, family: Family | None, page: Exposition, renames: Mapping[str, str]) -> str:
    expected = f"{wanted.name}: expected a {wanted.type or 'family'} of that name"
    if family is not None:
        return f"{expected}, found no series of it; line {family.line} only announces it"
    base = _SUFFIX.sub("", wanted.name)
    known = renames.get(wanted.name) or renames.get(base)
    if known:
        return f"{expected}, found none; it is called {known} now"
    present = [name for name, other in page.families.items() if other.samples]
    near = [base] if base in present else get_close_matches(wanted.name, present, n=1, cutoff=0.7)
    return f"{expected}, found none" + (f"; did you mean {near[0]}?" if near else "")


def _differences(wanted: Expectation, family: Family) -> Iterator[str]:
    name, kind = wanted.name, family.type or "untyped"
    if wanted.type and kind != wanted.type:
        yield f"{name}: expected a {wanted.type}, found a {kind} (line {family.line})"
    series = family.series()
    yield from _count(wanted, len(series))
    yield from _labels(wanted, series)
    for label, pattern in wanted.label_values:
        wrong = [
            f"{value!r} (line {samples[0].line})"
            for labels, samples in series.items()
            if not pattern.fullmatch(value := dict(labels).get(label, ""))
        ]
        if wrong:
            yield f"{name}: expected {label} to match {pattern.pattern}, found {_some(wrong)}"
    if kind not in TYPE_LABEL:
        wrong = [
            f"{spell(sample.value)} for {series_text(name, sample.labels)} (line {sample.line})"
            for sample in family.samples
            if not wanted.min <= sample.value <= wanted.max and not sample.value >= wanted.unsupported
        ]
        if wrong:
            yield f"{name}: expected {_bounds(wanted)}, found {_some(wrong)}"


def _count(wanted: Expectation, found: int) -> Iterator[str]:
    if wanted.series is not None and found != wanted.series:
        yield f"{wanted.name}: expected {wanted.series} series, found {found}"
    if found < wanted.min_series:
        yield f"{wanted.name}: expected at least {wanted.min_series} series, found {found}"
    if wanted.max_series is not None and found > wanted.max_series:
        yield f"{wanted.name}: expected at most {wanted.max_series} series, found {found}"


def _labels(wanted: Expectation, series: Mapping[Labels, list[Sample]]) -> Iterator[str]:
    """One problem for each set of labels that lacks something, however many series have it."""
    lines: dict[tuple[str, ...], list[int]] = {}
    for labels, samples in series.items():
        names = tuple(name for name, _value in labels)
        if not set(wanted.labels) <= set(names):
            lines.setdefault(names, []).append(samples[0].line)
    for names, where in lines.items():
        found = ", ".join(names) or "no label"
        yield f"{wanted.name}: expected the labels {', '.join(wanted.labels)}, found {found} (line {where[0]})"


def _bounds(wanted: Expectation) -> str:
    if wanted.min == -math.inf:
        return f"{spell(wanted.max)} or less"
    if wanted.max == math.inf:
        return f"{spell(wanted.min)} or more"
    return f"{spell(wanted.min)} to {spell(wanted.max)}"


def _some(wrong: list[str]) -> str:
    more = f" and {len(wrong) - _MOST_SERIES} more" if len(wrong) > _MOST_SERIES else ""
    return ", ".join(wrong[:_MOST_SERIES]) + more
