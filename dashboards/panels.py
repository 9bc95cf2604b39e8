"""The few kinds of panels there are, each with what every panel must have: a description, a unit and thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prometheus_model

from .style import NEUTRAL, NOTHING, Steps

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
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


def common_parts(builder: Any, title: str, description: str, unit: str, decimals: int | None, steps: Steps) -> Any:
    builder = builder.title(title).description(description).datasource(DATASOURCE).unit(unit)
    if decimals is not None:
        builder = builder.decimals(decimals)
    return builder.thresholds(thresholds(steps)).no_value(NOTHING)


def thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    listed = [model.Threshold(value=None, color=steps.base)]
    listed += [model.Threshold(value=bound, color=colour) for bound, colour in steps.bounds]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(listed)


def add(builder: Any, queries: Sequence[Query], instant: bool = False, as_table: bool = False) -> Any:
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
    builder = common_parts(stat.Panel(), title, description, unit, decimals, steps)
    builder = add(builder, [Query(expr)], instant=not trend)
    alarming = bool(steps.bounds)
    builder = (
        builder.reduce_options(common.ReduceDataOptions().calcs([LAST]).values(False))
        .color_mode(options.BigValueColorMode.BACKGROUND if alarming else options.BigValueColorMode.VALUE)
        .graph_mode(options.BigValueGraphMode.AREA if trend else options.BigValueGraphMode.NONE)
        .justify_mode(options.BigValueJustifyMode.AUTO)
        .text_mode(options.BigValueTextMode.VALUE)
        .orientation(options.VizOrientation.AUTO)
        .mappings(mappings(words))
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
    soft: float | None = None,
    steps: Steps = NEUTRAL,
    colours: Mapping[str, str] | None = None,
    colour: str | None = None,
    distinct: bool = False,
    listed: bool = False,
    fill: int = 8,
    bars: bool = False,
    width: int = 8,
    height: int = 8,
    quiet: str = "",
) -> Panel:
    """A course over time.

    Args:
        soft: the axis goes so far at the least.
        colours: name of a series, or /pattern/ of names -> colour.
        colour: of all series.
        distinct: series differ in colour, for panels with few. Else they go from blue to purple by the last value: what
            stands out in height stands out in colour.
        listed: a legend with the last and the highest value of each series, for panels with many.
    """
    builder = common_parts(timeseries.Panel(), title, description, unit, decimals, steps)
    builder = add(builder, queries)
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
    if soft is not None:
        builder = builder.axis_soft_max(soft)
    scheme = dashboard.FieldColor()
    if colour:
        scheme = scheme.mode(model.FieldColorModeId.FIXED).fixed_color(colour)
    elif distinct:
        scheme = scheme.mode(model.FieldColorModeId.PALETTE_CLASSIC)
    else:
        scheme = scheme.mode(model.FieldColorModeId.CONTINUOUS_BL_PU)
        scheme = scheme.series_by(model.FieldColorSeriesByMode.LAST)
    builder = builder.color_scheme(scheme)
    for name, its in (colours or {}).items():
        properties = [model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": its})]
        by = builder.override_by_regexp if name.startswith("/") else builder.override_by_name
        builder = by(name, properties)
    return Panel(builder, width, height, quiet)


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
    builder = common_parts(bargauge.Panel(), title, description, unit, decimals, steps)
    builder = add(builder, queries, instant=True).min(0)
    if most is not None:
        builder = builder.max(most)
    builder = (
        builder.reduce_options(common.ReduceDataOptions().calcs([LAST]).values(False))
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .orientation(options.VizOrientation.HORIZONTAL)
        .show_unfilled(True)
    )
    return Panel(builder, width, height, quiet)


def mappings(words: Mapping[int, str] | None) -> list[model.ValueMapping]:
    return [
        model.ValueMap(options={str(value): model.ValueMappingResult(text=text)})
        for value, text in (words or {}).items()
    ]
