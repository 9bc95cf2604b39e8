"""Tables: one row per thing, one column per query or label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model

from .panels import Panel, Query, add, common_parts, mappings, thresholds
from .style import NEUTRAL, Steps


@dataclass(frozen=True)
class Column:
    """A column of a table: a query that yields one value per row, or a label of the other queries."""

    header: str
    expr: str = ""
    label: str = ""
    unit: str = "none"
    decimals: int | None = None
    steps: Steps = NEUTRAL
    look: str = ""
    words: Mapping[int, str] | None = None
    width: int | None = None
    link: tuple[str, str] | None = None


def grid(
    title: str,
    description: str,
    columns: Sequence[Column],
    *,
    sort: str = "",
    hidden: Sequence[str] = (),
    width: int = 24,
    height: int = 8,
    quiet: str = "",
) -> Panel:
    """A table of values now, joined by the labels that all its queries have in common."""
    asked = [column for column in columns if column.expr]
    builder = common_parts(table.Panel(), title, description, "none", None, NEUTRAL)
    builder = add(builder, [Query(column.expr) for column in asked], instant=True, as_table=True)
    values = {
        column.header: f"Value #{ref}" if len(asked) > 1 else "Value"
        for column, ref in zip(asked, ascii_uppercase, strict=False)
    }
    fields = {column.header: column.label or values[column.header] for column in columns}
    gone = {"Time": True, **dict.fromkeys(hidden, True)}
    gone |= {values[column.header]: True for column in asked if column.label}
    if len(asked) > 1:
        builder = builder.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    builder = builder.with_transformation(
        model.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": gone,
                "indexByName": {field: place for place, field in enumerate(fields.values())},
                "renameByName": {field: header for header, field in fields.items()},
            },
        )
    )
    for column in columns:
        builder = builder.override_by_name(column.header, _properties(column))
    if sort:
        builder = builder.sort_by([common.TableSortByFieldState().display_name(sort.lstrip("-")).desc(sort[0] == "-")])
    builder = builder.show_header(True).align(options.FieldTextAlignment.AUTO)
    return Panel(builder, width, height, quiet)


def _properties(column: Column) -> list[model.DynamicConfigValue]:
    found: dict[str, Any] = {"unit": column.unit}
    if column.decimals is not None:
        found["decimals"] = column.decimals
    if column.steps is not NEUTRAL:
        found["thresholds"] = thresholds(column.steps).build()
    if column.look:
        found["custom.displayMode"] = column.look
    if column.look in ("basic", "lcd-gauge", "gradient-gauge"):
        found |= {"min": 0, "max": 1}
    if column.words:
        found["mappings"] = mappings(column.words)
    if column.width:
        found["custom.width"] = column.width
    if column.link:
        title, url = column.link
        found["links"] = [{"title": title, "url": url}]
    return [model.DynamicConfigValue(id_val=key, value=value) for key, value in found.items()]
