"""The model servers: traffic, latency, the engine and its cache, tokens, errors."""

from __future__ import annotations

from .page import Page, Section, choices
from .panels import Column, Panel, Query, grid, lines, number
from .queries import RATE, VLLM, answered, failing, or_zero, quantile, share
from .style import BAD, CALM, CLASSES, GOOD, PLAIN, QUANTILES, SECOND, WARN, Steps, rising

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
        decimals=0,
        trend=True,
    ),
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

ENGINE = (
    lines(
        "KV cache",
        "How full the KV cache of each engine is.",
        "percentunit",
        Query(
            f"max by (instance, vllm_instance) (vllm:kv_cache_usage_perc{{{VLLM}}})", "{{instance}} {{vllm_instance}}"
        ),
        most=1,
        steps=Steps(PLAIN, ((0.95, BAD),)),
        listed=True,
        fill=0,
    ),
    lines(
        "Prefix cache hits",
        "Share of the prompts' tokens that were found in the prefix cache and need not be computed.",
        "percentunit",
        Query(
            share(
                per_second("vllm:prefix_cache_hits_total", BY_MODEL),
                per_second("vllm:prefix_cache_queries_total", BY_MODEL),
            ),
            "{{model_name}}",
        ),
        most=1,
        quiet=IDLE,
    ),
    lines(
        "Preemptions",
        "Requests per second that were thrown out of a full KV cache and will be computed again. Zero is healthy.",
        "cps",
        Query(per_second("vllm:num_preemptions_total", BY_MODEL), "{{model_name}}"),
        decimals=2,
    ),
    quantiles(
        "Time in the queue", "How long requests wait for a place in the engine.", "vllm:request_queue_time_seconds"
    ),
    quantiles("Reading the prompt", "Time to compute the prompt (prefill).", "vllm:request_prefill_time_seconds"),
    quantiles("Writing the answer", "Time to generate the answer (decode).", "vllm:request_decode_time_seconds"),
)

TOKENS = (
    lines(
        "Tokens",
        "Tokens per second: read from prompts, and generated.",
        "short",
        Query(per_second("vllm:prompt_tokens_total"), "prompts"),
        Query(per_second("vllm:generation_tokens_total"), "generated"),
        colours={"prompts": SECOND, "generated": PLAIN},
        decimals=0,
    ),
    quantiles("Length of prompts", "Tokens in a prompt.", "vllm:request_prompt_tokens", "short", decimals=0),
    quantiles("Length of answers", "Tokens in an answer.", "vllm:request_generation_tokens", "short", decimals=0),
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
        quiet="Empty until the first request.",
    ),
    lines(
        "Turned away",
        "Requests per second that a limit of the queue turned away, by the limit.",
        "reqps",
        Query(per_second("vllm:admission_rejections_total", "by (reason)"), "{{reason}}"),
    ),
)

MODELS = (
    grid(
        "Models",
        "One row per model; rates and quantiles are those of the last five minutes.",
        [
            Column("Model", label="model_name"),
            Column("Servers", f"count {BY_MODEL} ({UP})", decimals=0),
            Column("Up", f"sum {BY_MODEL} ({UP})", decimals=0),
            Column("Requests/s", or_zero(answered("", BY_MODEL, WINDOW), f"count {BY_MODEL} ({UP})"), decimals=2),
            Column(
                "Errors",
                failing(BY_MODEL, WINDOW),
                unit="percentunit",
                decimals=2,
                steps=rising(0.01, 0.05, CALM),
                look="color-background",
            ),
            Column(
                "Waiting",
                f"sum {BY_MODEL} (vllm:num_requests_waiting{{{VLLM}}})",
                decimals=0,
                steps=rising(1, 20, CALM),
                look="color-background",
            ),
            *(
                Column(
                    f"{what} {name}",
                    f"{quantile(phi, family, VLLM, 'model_name', WINDOW)} >= 0",
                    unit="s",
                    decimals=decimals,
                )
                for what, family, decimals in (
                    ("First token", "vllm:time_to_first_token_seconds", 2),
                    ("Latency", "vllm:e2e_request_latency_seconds", 1),
                )
                for name, phi in PHIS[:2]
            ),
            Column("Tokens/s", f"sum {BY_MODEL} (rate(vllm:generation_tokens_total{{{VLLM}}}[{WINDOW}]))", decimals=0),
            Column(
                "KV cache",
                f"max {BY_MODEL} (vllm:kv_cache_usage_perc{{{VLLM}}})",
                unit="percentunit",
                decimals=0,
                look="basic",
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
        quiet=IDLE,
    ),
    lines(
        "Whole request by model, p95",
        "Time to the last token that 95 of 100 requests beat.",
        "s",
        Query(quantile(0.95, "vllm:e2e_request_latency_seconds", VLLM, "model_name"), "{{model_name}}"),
        fill=0,
        quiet=IDLE,
    ),
    lines(
        "Tokens generated by model",
        "Tokens per second.",
        "short",
        Query(per_second("vllm:generation_tokens_total", BY_MODEL), "{{model_name}}"),
        decimals=0,
    ),
)

PROCESS = (
    lines(
        "Memory of the API server",
        "Resident memory of the process that answers HTTP; the engine is another process.",
        "bytes",
        Query(f"process_resident_memory_bytes{{{VLLM}}}", "{{instance}} {{vllm_instance}}"),
        fill=0,
        width=12,
    ),
    lines(
        "Age of the server",
        "Time since the server started. A saw-tooth is a crash loop.",
        "s",
        Query(f"time() - process_start_time_seconds{{{VLLM}}}", "{{instance}} {{vllm_instance}}"),
        fill=0,
        width=12,
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
