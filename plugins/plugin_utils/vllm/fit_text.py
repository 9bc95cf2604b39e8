"""The verdicts in words: the arithmetic in a few lines, and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .fit_memory import CONTEXT, Need, gib

if TYPE_CHECKING:
    from .fit import Placed
    from .fit_request import Request
    from .fit_share import Crowded
    from .model_shape import Shape


def refused(placed: Placed, needed: Need, advice: Sequence[str]) -> str:
    """Three lines: the sum, its parts, the ways out."""
    request = placed.request
    total = needed.fixed + max(needed.sequence, request.kv_bytes or 0)
    over = gib(total - placed.budget if total > placed.budget else needed.sequence - placed.room(needed))
    ways = "; or ".join(advice) or "nothing of it on such GPUs; take a smaller model or larger GPUs"
    return (
        f"{request.name} does not fit on {_gpus(request)}: it needs {gib(total)}{_each(request)}, {over} more than "
        f"vLLM may use: {gib(placed.budget)} ({_budget(placed)}).\n"
        f"  {_parts(placed, needed)}\n"
        f"  What would fit: {ways}."
    )


def tight(placed: Placed, needed: Need, concurrency: float, advice: Sequence[str]) -> str:
    """A warning of one or two lines."""
    ways = f"\n  More would fit with {'; or '.join(advice)}." if advice else ""
    return (
        f"{placed.request.name} is tight on {_gpus(placed.request)}: {concurrency:.1f} sequences of max-model-len "
        f"{needed.length} fit into its KV cache at a time, further ones wait ({_parts(placed, needed)}; vLLM may use "
        f"{gib(placed.budget)}).{ways}"
    )


def fits(placed: Placed, needed: Need, concurrency: float) -> str:
    """One line."""
    return (
        f"{placed.request.name} fits on {_gpus(placed.request)}: {concurrency:.1f} sequences of max-model-len "
        f"{needed.length} at a time ({_parts(placed, needed)}; vLLM may use {gib(placed.budget)})."
    )


def crowded(placed: Placed, share: Crowded) -> str:
    """One line, for each of those who share a GPU."""
    names, context = " and ".join(share.names), gib(len(share.names) * CONTEXT)
    if share.claimed > share.usable:
        return (
            f"{placed.request.name} does not fit on GPU {share.index}: {names} together claim {gib(share.claimed)} of "
            f"its {gib(share.usable)}; lower gpu-memory-utilization (or kv-cache-memory-bytes) of one."
        )
    return (
        f"{placed.request.name} is tight on GPU {share.index}: {names} together claim {gib(share.claimed)} of its "
        f"{gib(share.usable)}, which leaves less than {context} for their CUDA contexts, so the one that starts last "
        "may not; lower gpu-memory-utilization of one."
    )


def no_context(placed: Placed) -> str:
    request = placed.request
    highest = int(100 * (placed.gpu.usable - CONTEXT) / placed.gpu.usable) / 100 if placed.gpu.usable else 0
    return (
        f"{request.name} cannot start on {_gpus(request)}: gpu-memory-utilization {request.utilization:g} of "
        f"{gib(placed.gpu.usable)} leaves nothing for the CUDA context, which lies outside of it; write {highest:g} "
        "at most."
    )


def no_such_gpu(request: Request, missing: Sequence[int], there: Sequence[int]) -> str:
    has = f"its GPUs are {_listed(there)}" if there else "it has no GPU that NVIDIA's driver shows"
    return f"{request.name} wants GPU {_listed(missing)}, which this host does not have: {has}."


def no_memory(missing: Sequence[int]) -> str:
    return (
        f"the memory of GPU {_listed(missing)} is not known; once the driver runs it is, or state it in "
        "vllm_gpu_memory_gib"
    )


def heads(request: Request, shape: Shape) -> str:
    sizes = [size for size in range(1, 17) if shape.heads % size == 0]
    return (
        f"{request.name}: tensor-parallel-size {request.tensor} does not divide the model's {shape.heads} attention "
        f"heads, so vLLM would not start; write one of {_listed(sizes)}."
    )


def _parts(placed: Placed, needed: Need) -> str:
    request, shape = placed.request, placed.shape
    graphs = f", CUDA graphs {gib(needed.graphs)}" if needed.graphs else ""
    each = f", {needed.token / 1024:.1f} KiB a token" if needed.token else ""
    if request.kv_bytes is not None:
        cache = f"KV cache {gib(request.kv_bytes)} (kv-cache-memory-bytes; one sequence takes {gib(needed.sequence)})"
    else:
        cache = f"KV cache {gib(needed.sequence)} (one sequence of {needed.length} tokens{each})"
    uncounted = [*shape.uncounted, *request.uncounted]
    beside = f"; not counted: {', '.join(uncounted)}" if uncounted else ""
    return (
        f"weights {gib(needed.weights)} ({placed.weights.source}) + engine {gib(needed.engine)} (activations "
        f"{gib(needed.activations)}{graphs}, libraries {gib(needed.libraries)}) + {cache}{beside}"
    )


def _budget(placed: Placed) -> str:
    if placed.request.kv_bytes is not None:
        return f"{gib(placed.gpu.usable)} without the CUDA context"
    return f"gpu-memory-utilization {placed.request.utilization:g} of {gib(placed.gpu.usable)}"


def _gpus(request: Request) -> str:
    return f"{'GPU' if len(request.gpus) == 1 else 'GPUs'} {_listed(request.gpus)}"


def _each(request: Request) -> str:
    return " on each" if len(request.gpus) > 1 else ""


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
