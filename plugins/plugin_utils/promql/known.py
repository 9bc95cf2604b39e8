"""Which series exist, under which labels: from the contracts, the scrape definitions and Prometheus itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

import yaml

from ..components import COLLECTION_ROOT
from ..contract import Expectation, load
from ..renames import known_renames
from .vector import BUCKET, COUNTER, GAUGE, UNTYPED, Vector

# Every target carries these: the inventory's host, and where it stands when the inventory says so.
HOST_LABELS = frozenset({"instance", "site"})
TARGET_LABELS = HOST_LABELS | {"job"}
_ALWAYS = frozenset({"job", "instance"})
# Source: https://prometheus.io/docs/concepts/jobs_instances/
_SCRAPE_SERIES = ("up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added")
_KEY = re.compile(r"'([a-zA-Z_]\w*)'\s*:")
_SUFFIX = re.compile(r"_(bucket|sum|count|total)$")


@dataclass(frozen=True)
class Series:
    """All series of one name that one component exposes.

    Attributes:
        values: label -> pattern that each value matches wholly.
        component: empty for what Prometheus or a rule makes.
    """

    name: str
    vector: Vector
    family: str = ""
    component: str = ""
    values: Mapping[str, re.Pattern[str]] = field(default_factory=dict)


@dataclass
class Vocabulary:
    """Everything that a query may name."""

    series: dict[str, list[Series]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    renames: dict[str, str] = field(default_factory=dict)

    def add(self, series: Series) -> None:
        """A second contract of the same component widens what the first one says."""
        versions = self.series.setdefault(series.name, [])
        for index, other in enumerate(versions):
            if other.component == series.component:
                versions[index] = _merged(other, series)
                return
        versions.append(series)

    def find(self, name: str, job: str | None) -> list[Series]:
        """The series of that name, those of one job only where a job is asked for."""
        found = self.series.get(name, [])
        component = self.jobs.get(job or "")
        return [one for one in found if one.component in (component, "")] if component else found

    def instead(self, name: str) -> str:
        """What to write instead of a name that nobody exposes."""
        base = _SUFFIX.sub("", name)
        renamed = self.renames.get(name) or self.renames.get(base)
        if renamed:
            return f"it is called {renamed} now"
        if self.types.get(name) == "histogram":
            return f"it is a histogram; query {name}_bucket, {name}_sum or {name}_count"
        if base in self.types and self.types[base] not in ("histogram", "summary"):
            return f"it is called {base}, a {self.types[base]}"
        if f"{name}_total" in self.series:
            return f"it is called {name}_total"
        near = get_close_matches(name, self.series, n=1, cutoff=0.6)
        return f"did you mean {near[0]}?" if near else "record a contract that has it"


def _merged(one: Series, other: Series) -> Series:
    """Labels and types of two versions: what either may carry, and what both do."""
    vector = replace(
        one.vector,
        kind=one.vector.kind if one.vector.kind == other.vector.kind else UNTYPED,
        may=one.vector.may | other.vector.may,
        sure=one.vector.sure & other.vector.sure,
        present=one.vector.present and other.vector.present,
        never_zero=one.vector.never_zero and other.vector.never_zero,
    )
    values = {label: pattern for label, pattern in one.values.items() if other.values.get(label) == pattern}
    return replace(one, vector=vector, values=values)


def vocabulary(root: Path = COLLECTION_ROOT) -> Vocabulary:
    """What the roles under `root` expose; recorded series are rules.py's to add.

    Raises:
        ContractError: a contract that is none.
    """
    known = Vocabulary(renames=known_renames())
    scrapes = {room.name: _yaml(room / "files/monitoring/scrape.yml") for room in sorted((root / "roles").iterdir())}
    lent = frozenset(label for scrape in scrapes.values() for label in scrape.get("shares", ()))
    for component, scrape in scrapes.items():
        labels = TARGET_LABELS | lent | _label_names(scrape)
        if "job" in scrape:
            known.jobs[scrape["job"]] = component
        for contract in sorted((root / "roles" / component / "files/monitoring/contracts").glob("*.yml")):
            for family in load(contract.read_text(encoding="utf-8"), str(contract)):
                known.types[family.name] = family.type or "untyped"
                for series in exposed(family, component, labels):
                    known.add(series)
        for name, told in scrape.get("series", {}).items():
            own = _label_names(told) if isinstance(told, Mapping) else frozenset()
            known.add(Series(name, Vector(GAUGE, may=HOST_LABELS | own, sure=frozenset({"instance"}) | own)))
    own = frozenset(label for scrape in scrapes.values() for label in _label_names(scrape))
    for name in _SCRAPE_SERIES:
        known.add(Series(name, Vector(GAUGE, may=TARGET_LABELS | lent | own, sure=_ALWAYS, present=True)))
    return known


def exposed(family: Expectation, component: str, target_labels: Iterable[str]) -> list[Series]:
    """The series that Prometheus stores of a family; `target_labels` are those of the component's targets."""

    def one(suffix: str, kind: str, *own: str) -> Series:
        sure = frozenset({*family.labels, *own})
        vector = Vector(
            kind,
            may=sure | frozenset(family.optional_labels) | frozenset(target_labels),
            sure=sure | _ALWAYS,
            components=frozenset({component}),
            families=frozenset({family.name}),
            present=not family.may_be_absent,
            never_zero=family.min > 0 or family.max < 0,
        )
        return Series(family.name + suffix, vector, family.name, component, dict(family.label_values))

    if family.type in ("histogram", "gaugehistogram"):
        return [one("_bucket", BUCKET, "le"), one("_sum", COUNTER), one("_count", COUNTER)]
    if family.type == "summary":
        return [one("", GAUGE, "quantile"), one("_sum", COUNTER), one("_count", COUNTER)]
    return [one("", {"counter": COUNTER, "gauge": GAUGE}.get(family.type or "", UNTYPED))]


def _label_names(scrape: Mapping) -> frozenset[str]:
    """The labels of a scrape definition, which may be a mapping or a template that makes one."""
    labels = scrape.get("labels", {})
    return frozenset(_KEY.findall(labels) if isinstance(labels, str) else labels)


def _yaml(file: Path) -> dict:
    return (yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if file.is_file() else {}
