"""The model servers: traffic, latency, the engine and its cache, tokens, errors."""

from __future__ import annotations

from .page import Page, Section, choices
from .panels import Query, lines, number
from .queries import VLLM, answered, failing, or_zero, quantile
from .style import BAD, CALM, GOOD, PLAIN_SECONDS, WARN, Steps, rising
from .tables import Column, grid
from .vllm_engine import ENGINE, PROCESS, TOKENS
from .vllm_requests import BY_MODEL, ERRORS, IDLE, LATENCY, PHIS, TRAFFIC, UP, WINDOW, per_second

HEAD = (
    number(
        "Servers up",
        "Share of the model servers that answer Prometheus. A server that starts does not answer for some minutes.",
        f"avg({UP})",
        "percentunit",
        decimals=0,
        steps=Steps(BAD, ((0.5, WARN), (1, GOOD))),
    ),
    number(
        "Requests",
        "Requests answered per second, whatever the answer.",
        or_zero(answered(""), f"count({UP})"),
        "reqps",
        decimals=1,
        trend=True,
    ),
    number(
        "Errors",
        "Share of requests answered with 5xx in the last five minutes; 4xx are the clients' own fault.",
        failing(window=WINDOW),
        "percentunit",
        decimals=2,
        steps=rising(0.01, 0.05),
    ),
    number(
        "First token, p95",
        "Time to the first token that 95 of 100 requests beat.",
        f"{quantile(0.95, 'vllm:time_to_first_token_seconds', VLLM, window=WINDOW)} >= 0",
        "s",
        decimals=2,
        steps=rising(2, 5),
        quiet=IDLE,
    ),
    number(
        "Latency, p95",
        "Time to the last token that 95 of 100 requests beat. It grows with the length of the answers.",
        f"{quantile(0.95, 'vllm:e2e_request_latency_seconds', VLLM, window=WINDOW)} >= 0",
        "s",
        decimals=1,
        quiet=IDLE,
    ),
    number(
        "Waiting",
        "Requests that wait for a place in the engine.",
        f"sum(vllm:num_requests_waiting{{{VLLM}}})",
        decimals=0,
        steps=rising(1, 20),
    ),
    number(
        "KV cache",
        "The fullest KV cache of all engines. Above 95 % requests are preempted and computed again.",
        f"max(vllm:kv_cache_usage_perc{{{VLLM}}})",
        "percentunit",
        decimals=0,
        steps=rising(0.8, 0.95),
    ),
    number(
        "Tokens out",
        "Tokens generated per second.",
        per_second("vllm:generation_tokens_total"),
        "short",
        decimals=1,
        trend=True,
    ),
)

MODELS = (
    grid(
        "Models",
        "One row per model; rates and quantiles are those of the last five minutes.",
        [
            Column("Model", label="model_name"),
            Column("Servers", f"count {BY_MODEL} ({UP})", decimals=0, width=90),
            Column("Up", f"sum {BY_MODEL} ({UP})", decimals=0, width=70),
            Column(
                "Requests/s", or_zero(answered("", BY_MODEL, WINDOW), f"count {BY_MODEL} ({UP})"), decimals=2, width=110
            ),
            Column(
                "Errors",
                failing(BY_MODEL, WINDOW),
                unit="percentunit",
                decimals=2,
                steps=rising(0.01, 0.05, CALM),
                look="color-background",
                width=90,
            ),
            Column(
                "Waiting",
                f"sum {BY_MODEL} (vllm:num_requests_waiting{{{VLLM}}})",
                decimals=0,
                steps=rising(1, 20, CALM),
                look="color-background",
                width=90,
            ),
            *(
                Column(
                    f"{what} {name}",
                    f"{quantile(phi, family, VLLM, 'model_name', WINDOW)} >= 0",
                    unit=PLAIN_SECONDS,
                    decimals=decimals,
                    width=125,
                )
                for what, family, decimals in (
                    ("First token", "vllm:time_to_first_token_seconds", 2),
                    ("Latency", "vllm:e2e_request_latency_seconds", 1),
                )
                for name, phi in PHIS[:2]
            ),
            Column(
                "Tokens/s",
                f"sum {BY_MODEL} (rate(vllm:generation_tokens_total{{{VLLM}}}[{WINDOW}]))",
                decimals=0,
                width=100,
            ),
            Column(
                "KV cache",
                f"max {BY_MODEL} (vllm:kv_cache_usage_perc{{{VLLM}}})",
                unit="percentunit",
                decimals=0,
                look="basic",
                width=140,
            ),
        ],
        sort="Model",
        height=6,
    ),
    lines(
        "First token by model, p95",
        "Time to the first token that 95 of 100 requests beat.",
        "s",
        Query(quantile(0.95, "vllm:time_to_first_token_seconds", VLLM, "model_name"), "{{model_name}}"),
        fill=0,
        distinct=True,
        quiet=IDLE,
    ),
    lines(
        "Whole request by model, p95",
        "Time to the last token that 95 of 100 requests beat.",
        "s",
        Query(quantile(0.95, "vllm:e2e_request_latency_seconds", VLLM, "model_name"), "{{model_name}}"),
        fill=0,
        distinct=True,
        quiet=IDLE,
    ),
    lines(
        "Tokens generated by model",
        "Tokens per second.",
        "short",
        Query(per_second("vllm:generation_tokens_total", BY_MODEL), "{{model_name}}"),
        decimals=0,
        distinct=True,
    ),
)

PAGE = Page(
    "vllm",
    "Model servers",
    "vLLM: traffic, latency, the engine and its cache, tokens and errors, per model.",
    choices("vllm"),
    (
        Section("", HEAD),
        Section("Latency", LATENCY),
        Section("Traffic", TRAFFIC),
        Section("By model", MODELS),
        Section("Engine", ENGINE),
        Section("Tokens", TOKENS),
        Section("Errors", ERRORS),
        Section("Process", PROCESS),
    ),
)
