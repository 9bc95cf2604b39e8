"""Every query of a Grafana dashboard, judged with its variables filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils.panels import dashboards, variables
from .judge import judge
from .known import Vocabulary
from .vector import Judgement

_LEGEND_LABEL = re.compile(r"\{\{\s*([^}\s]+)\s*\}\}")
# `=` compares with the whole text of several values, which no label has.
_EQUALS_VARIABLE = re.compile(r"!?=\s*\"\$\{?(\w+)")
_MADE_BY_GRAFANA = re.compile(r"Time|Value|Value #\w+|Trend #\w+")


def judge_dashboard(document: Mapping[str, Any], where: str, known: Vocabulary) -> Iterator[str]:
    """Everything that is wrong with the queries of a dashboard, each with the panel and the query it stands in."""
    listed = variables.variables_of(document)
    values: dict[str, variables.Value] = {**variables.BUILT_IN, **{one["name"]: ".*" for one in listed}}
    several = {one["name"] for one in listed if one.get("multi")}
    for one in listed:
        yield from _judge_variable(one, f"{where}: variable {one['name']}", values, known)
    for panel in dashboards.asking(document):
        for query in panel.queries:
            spot = f'{where}: panel "{panel.title}" (query {query.ref})'
            yield from _judge_query(query, spot, values, several, known)
    yield from _judge_emptiness(document, where, values, known)
    for panel in dashboards.panels_of(document):
        yield from _judge_columns(panel, f'{where}: panel "{panel.get("title")}"', values, known)


def _judge_emptiness(
    document: Mapping[str, Any], where: str, values: Mapping[str, variables.Value], known: Vocabulary
) -> Iterator[str]:
    """A panel that has data only under traffic, or on some machines, must say so, or it alarms whoever reads verify."""
    for panel in dashboards.asking(document):
        if panel.may_be_empty:
            continue
        try:
            judged = [judge(variables.fill(query.expr, values), known) for query in panel.queries]
        except variables.VariableError:
            continue
        if not any(one.vector.present for one in judged):
            why = "its queries may find nothing on a healthy fleet; end them in `or`, or say why it may be empty"
            yield f'{where}: panel "{panel.title}": {why} (gpufleet.may_be_empty)'


def _judge_query(
    query: dashboards.Query, spot: str, values: Mapping[str, variables.Value], several: set[str], known: Vocabulary
) -> Iterator[str]:
    for name in _EQUALS_VARIABLE.findall(query.expr):
        if name in several:
            yield f"{spot}: ${name} may hold several values; compare with =~"
    try:
        judgement = judge(variables.fill(query.expr, values), known)
    except variables.VariableError as error:
        yield f"{spot}: {error} on this dashboard"
        return
    for finding in judgement.findings:
        yield f"{spot}, {finding.placed(query.expr)}"
    for label in _LEGEND_LABEL.findall(query.legend):
        if not judgement.vector.carries(label):
            has = ", ".join(sorted(judgement.vector.may)) or "none"
            yield f"{spot}: the legend names the label {label}, which the series do not carry; they have {has}"


def _judge_variable(
    variable: Mapping[str, Any], spot: str, values: Mapping[str, variables.Value], known: Vocabulary
) -> Iterator[str]:
    if variable.get("type") != "query":
        return
    asked = variables.label_values_of(variables.query_of(variable))
    if asked is None or not asked[0]:
        yield f"{spot}: ask for label_values(series, label), so that it can be judged"
        return
    try:
        judgement = judge(variables.fill(asked[0], values), known)
    except variables.VariableError as error:
        yield f"{spot}: {error} on this dashboard"
        return
    for finding in judgement.findings:
        yield f"{spot}, {finding.placed(asked[0])}"
    if not judgement.vector.carries(asked[1]):
        yield f"{spot}: {asked[0]} has no label {asked[1]}"


def _judge_columns(
    panel: Mapping[str, Any], spot: str, values: Mapping[str, variables.Value], known: Vocabulary
) -> Iterator[str]:
    """A column that is called after a label shows nothing when no query brings the label."""
    renamed = [
        name
        for step in panel.get("transformations") or ()
        if step["id"] == "organize"
        for name in step["options"].get("renameByName", {})
    ]
    if not renamed:
        return
    judged: list[Judgement] = []
    for target in panel.get("targets") or ():
        try:
            judged.append(judge(variables.fill(target["expr"], values), known))
        except variables.VariableError:
            continue
    for name in renamed:
        if not _MADE_BY_GRAFANA.fullmatch(name) and not any(one.vector.carries(name) for one in judged):
            yield f"{spot}: the column {name} is neither a value nor a label of its queries"
