"""What would fit where an instance does not: another variant of its model, a shorter context, more GPUs, a neighbour
that takes less."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from . import model_shape_formats as formats
from .fit_memory import CONTEXT, Need, gib, read_weights
from .model_shape import with_quantization

if TYPE_CHECKING:
    from .fit import Placed

# Shorter contexts are not worth a hint.
_SHORTEST = 1024
_MOST_GPUS = 16
_HIGHEST_UTILIZATION = 0.95


def longest(placed: Placed, sequences: float = 1) -> int | None:
    """The longest max-model-len of which `sequences` fit; None if not even one block does."""
    block = placed.request.block
    low, high = 0, placed.shape.max_length // block
    while low < high:
        middle = (low + high + 1) // 2
        needed = placed.need(middle * block)
        if placed.room(needed) >= sequences * needed.sequence:
            low = middle
        else:
            high = middle - 1
    return low * block or None


def for_refused(placed: Placed, needed: Need, neighbours: Sequence[Placed]) -> list[str]:
    """One phrase per way out, each of which was computed to fit."""
    ways = (
        _shorter(placed, needed),
        _variants(placed),
        _cache(placed),
        _share(placed, needed, neighbours),
        _more(placed),
    )
    return [phrase for way in ways for phrase in way]


def for_tight(placed: Placed, needed: Need) -> list[str]:
    """What would bring the wanted number of sequences."""
    shorter = longest(placed, placed.wanted)
    found = []
    if shorter and _SHORTEST <= shorter < needed.length:
        found.append(f"max-model-len {_rounded(shorter)}")
    return [*found, *_cache(placed, placed.wanted), *_more(placed, placed.wanted)]


def _enough(placed: Placed, sequences: float = 1) -> Need | None:
    needed = placed.need()
    return needed if placed.room(needed) >= sequences * needed.sequence else None


def _shorter(placed: Placed, needed: Need) -> Iterator[str]:
    length = longest(placed)
    if length and _SHORTEST <= length < needed.length:
        yield f"max-model-len {_rounded(length)}"


def _rounded(length: int) -> int:
    """Down to a number that people write."""
    return length // 256 * 256


def _variants(placed: Placed) -> Iterator[str]:
    """Smaller formats of the same model; the file of a variant is somebody's to make, so none is named."""
    now = placed.shape.quantization or formats.ONLINE.get(placed.request.quantization or "")
    for name, variant in formats.VARIANTS.items():
        if now and (not now.known or now.linear <= variant.linear + 0.1):
            continue
        shape = with_quantization(placed.shape, variant)
        other = replace(placed, shape=shape, weights=read_weights(shape, placed.request, None))
        needed = _enough(other)
        if needed:
            yield f"a variant of the model in {name} (needs {gib(needed.total)})"


def _cache(placed: Placed, sequences: float = 1) -> Iterator[str]:
    if placed.request.kv_dtype != "auto" or placed.shape.kv_dtype:
        return
    needed = _enough(replace(placed, request=replace(placed.request, kv_dtype="fp8")), sequences)
    if needed:
        yield f"kv-cache-dtype fp8 (KV cache {gib(needed.sequence)} a sequence)"


def _share(placed: Placed, needed: Need, neighbours: Sequence[Placed]) -> Iterator[str]:
    """A larger part of the same GPU, as far as the neighbours can do with less."""
    if placed.request.kv_bytes is not None:
        return
    usable = placed.gpu.usable
    share = math.ceil(100 * needed.total / usable) / 100 if usable else 1.0
    if not neighbours:
        if share <= _HIGHEST_UTILIZATION and not placed.neighbours:
            yield f"gpu-memory-utilization {share:.2f}"
        return
    if len(neighbours) < len(placed.neighbours):
        return
    least = [math.ceil(100 * other.need().total / other.gpu.usable) / 100 for other in neighbours]
    left = 1 - share - (len(neighbours) + 1) * CONTEXT / usable
    if sum(least) <= left:
        names = " and ".join(other.request.name for other in neighbours)
        yield f"gpu-memory-utilization {share:.2f} here and {math.floor(100 * left) / 100:.2f} at most for {names}"


def _more(placed: Placed, sequences: float = 1) -> Iterator[str]:
    """The smallest tensor-parallel-size that does and divides the heads."""
    shape = placed.shape
    for size in range(placed.request.tensor + 1, _MOST_GPUS + 1):
        if shape.heads % size or (shape.kv_heads % size and size % shape.kv_heads):
            continue
        needed = _enough(replace(placed, request=replace(placed.request, tensor=size)), sequences)
        if needed:
            gpus = size * placed.request.pipeline * placed.request.data
            yield f"tensor-parallel-size {size} over {gpus} such GPUs ({gib(needed.total)} on each)"
            return
