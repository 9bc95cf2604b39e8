"""The few kinds of panels there are, each with what every panel must have: a description, a unit and thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prometheus_model

from .style import NEUTRAL, NOTHING, Steps

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
# A quarter of a quarter of an hour: instant values look back so far, and so do the rates in tables.
LAST = "lastNotNull"


@dataclass(frozen=True)
class Query:
    """One query of a panel; `legend` may name labels as {{label}}."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """A panel and how it is placed.

    Attributes:
        builder: the SDK's.
        width, height: in Grafana's grid of 24 columns.
        quiet: why the panel may be empty on a healthy fleet; verify counts it apart.
    """

    builder: Any
    width: int
    height: int
    quiet: str = ""


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


def _common(builder: Any, title: str, description: str, unit: str, decimals: int | None, steps: Steps) -> Any:
    builder = builder.title(title).description(description).datasource(DATASOURCE).unit(unit)
    if decimals is not None:
        builder = builder.decimals(decimals)
    return builder.thresholds(_thresholds(steps)).no_value(NOTHING)


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    listed = [model.Threshold(value=None, color=steps.base)]
    listed += [model.Threshold(value=bound, color=colour) for bound, colour in steps.bounds]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(listed)


def _add(builder: Any, queries: Sequence[Query], instant: bool = False, as_table: bool = False) -> Any:
    for ref, query in zip(ascii_uppercase, queries, strict=False):
        target = prometheus.Dataquery().expr(query.expr).ref_id(ref).legend_format(query.legend)
        target = target.instant() if instant else target.range()
        target = target.format(prometheus_model.PromQueryFormat.TABLE if as_table else "time_series")
        builder = builder.with_target(target)
    return builder


def number(
    title: str,
    description: str,
    expr: str,
    unit: str = "none",
    *,
    decimals: int | None = None,
    steps: Steps = NEUTRAL,
    trend: bool = False,
    width: int = 3,
    height: int = 4,
    words: Mapping[int, str] | None = None,
    quiet: str = "",
) -> Panel:
    """One large number, now; with `trend` its course behind it. Red fills the whole tile."""
    builder = _common(stat.Panel(), title, description, unit, decimals, steps)
    builder = _add(builder, [Query(expr)], instant=not trend)
    alarming = bool(steps.bounds)
    builder = (
        builder.reduce_options(common.ReduceDataOptions().calcs([LAST]).values(False))
        .color_mode(options.BigValueColorMode.BACKGROUND if alarming else options.BigValueColorMode.VALUE)
        .graph_mode(options.BigValueGraphMode.AREA if trend else options.BigValueGraphMode.NONE)
        .justify_mode(options.BigValueJustifyMode.AUTO)
        .text_mode(options.BigValueTextMode.VALUE)
        .orientation(options.VizOrientation.AUTO)
        .mappings(_words(words))
    )
    return Panel(builder, width, height, quiet)


def lines(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    decimals: int | None = None,
    least: float | None = 0,
    most: float | None = None,
    steps: Steps = NEUTRAL,
    colours: Mapping[str, str] | None = None,
    colour: str | None = None,
    listed: bool = False,
    fill: int = 8,
    bars: bool = False,
    width: int = 8,
    height: int = 8,
    quiet: str = "",
) -> Panel:
    """A course over time.

    Args:
        colours: name of a series, or /pattern/ of names -> colour.
        colour: of all series.
        listed: a legend with the last and the highest value of each series, for panels with many.
    """
    builder = _common(timeseries.Panel(), title, description, unit, decimals, steps)
    builder = _add(builder, queries)
    legend = common.VizLegendOptions().show_legend(True).placement(options.LegendPlacement.BOTTOM)
    mode = options.LegendDisplayMode.TABLE if listed else options.LegendDisplayMode.LIST
    legend = legend.display_mode(mode).calcs([LAST, "max"] if listed else [])
    builder = (
        builder.legend(legend)
        .tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI))
        .draw_style(options.GraphDrawStyle.BARS if bars else options.GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(60 if bars else fill)
        .show_points(options.VisibilityMode.NEVER)
        .span_nulls(False)
    )
    if steps.bounds:
        style = common.GraphThresholdsStyleConfig().mode(options.GraphThresholdsStyleMode.DASHED)
        builder = builder.thresholds_style(style)
    if least is not None:
        builder = builder.min(least)
    if most is not None:
        builder = builder.max(most)
    if colour:
        builder = builder.color_scheme(_fixed(colour))
    else:
        builder = builder.color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
    for name, its in (colours or {}).items():
        properties = [model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": its})]
        by = builder.override_by_regexp if name.startswith("/") else builder.override_by_name
        builder = by(name, properties)
    return Panel(builder, width, height, quiet)


def _fixed(colour: str) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(colour)


def bars(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    decimals: int | None = None,
    most: float | None = None,
    steps: Steps = NEUTRAL,
    width: int = 8,
    height: int = 8,
    quiet: str = "",
) -> Panel:
    """One bar per series, now."""
    builder = _common(bargauge.Panel(), title, description, unit, decimals, steps)
    builder = _add(builder, queries, instant=True).min(0)
    if most is not None:
        builder = builder.max(most)
    builder = (
        builder.reduce_options(common.ReduceDataOptions().calcs([LAST]).values(False))
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .orientation(options.VizOrientation.HORIZONTAL)
        .show_unfilled(True)
    )
    return Panel(builder, width, height, quiet)


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
    builder = _common(table.Panel(), title, description, "none", None, NEUTRAL)
    builder = _add(builder, [Query(column.expr) for column in asked], instant=True, as_table=True)
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
        found["thresholds"] = _thresholds(column.steps).build()
    if column.look:
        found["custom.displayMode"] = column.look
    if column.look in ("basic", "lcd-gauge", "gradient-gauge"):
        found |= {"min": 0, "max": 1}
    if column.words:
        found["mappings"] = _words(column.words)
    if column.width:
        found["custom.width"] = column.width
    if column.link:
        title, url = column.link
        found["links"] = [{"title": title, "url": url}]
    return [model.DynamicConfigValue(id_val=key, value=value) for key, value in found.items()]


def _words(words: Mapping[int, str] | None) -> list[model.ValueMapping]:
    return [
        model.ValueMap(options={str(value): model.ValueMappingResult(text=text)})
        for value, text in (words or {}).items()
    ]
