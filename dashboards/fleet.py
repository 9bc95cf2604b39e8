"""The first page to open: which box is sick."""

from __future__ import annotations

from .page import Page, Section, choices
from .panels import Query, lines, number
from .queries import BOX, PER_BOX, VLLM, answered, failing, or_zero, quantile
from .style import (
    BAD,
    CALM,
    FEW,
    GOOD,
    PLAIN,
    PLAIN_SECONDS,
    QUANTILES,
    SECOND,
    SEVERITIES,
    SMALL_SHARE,
    WARN,
    Steps,
    rising,
)
from .tables import Column, grid

WINDOW = "5m"
ALL_UP = f"min {PER_BOX} (up{{{BOX}}})"
SERVERS = f"min {PER_BOX} (up{{{VLLM}}})"
FIRING = 'alertstate="firing", severity=~"critical|warning"'
GPU = f'job="dcgm", {BOX}'
# Cards that cannot tell a value report 9.2e18 or so.
KNOWN = "< 1e12"

FILLED = "color-background"


def _firing(severity: str) -> str:
    return or_zero(f'count {PER_BOX} (ALERTS{{alertstate="firing", severity="{severity}", {BOX}}})', ALL_UP)


BOXES = grid(
    "Boxes",
    "One row per box, the sickest on top. Blank: the box does not run that. Rates and quantiles are those of the last "
    "five minutes. A click on the name opens the page of its GPUs.",
    [
        Column(
            "Box",
            label="instance",
            link=("GPUs of ${__value.text}", "/d/gpufleet-gpu?var-instance=${__value.text}&${__url_time_range}"),
            width=120,
        ),
        Column("Site", label="site", width=60),
        Column("Up", ALL_UP, steps=Steps(BAD, ((1, CALM),)), look=FILLED, words={0: "down", 1: "up"}, width=60),
        Column("Critical", _firing("critical"), steps=Steps(CALM, ((1, BAD),)), look=FILLED, decimals=0, width=70),
        Column("Warnings", _firing("warning"), steps=Steps(CALM, ((1, WARN),)), look=FILLED, decimals=0, width=80),
        Column("Requests/s", or_zero(answered("", PER_BOX, WINDOW), SERVERS), decimals=2, width=90),
        Column(
            "Errors",
            failing(PER_BOX, WINDOW),
            unit="percentunit",
            decimals=1,
            steps=rising(0.01, 0.05, CALM),
            look=FILLED,
            width=65,
        ),
        Column(
            "Waiting",
            f"sum {PER_BOX} (vllm:num_requests_waiting{{{VLLM}}})",
            decimals=0,
            steps=rising(1, 20, CALM),
            look=FILLED,
            width=70,
        ),
        Column(
            "TTFT p95",
            f"{quantile(0.95, 'vllm:time_to_first_token_seconds', VLLM, 'instance, site', WINDOW)} >= 0",
            unit=PLAIN_SECONDS,
            decimals=2,
            steps=rising(2, 5, CALM),
            look=FILLED,
            width=80,
        ),
        Column(
            "Latency p95",
            f"{quantile(0.95, 'vllm:e2e_request_latency_seconds', VLLM, 'instance, site', WINDOW)} >= 0",
            unit=PLAIN_SECONDS,
            decimals=1,
            width=95,
        ),
        Column(
            "KV cache",
            f"max {PER_BOX} (vllm:kv_cache_usage_perc{{{VLLM}}})",
            unit="percentunit",
            decimals=0,
            steps=rising(0.8, 0.95, CALM),
            look=FILLED,
            width=80,
        ),
        Column("GPUs", f"count {PER_BOX} (DCGM_FI_DEV_GPU_TEMP{{{GPU}}})", decimals=0, width=55),
        Column(
            "GPU busy",
            f"avg {PER_BOX} (DCGM_FI_DEV_GPU_UTIL{{{GPU}}} {KNOWN}) / 100",
            unit="percentunit",
            decimals=0,
            look="basic",
            width=115,
        ),
        Column(
            "Hottest",
            f"max {PER_BOX} (DCGM_FI_DEV_GPU_TEMP{{{GPU}}} {KNOWN})",
            unit="celsius",
            decimals=0,
            steps=rising(80, 87, CALM),
            look=FILLED,
            width=75,
        ),
        Column(
            "GPU",
            f"max by (instance, site, modelName, DCGM_FI_DRIVER_VERSION) (DCGM_FI_DEV_FB_TOTAL{{{GPU}}})",
            label="modelName",
            width=175,
        ),
        Column("Driver", label="DCGM_FI_DRIVER_VERSION", width=90),
        Column(
            "vLLM",
            f"max by (instance, site, version) (gpufleet:inventory_vllm_info{{{BOX}}})",
            label="version",
            width=80,
        ),
        Column("Kernel", f"max by (instance, site, release) (node_uname_info{{{BOX}}})", label="release"),
    ],
    sort="-Critical",
    height=11,
)

HEAD = (
    number(
        "Boxes down",
        "Boxes of which at least one endpoint cannot be scraped: no metrics, so perhaps no service.",
        f"count(min {PER_BOX} (up{{{BOX}}}) == 0) or 0 * count(up{{{BOX}}})",
        decimals=0,
        steps=Steps(GOOD, ((1, BAD),)),
        width=4,
    ),
    number(
        "Alerts firing",
        "Critical and warning alerts that fire now. The page Alerts lists them.",
        f"count(ALERTS{{{FIRING}, {BOX}}}) or 0 * count(up{{{BOX}}})",
        decimals=0,
        steps=rising(1, 5),
        width=4,
    ),
    number(
        "Errors",
        "Share of requests answered with 5xx. Answers 4xx are the clients' own fault and do not count.",
        failing(window=WINDOW),
        "percentunit",
        decimals=2,
        steps=rising(0.01, 0.05),
        width=4,
    ),
    number(
        "First token, p95",
        "Time to the first token that 95 of 100 requests beat, of all boxes together.",
        f"{quantile(0.95, 'vllm:time_to_first_token_seconds', VLLM, window=WINDOW)} >= 0",
        "s",
        decimals=2,
        steps=rising(2, 5),
        width=4,
        quiet="Empty while nobody asks anything.",
    ),
    number(
        "Requests",
        "Requests answered per second, whatever the answer.",
        or_zero(answered(""), f"count(up{{{VLLM}}})"),
        "reqps",
        decimals=1,
        trend=True,
        width=4,
    ),
    number(
        "Power",
        "Electrical power that all GPUs draw.",
        f"sum(DCGM_FI_DEV_POWER_USAGE{{{GPU}}} {KNOWN})",
        "watt",
        decimals=1,
        trend=True,
        width=4,
        quiet="Empty without GPUs.",
    ),
)

COURSE = (
    lines(
        "Requests by model",
        "Requests answered per second, by the model that was asked for.",
        "reqps",
        Query(or_zero(answered("", "by (model_name)"), f"count by (model_name) (up{{{VLLM}}})"), "{{model_name}}"),
        distinct=True,
    ),
    lines(
        "First token",
        "From the request to its first token, over all boxes: the middle request, and the slowest of 20 and of 100.",
        "s",
        *(
            Query(quantile(phi, "vllm:time_to_first_token_seconds", VLLM), name)
            for name, phi in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        ),
        colours=QUANTILES,
        fill=0,
        quiet="Empty while nobody asks anything.",
    ),
    lines(
        "Alerts",
        "Alerts that fire, by severity.",
        "short",
        *(
            Query(f'count(ALERTS{{alertstate="firing", severity="{severity}", {BOX}}})', severity)
            for severity in reversed(SEVERITIES)
        ),
        colours=SEVERITIES,
        decimals=0,
        soft=FEW,
        bars=True,
        quiet="Empty while no alert fires.",
    ),
    lines(
        "GPUs by site",
        "How busy the GPUs are on average, by site.",
        "percentunit",
        Query(f"avg by (site) (DCGM_FI_DEV_GPU_UTIL{{{GPU}}} {KNOWN}) / 100", "{{site}}"),
        most=1,
        distinct=True,
        quiet="Empty without GPUs.",
    ),
    lines(
        "Waiting and running",
        "Requests in the engines: those that are computed, and those that wait for their turn.",
        "short",
        Query(f"sum(vllm:num_requests_running{{{VLLM}}})", "running"),
        Query(f"sum(vllm:num_requests_waiting{{{VLLM}}})", "waiting"),
        colours={"running": PLAIN, "waiting": SECOND},
        decimals=0,
    ),
    lines(
        "Errors",
        "Share of requests answered with 5xx, by model.",
        SMALL_SHARE,
        Query(f"100 * ({failing('by (model_name)')})", "{{model_name}}"),
        steps=Steps(PLAIN, ((5, BAD),)),
        decimals=1,
        soft=5,
        distinct=True,
    ),
)

PAGE = Page(
    "fleet",
    "Fleet",
    "Which box is sick: one row per box, and the fleet as a whole.",
    choices(),
    (Section("", (*HEAD, BOXES)), Section("The fleet", COURSE)),
)
