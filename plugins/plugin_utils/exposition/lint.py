"""Conventions. A program one does not own may break them, so they are told and never held against it."""

from __future__ import annotations

from collections.abc import Iterator

from .model import Family, Finding, Kind


def lint_family(family: Family) -> Iterator[Finding]:
    if not family.samples:
        return
    if family.type == "counter" and not family.name.endswith("_total"):
        yield Finding(family.line, Kind.LINT, "a counter's name to end in _total", family.name)
    elif family.type in ("gauge", "histogram", "summary") and family.name.endswith("_total"):
        yield Finding(family.line, Kind.LINT, "_total on counters only", f"the {family.type} {family.name}")
    if family.help is None:
        yield Finding(family.line, Kind.LINT, f"a HELP line for {family.name}", "none")
