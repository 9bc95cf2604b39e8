"""Service levels: what was promised for each model, what was kept, and how much may still go wrong."""

from __future__ import annotations

from .page import Page, Section, Variable
from .panels import Query, bars, lines, number
from .style import BAD, CALM, GOOD, PLAIN, SECOND, SMALL_SHARE, WARN, Steps, falling, rising
from .tables import Column, grid

LEVEL = 'model_name=~"$model", slo=~"$slo"'
BY = "by (model_name, slo)"
NAME = "{{model_name}} {{slo}}"
COLOURS = {"/ availability$/": PLAIN, "/ ttft$/": "super-light-blue", "/ latency$/": SECOND}
OURS = "Empty without service levels in the inventory."
BUDGET = f"slo:error_budget_remaining:ratio{{{LEVEL}}}"

KEPT_NOT = f"slo:errors:ratio_window{{{LEVEL}}} > on (model_name, slo) (1 - slo:objective:ratio{{{LEVEL}}})"


def burn(window: str) -> str:
    """How many times faster than allowed the error budget is used."""
    return f"slo:errors:ratio_rate{window}{{{LEVEL}}} / on (model_name, slo) (1 - slo:objective:ratio{{{LEVEL}}} > 0)"


HEAD = (
    number(
        "Least budget left",
        "The objective with the least of its error budget left. Below 0 % it is missed.",
        f"min({BUDGET})",
        "percentunit",
        decimals=0,
        steps=falling(0.5, 0),
        width=6,
        quiet=OURS,
    ),
    number(
        "Fastest burn, 1 h",
        "How many times faster than allowed the budget is used. At 14.4 a month's budget is gone in two days.",
        f"max({burn('1h')})",
        "none",
        decimals=1,
        steps=rising(1, 14.4),
        width=6,
        quiet=OURS,
    ),
    number(
        "Objectives missed",
        "Objectives that are missed over their own window.",
        f"count({KEPT_NOT}) or 0 * count({BUDGET})",
        decimals=0,
        steps=Steps(GOOD, ((1, BAD),)),
        width=6,
        quiet=OURS,
    ),
    number(
        "Servers down",
        "Share of the servers that are down, where that is worst.",
        f"max(slo:down:ratio{{{LEVEL}}})",
        "percentunit",
        decimals=0,
        steps=rising(0.01, 0.5),
        width=6,
        quiet=OURS,
    ),
)

TABLE = grid(
    "Objectives",
    "One row per model and objective. A request is bad when it fails, or takes longer than the threshold.",
    [
        Column("Model", label="model_name"),
        Column("Objective", label="slo"),
        Column("Promised", f"max {BY} (slo:objective:ratio{{{LEVEL}}})", unit="percentunit", decimals=3),
        Column("Within", f"max {BY} (slo:threshold:seconds{{{LEVEL}}})", unit="s", decimals=2),
        Column("Kept", f"1 - max {BY} (slo:errors:ratio_window{{{LEVEL}}})", unit="percentunit", decimals=3),
        Column(
            "Budget left",
            f"min {BY} ({BUDGET})",
            unit="percentunit",
            decimals=0,
            steps=falling(0.5, 0, CALM),
            look="color-background",
        ),
        Column(
            "Burn 1 h", f"max {BY} ({burn('1h')})", decimals=1, steps=rising(1, 14.4, CALM), look="color-background"
        ),
        Column("Burn 6 h", f"max {BY} ({burn('6h')})", decimals=1, steps=rising(1, 6, CALM), look="color-background"),
        Column("Burn 3 d", f"max {BY} ({burn('3d')})", decimals=1, steps=rising(1, 3, CALM), look="color-background"),
        Column("Requests/s", f"sum {BY} (slo:requests:rate5m{{{LEVEL}}})", decimals=2),
    ],
    sort="Budget left",
    height=9,
    quiet=OURS,
)

COURSE = (
    lines(
        "Error budget",
        "How much of the budget is left, over the objective's own window. The line ends at 0.",
        "percentunit",
        Query(BUDGET, NAME),
        colours=COLOURS,
        steps=Steps(PLAIN, ((0, PLAIN),)),
        least=None,
        most=1,
        fill=0,
        decimals=0,
        width=12,
        quiet=OURS,
    ),
    lines(
        "Burn rate",
        "How many times faster than allowed the budget is used in the last hour. Above 14.4 somebody is woken.",
        "none",
        Query(burn("1h"), NAME),
        colours=COLOURS,
        steps=Steps(PLAIN, ((1, WARN), (14.4, BAD))),
        decimals=1,
        fill=0,
        width=12,
        quiet=OURS,
    ),
    lines(
        "Bad share",
        "Share of the last five minutes' requests that missed the objective.",
        SMALL_SHARE,
        Query(f"100 * slo:errors:ratio_rate5m{{{LEVEL}}}", NAME),
        colours=COLOURS,
        decimals=1,
        soft=5,
        fill=0,
        width=12,
        quiet=OURS,
    ),
    lines(
        "Good and bad requests",
        "Requests per second that count for the objectives.",
        "reqps",
        Query(f"sum by (slo) (slo:requests:rate5m{{{LEVEL}}} - slo:bad_requests:rate5m{{{LEVEL}}})", "{{slo}} good"),
        Query(f"sum by (slo) (slo:bad_requests:rate5m{{{LEVEL}}})", "{{slo}} bad"),
        colours={"/ good$/": PLAIN, "/ bad$/": BAD},
        width=12,
        quiet=OURS,
    ),
)

BURN = (
    bars(
        "Burn by window",
        "The same rate over growing windows: a high one in the short window alone is a blip, in all of them a fault.",
        "none",
        *(Query(f"max({burn(window)})", window) for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")),
        decimals=1,
        steps=rising(1, 6, PLAIN),
        width=12,
        quiet=OURS,
    ),
    lines(
        "Servers down",
        "Share of each model's servers that are down.",
        "percentunit",
        Query(f"slo:down:ratio{{{LEVEL}}}", "{{model_name}}"),
        colour=SECOND,
        most=1,
        width=12,
        quiet=OURS,
    ),
)

PAGE = Page(
    "slo",
    "Service levels",
    "What was promised for each model, what was kept, and how much may still go wrong.",
    (
        Variable("model", "Model", "label_values(slo:objective:ratio, model_name)"),
        Variable("slo", "Objective", 'label_values(slo:objective:ratio{model_name=~"$model"}, slo)'),
    ),
    (Section("", (*HEAD, TABLE)), Section("Course", COURSE), Section("Now", BURN)),
    since="now-24h",
)
