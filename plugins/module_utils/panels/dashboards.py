# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What a Grafana dashboard asks for: its panels with their queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator, List, Mapping

# Panels that ask nothing, and those that show one value rather than a course.
_SILENT = ("row", "text", "dashlist", "news", "welcome", "alertlist", "annolist")
_PROMETHEUS = ("prometheus", "", None)


@dataclass(frozen=True)
class Query:
    """One query of a panel, its variables not filled in yet."""

    ref: str
    expr: str
    instant: bool
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """A panel that asks Prometheus.

    Attributes:
        may_be_empty: why it may be without data on a healthy fleet; empty where it may not.
        needs: the jobs without which it has no data.
    """

    title: str
    kind: str
    queries: List[Query] = field(default_factory=list)
    may_be_empty: str = ""
    needs: List[str] = field(default_factory=list)


def panels_of(dashboard: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All panels as they are written, those in collapsed rows too."""
    for panel in dashboard.get("panels") or ():
        yield panel
        for inner in panel.get("panels") or ():
            yield inner


def asking(dashboard: Mapping[str, Any]) -> List[Panel]:
    """The panels that ask Prometheus, with their queries; hidden queries are left out."""
    found = []
    for panel in panels_of(dashboard):
        if panel.get("type") in _SILENT or not _of_prometheus(panel.get("datasource")):
            continue
        queries = [
            Query(str(one.get("refId", "")), one["expr"], _instant(one), str(one.get("legendFormat") or ""))
            for one in panel.get("targets") or ()
            if one.get("expr") and not one.get("hide") and _of_prometheus(one.get("datasource"))
        ]
        if queries:
            mark = panel.get("gpufleet") or {}
            why = str(mark.get("why") or "may be empty") if mark.get("may_be_empty") else ""
            title, jobs = str(panel.get("title") or panel.get("id")), [str(job) for job in mark.get("needs") or ()]
            found.append(Panel(title, str(panel.get("type")), queries, why, jobs))
    return found


def _instant(target: Mapping[str, Any]) -> bool:
    return bool(target.get("instant")) and not target.get("range")


def _of_prometheus(datasource: Any) -> bool:
    """Whether a data source may be Prometheus: by its type where it is told, else by its being no built-in one."""
    if isinstance(datasource, Mapping):
        return datasource.get("type") in _PROMETHEUS
    return not str(datasource or "").startswith("-- ")
