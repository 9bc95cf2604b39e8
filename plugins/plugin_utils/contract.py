"""Contracts: the metric families that a version of a component exposes, and whether a page keeps them.

    component: vllm
    version: 0.32.0
    families:
      vllm:kv_cache_usage_perc: {type: gauge, labels: [engine, model_name], min: 0, max: 1}
      http_requests_total: {type: counter, labels: [handler, method, status], may_be_absent: true}

Families go by their names in the classic text format: counters with _total, histograms and summaries by their base
name, and without the labels `le` and `quantile`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import yaml

from .exposition.model import Exposition, Family, series_text

TYPES = ("counter", "gauge", "histogram", "gaugehistogram", "summary", "untyped")
_KEYS = {
    "type": str,
    "labels": list,
    "may_be_absent": bool,
    "min": (int, float),
    "max": (int, float),
    "min_series": int,
    "max_series": int,
    "label_values": Mapping,
}


class ContractError(Exception):
    """A contract, or an inline expectation, that cannot be used as it stands."""


@dataclass(frozen=True)
class Expectation:
    """What is expected of one family.

    Attributes:
        labels: names that every series must carry; others are allowed beside them.
        may_be_absent: no series is fine too, such as before the first request.
        min, max: bounds of every sample's value, but for histograms and summaries, which have none.
        label_values: label -> regular expression that each value must match wholly.
    """

    name: str
    type: str | None = None
    labels: tuple[str, ...] = ()
    may_be_absent: bool = False
    min: float = -math.inf
    max: float = math.inf
    min_series: int = 0
    max_series: int | None = None
    label_values: tuple[tuple[str, re.Pattern[str]], ...] = ()


def expectations(families: Any, where: str) -> list[Expectation]:
    """From the mapping `families` of a contract, or from inline expectations of the same form.

    Raises:
        ContractError: names `where`, the family, what is wrong with it and what may be written.
    """
    if not isinstance(families, Mapping):
        raise ContractError(f"{where}: expected a mapping of family names, found {type(families).__name__}")
    return [_expectation(str(name), wanted or {}, where) for name, wanted in families.items()]


def _expectation(name: str, wanted: Any, where: str) -> Expectation:
    where = f"{where}: {name}"
    if not isinstance(wanted, Mapping):
        raise ContractError(f"{where}: expected a mapping such as {{type: gauge}}, found {wanted!r}")
    for key, value in wanted.items():
        if key not in _KEYS:
            near = get_close_matches(str(key), _KEYS, n=1)
            raise ContractError(f"{where}: unknown key {key!r}; " + (f"did you mean {near[0]}?" if near else _known()))
        if not isinstance(value, _KEYS[key]) or (isinstance(value, bool) and key != "may_be_absent"):
            raise ContractError(f"{where}: {key} cannot be {value!r}")
    if wanted.get("type", "gauge") not in TYPES:
        raise ContractError(f"{where}: {wanted['type']!r} is no type; the types are {', '.join(TYPES)}")
    try:
        patterns = tuple((label, re.compile(str(p))) for label, p in wanted.get("label_values", {}).items())
    except re.error as error:
        raise ContractError(f"{where}: label_values: {error.pattern!r} is no regular expression: {error}") from None
    return Expectation(name, **{**wanted, "labels": tuple(wanted.get("labels", ())), "label_values": patterns})


def _known() -> str:
    return f"the keys are {', '.join(_KEYS)}"


def load(text: str, where: str) -> list[Expectation]:
    """The expectations of a contract file.

    Raises:
        ContractError: it is no YAML, or no contract.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ContractError(f"{where}: not YAML: {error}") from None
    if not isinstance(document, Mapping) or "families" not in document:
        raise ContractError(f"{where}: a contract has the keys component, version and families")
    return expectations(document["families"], where)


def check(page: Exposition, wanted: Iterable[Expectation], renames: Mapping[str, str] | None = None) -> list[str]:
    """Everything in which a page differs from what is expected, each with what was expected and what was found."""
    problems: list[str] = []
    for expectation in wanted:
        family = page.families.get(expectation.name)
        if family is None or not family.samples:
            if not expectation.may_be_absent:
                problems.append(_missing(expectation.name, family, page, renames or {}))
            continue
        problems += _differences(expectation, family)
    return problems


def _missing(name: str, family: Family | None, page: Exposition, renames: Mapping[str, str]) -> str:
    if family is not None:
        return f"{name}: expected series, found none (line {family.line} names it alone)"
    known = renames.get(name)
    if known:
        return f"{name}: expected, not found; it is called {known} now"
    near = get_close_matches(name, [n for n, f in page.families.items() if f.samples], n=1, cutoff=0.7)
    return f"{name}: expected, not found" + (f"; the nearest name is {near[0]}" if near else "")


def _differences(wanted: Expectation, family: Family) -> list[str]:
    found: list[str] = []
    name, kind = wanted.name, family.type or "untyped"
    if wanted.type and kind != wanted.type:
        found.append(f"{name}: expected type {wanted.type}, found {kind} (line {family.line})")
    series = family.series()
    if len(series) < wanted.min_series:
        found.append(f"{name}: expected at least {wanted.min_series} series, found {len(series)}")
    if wanted.max_series is not None and len(series) > wanted.max_series:
        found.append(f"{name}: expected at most {wanted.max_series} series, found {len(series)}")
    for pairs, samples in series.items():
        labels, line = dict(pairs), samples[0].line
        missing = [label for label in wanted.labels if label not in labels]
        if missing:
            found.append(f"{series_text(name, pairs)}: expected the label {', '.join(missing)} (line {line})")
            break
        for label, pattern in wanted.label_values:
            if not pattern.fullmatch(labels.get(label, "")):
                value = labels.get(label, "")
                found.append(f"{name}: expected {label} to match {pattern.pattern}, found {value!r} (line {line})")
    if kind in ("counter", "gauge", "untyped"):
        for sample in family.samples:
            if not wanted.min <= sample.value <= wanted.max:
                bounds = f"{wanted.min:g} to {wanted.max:g}"
                text = series_text(name, sample.labels)
                found.append(f"{text}: expected {bounds}, found {sample.value:g} (line {sample.line})")
    return found


def record(page: Exposition, component: str, version: str, former: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A contract that `page` keeps.

    With a `former` contract of the same version the two are merged: what only one of the pages has may be absent, so
    that pages from before and after the first request make one contract.
    """
    seen = {name: _recorded(family) for name, family in page.families.items() if family.samples and _lasting(name)}
    if former and str(former.get("version")) == version:
        earlier = former["families"]
        merged = {}
        for name in {*seen, *earlier}:
            either = dict(earlier.get(name) or seen[name])
            if name in seen and name in earlier:
                either["labels"] = [label for label in earlier[name]["labels"] if label in seen[name]["labels"]]
            else:
                either["may_be_absent"] = True
            merged[name] = either
        seen = merged
    return {"component": component, "version": version, "families": dict(sorted(seen.items()))}


def _lasting(name: str) -> bool:
    """Families of the program itself: go_* change with the Go release that happened to build it, and _created is a time
    stamp that prometheus_client adds to each counter."""
    return not name.endswith("_created") and not name.startswith("go_")


def _recorded(family: Family) -> dict[str, Any]:
    """Labels that every series of the family carries."""
    common = set.intersection(*({label for label, _value in labels} for labels in family.series()))
    # What an _info metric tells stands in its labels, and each release tells something else.
    return {"type": family.type or "untyped", "labels": [] if family.name.endswith("_info") else sorted(common)}


def dump(contract: Mapping[str, Any]) -> str:
    """The text of a contract file: a family per line."""
    head = f"---\ncomponent: {contract['component']}\nversion: \"{contract['version']}\"\nfamilies:\n"
    return head + "".join(f"  {name}: {_flow(wanted)}\n" for name, wanted in contract["families"].items())


def _flow(wanted: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(wanted), default_flow_style=True, sort_keys=False, width=math.inf).strip()
