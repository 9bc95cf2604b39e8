"""Whether the instances of a host without GPUs fit its memory. That is for labs: refused is only what is impossible.

Source: vLLM 0.32.0, vllm/platforms/cpu.py (VLLM_CPU_KVCACHE_SPACE in GiB, kv-cache-memory-bytes) and
vllm/v1/worker/cpu_worker.py: what is asked for the KV cache must be available, or the worker stops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .fit import FITS, REFUSED, UNKNOWN, Fit
from .fit_memory import MIB, gib, kv_bytes, read_weights
from .fit_request import GIB, Request
from .model_shape import Shape, ShapeError, read_shape

_SPACE = "VLLM_CPU_KVCACHE_SPACE"
# The platform's default block (vllm/platforms/cpu.py).
_BLOCK = 128


def judge(
    requests: Sequence[Request],
    environments: Mapping[str, Mapping[str, Any]],
    models: Mapping[str, Mapping[str, Any]],
    host_memory_mib: int,
) -> list[Fit]:
    """One verdict per request.

    Args:
        environments: instance's name -> its environment variables, as far as they are about memory.
        models: instance's name -> `config` and `weights`, where they are known.
        host_memory_mib: total memory of the host; 0 if it is not known.
    """
    host = host_memory_mib * MIB
    spaces = {one.name: _space(one, environments.get(one.name) or {}) for one in requests}
    return [_judged(one, spaces, models.get(one.name) or {}, host) for one in requests]


def _space(request: Request, environment: Mapping[str, Any]) -> int | None:
    if str(environment.get(_SPACE, "")).isdigit():
        return int(environment[_SPACE]) * GIB
    return request.kv_bytes


def _judged(request: Request, spaces: Mapping[str, int | None], model: Mapping[str, Any], host: int) -> Fit:
    name, space = request.name, spaces[request.name]
    weights, sequence = _model(request, model)
    if sequence and space is not None and sequence > space:
        return Fit(
            name,
            REFUSED,
            f"{name} cannot start: one sequence of max-model-len takes {gib(sequence)} of KV cache, and {_SPACE} gives "
            f"it {gib(space)}; raise it, or lower max-model-len.",
        )
    if not host:
        return Fit(name, UNKNOWN, f"{name}: cannot judge whether it fits: the host's memory is not known.")
    others = sum(other or 0 for key, other in spaces.items() if key != name)
    if (space or 0) + weights > host:
        ways = f"lower {_SPACE} to what is left beside the model" if space else "take a smaller model"
        parts = f"KV cache {gib(space or 0)} ({_SPACE})" + (f" + weights {gib(weights)}" if weights else "")
        return Fit(
            name, REFUSED, f"{name} does not fit: it needs {parts}, and the host has {gib(host)} of memory; {ways}."
        )
    if (space or 0) + weights + others > host:
        return Fit(
            name,
            REFUSED,
            f"{name} does not fit beside the other instances: together their KV caches take "
            f"{gib((space or 0) + others)}, and the host has {gib(host)} of memory; lower {_SPACE} of some.",
        )
    return Fit(name, FITS, f"{name} may fit: nothing speaks against it.")


def _model(request: Request, model: Mapping[str, Any]) -> tuple[float, float]:
    """Bytes of the weights and of one sequence of full length; zeros where nothing is known."""
    if not model.get("config"):
        return 0.0, 0.0
    try:
        shape: Shape = read_shape(model["config"], request.overrides)
    except ShapeError:
        return 0.0, 0.0
    length = shape.max_length if request.max_length is None else request.max_length
    whole = Request(request.name, request.gpus, dtype=request.dtype, kv_dtype=request.kv_dtype, block=_BLOCK)
    return read_weights(shape, request, model.get("weights")).total, kv_bytes(shape, whole, length, 0)
