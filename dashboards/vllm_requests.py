"""Requests to the model servers: how many, how fast, and how they fail."""

from __future__ import annotations

from .panels import Panel, Query, lines
from .queries import RATE, VLLM, answered, or_zero, quantile
from .style import BAD, CLASSES, PLAIN, QUANTILES, SECOND, WARN

WINDOW = "5m"
IDLE = "Empty while nobody asks anything."
PHIS = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
UP = f"up{{{VLLM}}}"
BY_MODEL = "by (model_name)"


def quantiles(title: str, description: str, family: str, unit: str = "s", **more: object) -> Panel:
    queries = (Query(quantile(phi, family, VLLM), name) for name, phi in PHIS)
    return lines(title, description, unit, *queries, colours=QUANTILES, fill=0, quiet=IDLE, **more)


def per_second(counter: str, by: str = "", more: str = "") -> str:
    return (
        f"sum {by} (rate({counter}{{{VLLM}{more}}}[{RATE}]))" if by else f"sum(rate({counter}{{{VLLM}{more}}}[{RATE}]))"
    )


LATENCY = (
    quantiles(
        "First token",
        "From the request to its first token: queue and prompt. What a person in a chat waits for.",
        "vllm:time_to_first_token_seconds",
    ),
    quantiles(
        "Between tokens",
        "From one token to the next: the speed at which an answer flows. 50 ms is 20 tokens a second.",
        "vllm:inter_token_latency_seconds",
    ),
    quantiles(
        "Whole request",
        "From the request to its last token.",
        "vllm:e2e_request_latency_seconds",
    ),
)

TRAFFIC = (
    lines(
        "Answers by class",
        "Requests answered per second by the class of their HTTP status. Health checks and scrapes are not counted.",
        "reqps",
        Query(answered("", "by (status)"), "{{status}}"),
        colours=CLASSES,
        quiet="Empty until the first request.",
    ),
    lines(
        "Running and waiting",
        "Requests in the engines: those that are computed, and those that wait for their turn.",
        "short",
        Query(f"sum(vllm:num_requests_running{{{VLLM}}})", "running"),
        Query(f"sum(vllm:num_requests_waiting{{{VLLM}}})", "waiting"),
        colours={"running": PLAIN, "waiting": WARN},
        decimals=0,
    ),
    lines(
        "How answers end",
        "Finished requests per second: stop is a natural end, length one that was cut off, abort a client that left.",
        "reqps",
        Query(per_second("vllm:request_success_total", "by (finished_reason)"), "{{finished_reason}}"),
        colours={"stop": PLAIN, "length": SECOND, "abort": WARN, "error": BAD},
    ),
)

ERRORS = (
    lines(
        "Server errors",
        "Requests per second answered with 5xx, by route. The server's journal has a traceback for each.",
        "reqps",
        Query(
            or_zero(
                f'sum by (handler) (rate(http_requests_total{{{VLLM}, status="5xx"}}[{RATE}]))',
                f"sum by (handler) (rate(http_requests_total{{{VLLM}}}[{RATE}]))",
            ),
            "{{handler}}",
        ),
        colour=BAD,
        soft=1,
        quiet="Empty until the first request.",
    ),
    lines(
        "Refused requests",
        "Requests per second answered with 4xx, by route: bad parameters, too long a prompt, an unknown model.",
        "reqps",
        Query(
            or_zero(
                f'sum by (handler) (rate(http_requests_total{{{VLLM}, status="4xx"}}[{RATE}]))',
                f"sum by (handler) (rate(http_requests_total{{{VLLM}}}[{RATE}]))",
            ),
            "{{handler}}",
        ),
        colour=WARN,
        soft=1,
        quiet="Empty until the first request.",
    ),
    lines(
        "Turned away",
        "Requests per second that a limit of the queue turned away, by the limit.",
        "reqps",
        Query(per_second("vllm:admission_rejections_total", "by (reason)"), "{{reason}}"),
        soft=1,
        distinct=True,
    ),
)
