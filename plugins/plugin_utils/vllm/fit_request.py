"""What an instance asks of its GPUs: its engine arguments as numbers.

Source: vLLM 0.32.0, `vllm serve --help=all` (names and defaults) and vllm/engine/arg_utils.py, get_batch_defaults and
_set_default_max_num_seqs_and_batched_tokens_args (what it takes where nothing is said).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GIB = 1024**3
DEFAULT_UTILIZATION = 0.92
DEFAULT_BLOCK = 16

_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kmgtKMGT]?)")
_UNITS = {"": 1, **{letter: 1000 ** (i + 1) for i, letter in enumerate("kmgt")}}
_UNITS |= {letter: 1024 ** (i + 1) for i, letter in enumerate("KMGT")}


class RequestError(ValueError):
    """An argument cannot be read; the text says which and why."""


@dataclass(frozen=True)
class Request:
    """Of one instance.

    Attributes:
        gpus: indices as nvidia-smi counts them.
        max_length: max-model-len in tokens; None is the model's own, 0 whatever fits.
        max_sequences, max_tokens: max-num-seqs and max-num-batched-tokens; None is vLLM's default.
        utilization: gpu-memory-utilization, a share of the GPU's total memory.
        kv_bytes: kv-cache-memory-bytes, which replaces the utilization; None if not said.
        offloaded: cpu-offload-gb in bytes: weights of each GPU that stay in the host's memory.
        eager: no CUDA graphs, or none that count.
        uncounted: what this instance has beside the model and is not known, for the reader.
    """

    name: str
    gpus: tuple[int, ...]
    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    max_length: int | None = None
    max_sequences: int | None = None
    max_tokens: int | None = None
    utilization: float = DEFAULT_UTILIZATION
    kv_bytes: int | None = None
    kv_dtype: str = "auto"
    block: int = DEFAULT_BLOCK
    dtype: str = "auto"
    quantization: str | None = None
    offloaded: int = 0
    eager: bool = False
    throughput: bool = False
    overrides: Mapping[str, Any] | None = None
    uncounted: tuple[str, ...] = ()


def read_request(
    name: str, gpus: Sequence[int], engine_args: Mapping[str, Any], environment: Mapping[str, Any] | None = None
) -> Request:
    """The request of an instance as instances.with_defaults has it.

    Raises:
        RequestError: a size is none.
    """
    said = dict(engine_args)
    tensor = _count(said, "tensor-parallel-size")
    pipeline, data = _count(said, "pipeline-parallel-size") or 1, _count(said, "data-parallel-size") or 1
    if tensor is None:
        # As instances.config writes it: several GPUs and no other word make it tensor parallel.
        tensor = len(gpus) if len(gpus) > 1 and pipeline == data == 1 else 1
    utilization = said.get("gpu-memory-utilization", said.get("device-memory-utilization", DEFAULT_UTILIZATION))
    graphs = str((environment or {}).get("VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS", "1")) != "0"
    return Request(
        name=name,
        gpus=tuple(gpus) or tuple(range(tensor * pipeline * data)),
        tensor=tensor,
        pipeline=pipeline,
        data=data,
        max_length=_length(said.get("max-model-len")),
        max_sequences=_size("max-num-seqs", said.get("max-num-seqs")),
        max_tokens=_size("max-num-batched-tokens", said.get("max-num-batched-tokens")),
        utilization=_fraction("gpu-memory-utilization", utilization),
        kv_bytes=_size("kv-cache-memory-bytes", said.get("kv-cache-memory-bytes")),
        kv_dtype=str(said.get("kv-cache-dtype") or "auto"),
        block=_size("block-size", said.get("block-size")) or DEFAULT_BLOCK,
        dtype=str(said.get("dtype") or "auto"),
        quantization=str(said["quantization"]) if said.get("quantization") else None,
        offloaded=int(_fraction("cpu-offload-gb", said.get("cpu-offload-gb") or 0) * GIB),
        eager=bool(said.get("enforce-eager")) or not graphs,
        throughput=said.get("performance-mode") == "throughput",
        overrides=said.get("hf-overrides") if isinstance(said.get("hf-overrides"), Mapping) else None,
        uncounted=tuple(_uncounted(said)),
    )


def batch(request: Request, length: int, memory: int, gpu_name: str | None) -> tuple[int, int]:
    """max-num-seqs and max-num-batched-tokens as vLLM takes them.

    Args:
        length: max-model-len in tokens.
        memory: of the GPU, in bytes.
        gpu_name: as nvidia-smi has it; of an unknown one the smaller defaults are taken, which need less.
    """
    if memory >= 160 * GIB:
        sequences, tokens = 1024, 16384
    elif memory >= 70 * GIB and gpu_name and "a100" not in gpu_name.lower():
        sequences, tokens = 1024, 8192
    else:
        sequences, tokens = 256, 2048
    if request.throughput:
        sequences, tokens = 2 * sequences, 2 * tokens
    sequences = request.max_sequences or sequences
    tokens = request.max_tokens or min(tokens, sequences * length)
    return (sequences if request.max_sequences else min(sequences, tokens)), tokens


def parse_size(text: Any) -> int:
    """A number of tokens or bytes as vLLM reads it: 16k is 16000, 16K is 16384.

    Raises:
        ValueError: it is none.
    """
    match = _SIZE.fullmatch(str(text).replace("_", "").replace(",", ""))
    if not match:
        raise ValueError(text)
    return int(float(match[1]) * _UNITS[match[2]])


def _size(name: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        return parse_size(value)
    except ValueError:
        raise RequestError(f"{name} is {value!r}, which is no size such as 8192 or 16K") from None


def _length(value: Any) -> int | None:
    return 0 if str(value) in ("-1", "auto") else _size("max-model-len", value)


def _count(said: Mapping[str, Any], name: str) -> int | None:
    value = _size(name, said.get(name))
    if value == 0:
        raise RequestError(f"{name} is 0")
    return value


def _fraction(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise RequestError(f"{name} is {value!r}, which is no number") from None


def _uncounted(said: Mapping[str, Any]) -> list[str]:
    notes = []
    if said.get("speculative-config") or said.get("spec-method"):
        notes.append("the draft model")
    if said.get("enable-lora"):
        notes.append("LoRA adapters")
    return notes
