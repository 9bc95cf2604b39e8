"""Engine arguments against the real ones of vLLM 0.32.0, recorded from its own help."""

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.engine_args import OWNED, REMOVED, problems
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.sources import SourceError, flags

FLAGS = flags("0.32.0")


def said_of(**arguments):
    return problems({name.replace("_", "-"): value for name, value in arguments.items()}, FLAGS, "0.32.0")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max-model-len", 8192),
        ("max-model-len", "8k"),
        ("dtype", "bfloat16"),
        ("enforce-eager", True),
        ("enable-chunked-prefill", False),
        ("gpu-memory-utilization", 0.9),
        ("device-memory-utilization", 0.9),
        ("tensor-parallel-size", 2),
        ("quantization", "awq"),
        ("speculative-config", {"model": "x", "num_speculative_tokens": 3}),
        ("lora-modules", ["a=/srv/a"]),
        ("kv-cache-dtype", "fp8"),
        ("ssl-certfile", "/etc/tls/cert.pem"),
        ("max-lora-rank", 16),
        ("safetensors-load-strategy", "lazy"),
    ],
)
def test_real_arguments_pass(name, value):
    assert problems({name: value}, FLAGS, "0.32.0") == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("enable-metrics", True, "/metrics is always served"),
        ("metrics-port", 9000, "/metrics is always served"),
        ("disable-log-requests", True, "enable-log-requests"),
        ("tp", 2, "tensor-parallel-size"),
        ("max_model_len", 8192, "write max-model-len."),
        ("--max-model-len", 8192, "write max-model-len."),
        ("max-modle-len", 8192, "did you mean max-model-len?"),
        ("no-enforce-eager", True, "write enforce-eager: false."),
        ("model", "x", "set `model`"),
        ("port", 8000, "set `port`"),
        ("api-key", "x", "set `api_key`"),
        ("served-model-name", "x", "set `served_model_name`"),
        ("uds", "/run/x", "serves over TCP"),
        ("shutdown-timeout", 5, "vllm_shutdown_timeout"),
        ("dtype", "bf16", "did you mean bfloat16?"),
        ("kv-cache-dtype", "fp9", "did you mean fp8?"),
        ("enforce-eager", "yes", "write true or false"),
        ("max-model-len", True, "takes a value"),
        ("max-model-len", [8192], "takes one value"),
        ("max-model-len", None, "has no value"),
    ],
)
def test_wrong_ones_are_refused_with_the_right_way(name, value, said):
    (found,) = problems({name: value}, FLAGS, "0.32.0")
    assert found.startswith(f"engine_args: {name}: ")
    assert said in found


def test_every_problem_is_said_at_once():
    assert len(said_of(enable_metrics=True, dtype="bf16", max_model_length=1)) == 3


def test_a_plugin_may_bring_parsers_of_its_own():
    assert said_of(tool_call_parser="mine")
    assert said_of(tool_call_parser="mine", tool_parser_plugin="/srv/mine.py") == []


def test_the_tables_name_only_what_they_may():
    assert set(REMOVED) & set(FLAGS) == set()
    assert set(OWNED) - set(FLAGS) == {"model-tag"}


def test_a_newer_version_is_judged_by_the_newest_on_record():
    assert flags("0.99.0") == FLAGS
    with pytest.raises(SourceError, match="older than"):
        flags("0.1.0")
    with pytest.raises(SourceError, match="without a v"):
        flags("latest")
