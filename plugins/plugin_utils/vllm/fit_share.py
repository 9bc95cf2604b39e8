"""Several instances on one GPU: what they claim adds up, and each process' CUDA context comes on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .fit_memory import CONTEXT

if TYPE_CHECKING:
    from .fit import Placed


@dataclass(frozen=True)
class Crowded:
    """A GPU whose instances claim more than it has, contexts included. Bytes."""

    index: int
    names: tuple[str, ...]
    claimed: float
    usable: float


def crowded(placed: Placed, everyone: Sequence[Placed]) -> Crowded | None:
    """The first GPU of an instance that is claimed several times and more than whole."""
    for index in placed.request.gpus:
        sharing = [one for one in everyone if index in one.request.gpus]
        claimed = sum(_claim(one) for one in sharing)
        if len(sharing) > 1 and claimed + len(sharing) * CONTEXT > placed.gpu.usable:
            return Crowded(index, tuple(one.request.name for one in sharing), claimed, placed.gpu.usable)
    return None


def _claim(placed: Placed) -> float:
    """What an instance takes of each of its GPUs, however little it needs."""
    if placed.request.kv_bytes is not None:
        return placed.need().fixed + placed.request.kv_bytes
    return placed.budget
