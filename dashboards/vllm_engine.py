"""Inside the model servers: the engine and its cache, the tokens, the process."""

from __future__ import annotations

from .panels import Query, lines
from .queries import VLLM, share
from .style import BAD, PLAIN, SECOND, Steps
from .vllm_requests import BY_MODEL, IDLE, per_second, quantiles

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
        distinct=True,
        quiet=IDLE,
    ),
    lines(
        "Preemptions",
        "Requests per second that were thrown out of a full KV cache and will be computed again. Zero is healthy.",
        "cps",
        Query(per_second("vllm:num_preemptions_total", BY_MODEL), "{{model_name}}"),
        decimals=2,
        soft=1,
        distinct=True,
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
