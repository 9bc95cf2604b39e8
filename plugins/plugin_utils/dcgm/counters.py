"""The CSV that tells dcgm-exporter which fields of DCGM it exports: field, Prometheus type, help.

The exporter ends at its start, and at each change of the file, when a field is unknown to it, a type is none, or a line
has other than three columns; so all of that is judged here, before it lands.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from .releases import ROLE, known_fields

PROFILING = "DCGM_FI_PROF_"
TYPES = ("gauge", "counter", "label")
# What every card has, so that the contract asks for it and alerts count on it.
ESSENTIAL = frozenset(
    {
        "DCGM_FI_DRIVER_VERSION",
        "DCGM_FI_DEV_SM_CLOCK",
        "DCGM_FI_DEV_MEM_CLOCK",
        "DCGM_FI_DEV_GPU_TEMP",
        "DCGM_FI_DEV_POWER_USAGE",
        "DCGM_FI_DEV_FB_FREE",
        "DCGM_FI_DEV_FB_USED",
        "DCGM_FI_DEV_FB_RESERVED",
        "DCGM_FI_DEV_FB_TOTAL",
        "DCGM_EXP_XID_ERRORS_COUNT",
    }
)


class CounterError(Exception):
    """A field that this exporter would not start with; the text says which and what to write."""


@dataclass(frozen=True)
class Counter:
    """One line of the CSV."""

    field: str
    type: str
    help: str


def standard_counters() -> list[Counter]:
    """Upstream's default set and what the alerts need."""
    text = (ROLE / "files" / "counters.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [Counter(*(part.strip() for part in record)) for record in csv.reader(lines)]


def wanted_counters(extra: Iterable[Mapping[str, Any]], exclude: Iterable[str], profiling: bool) -> list[Counter]:
    """The standard set without `exclude`, and `extra`; an extra one replaces the standard one of its name.

    Args:
        extra: mappings of field, type and help.
        profiling: whether DCGM_FI_PROF_* fields may stay.
    """
    found = {counter.field: counter for counter in standard_counters()}
    for name in exclude:
        found.pop(name, None)
    for one in extra:
        found[one["field"]] = Counter(one["field"], one.get("type") or "gauge", one.get("help") or one["field"])
    return [counter for counter in found.values() if profiling or not counter.field.startswith(PROFILING)]


def problems(counters: Sequence[Counter], version: str) -> list[str]:
    """One sentence for each line that this version of the exporter would refuse or mix up.

    Raises:
        ReleaseError: nothing is known of the version.
    """
    known = known_fields(version)
    found, numbers = [], {}
    for counter in counters:
        if counter.field not in known:
            near = get_close_matches(counter.field, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else "roles/dcgm_exporter/files/fields lists those it knows."
            found.append(f"{counter.field}: dcgm-exporter {version} knows no such field; {remedy}")
            continue
        if counter.type not in TYPES:
            found.append(f"{counter.field}: {counter.type!r} is no type; write {', '.join(TYPES)}.")
        if not counter.help.isprintable():
            found.append(f"{counter.field}: its help has a line break or a control character in it.")
        twin = numbers.setdefault(known[counter.field], counter.field)
        if twin != counter.field:
            found.append(
                f"{counter.field} and {twin} are two names of one field, of which only one is exported; keep one."
            )
    return found


def csv_text(counters: Sequence[Counter], version: str) -> str:
    """The content of the CSV.

    Raises:
        CounterError: the exporter would not start with it.
        ReleaseError: nothing is known of the version.
    """
    said = problems(counters, version)
    if said:
        raise CounterError("\n".join(said))
    return "".join(f"{counter.field}, {counter.type}, {_quoted(counter.help)}\n" for counter in counters)


def _quoted(text: str) -> str:
    """A comma or a quote would end the column. Behind a blank, where Go's reader sees no quote, neither may stand."""
    return text.replace(",", ";").replace('"', "'")
