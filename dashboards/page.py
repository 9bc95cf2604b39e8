"""A topic: its variables, its links to the others and its sections, laid out on Grafana's grid of 24 columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from plugins.module_utils.panels.dashboards import panels_of
from plugins.module_utils.panels.variables import BUILT_IN
from plugins.plugin_utils.promql.known import vocabulary
from plugins.plugin_utils.promql.needs import needs

from .dialect import translate
from .panels import DATASOURCE, Panel

COLUMNS = 24
TAG = "gpufleet"
_KNOWN = vocabulary()


@dataclass(frozen=True)
class Section:
    """A row of panels under a title; the first one of a page needs none."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True)
class Variable:
    """A choice above the page: the values of a label, several of them or all."""

    name: str
    label: str
    query: str


def choices(job: str = "", *, model_of: str = 'up{job="vllm", site=~"$site"}') -> tuple[Variable, ...]:
    """Site, box and model, each narrowed by the one before; `job` limits the boxes to those that have it."""
    selector = f'job="{job}", ' if job else ""
    return (
        Variable("site", "Site", "label_values(up, site)"),
        Variable("instance", "Box", f'label_values(up{{{selector}site=~"$site"}}, instance)'),
        Variable("model", "Model", f"label_values({model_of}, model_name)"),
    )


@dataclass(frozen=True)
class Page:
    """A dashboard."""

    topic: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]
    since: str = "now-1h"
    refresh: str = "30s"

    @property
    def uid(self) -> str:
        return f"gpufleet-{self.topic}"

    def text(self) -> str:
        """The JSON as it is committed: sorted, indented, the same at each build."""
        return json.dumps(self.document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    def document(self) -> dict[str, Any]:
        builder = (
            dashboard.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .refresh(self.refresh)
            .time(self.since, "now")
            .timezone("browser")
            .editable()
            .link(_links())
        )
        builder = builder.with_variable(dashboard.DatasourceVariable("datasource").label("Data").type("prometheus"))
        for variable in self.variables:
            builder = builder.with_variable(_query_variable(variable))
        document = json.loads(JSONEncoder().encode(builder.build()))
        document["panels"] = _laid_out(self.sections)
        return self._with_needs(translate(document))

    def _with_needs(self, document: dict[str, Any]) -> dict[str, Any]:
        """Each panel marked with the jobs that it lives on, for inventories that do not have them all."""
        values = {**BUILT_IN, **{variable.name: ".*" for variable in self.variables}}
        for panel in panels_of(document):
            jobs = needs([target["expr"] for target in panel.get("targets", ())], values, _KNOWN)
            if jobs:
                panel.setdefault("gpufleet", {})["needs"] = jobs
        return document


def _links() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("gpufleet")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )


def _query_variable(variable: Variable) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(DATASOURCE)
        .query(variable.query)
        .multi(True)
        .include_all(True)
        # `.*` also matches series without the label, which a list of all values would lose.
        .all_value(".*")
        .current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )


def _laid_out(sections: Sequence[Section]) -> list[dict[str, Any]]:
    """The panels with places and ids: from left to right, and a line lower where the width is used up."""
    placed: list[dict[str, Any]] = []
    top, number = 0, 1
    for section in sections:
        into = placed
        if section.title:
            row = {
                "type": "row",
                "id": number,
                "title": section.title,
                "collapsed": section.collapsed,
                "panels": [],
                "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top},
            }
            placed.append(row)
            into = row["panels"] if section.collapsed else placed
            top, number = top + 1, number + 1
        left = tallest = 0
        for panel in section.panels:
            if left + panel.width > COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            document = json.loads(JSONEncoder().encode(panel.builder.build()))
            document |= {"id": number, "gridPos": {"h": panel.height, "w": panel.width, "x": left, "y": top}}
            if panel.quiet:
                document["description"] += f" {panel.quiet}"
                document["gpufleet"] = {"may_be_empty": True, "why": panel.quiet}
            into.append(document)
            left, tallest, number = left + panel.width, max(tallest, panel.height), number + 1
        top += tallest
    return placed
