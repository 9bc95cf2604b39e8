"""Whether the instances of a host fit its GPUs: refused, tight, fits, or cannot be judged.

An instance is refused when what it needs with one sequence of max-model-len is more than vLLM may use: it would not
start. It is tight when it starts, but fewer sequences of that length than wanted fit into its KV cache at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import fit_advice, fit_share, fit_text
from . import model_shape_formats as formats
from .fit_memory import CONTEXT, DRIVER_RESERVE, Need, Weights, need, read_weights
from .fit_request import Request, batch
from .model_shape import Shape, ShapeError, read_shape

REFUSED = "refused"
TIGHT = "tight"
FITS = "fits"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Gpu:
    """`memory` in bytes as nvidia-smi counts it; `name` as it writes it, if known."""

    memory: int
    name: str | None = None

    @property
    def usable(self) -> int:
        """What CUDA calls the total memory."""
        return max(0, self.memory - DRIVER_RESERVE)


@dataclass(frozen=True)
class Placed:
    """An instance whose model is known, on the smallest of its GPUs.

    Attributes:
        wanted: how many sequences of full length should fit at a time.
        neighbours: the other instances on any of its GPUs.
    """

    request: Request
    shape: Shape
    weights: Weights
    gpu: Gpu
    wanted: float
    neighbours: tuple[str, ...] = ()

    @property
    def budget(self) -> float:
        if self.request.kv_bytes is not None:
            return max(0, self.gpu.usable - CONTEXT)
        return self.gpu.usable * self.request.utilization

    @property
    def length(self) -> int:
        """max-model-len, or the longest that fits where vLLM is to find it."""
        if self.request.max_length == 0:
            return fit_advice.longest(self) or self.shape.max_length
        return self.request.max_length or self.shape.max_length

    def need(self, length: int | None = None) -> Need:
        return need(self.shape, self.weights, self.request, length or self.length, self.gpu.memory, self.gpu.name)

    def room(self, needed: Need) -> float:
        """Bytes for the KV cache."""
        if self.request.kv_bytes is not None:
            return self.request.kv_bytes if needed.fixed + self.request.kv_bytes <= self.budget else 0
        return self.budget - needed.fixed

    def fits(self, needed: Need) -> bool:
        return needed.sequence <= self.room(needed)


@dataclass(frozen=True)
class Fit:
    """What came out for one instance. `concurrency` counts sequences of full length."""

    name: str
    verdict: str
    message: str
    need: Need | None = None
    concurrency: float = 0.0
    advice: tuple[str, ...] = field(default=())


def judge(
    requests: Sequence[Request],
    models: Mapping[str, Mapping[str, Any]],
    gpus: Mapping[int, Gpu],
    concurrency: float,
    whole: bool = False,
) -> list[Fit]:
    """One verdict per request, in their order.

    Args:
        models: instance's name -> `config`, `weights` as fit_memory.read_weights takes them, or `why` nothing is known.
        gpus: by index, as far as their memory is known.
        concurrency: how many sequences of full length should fit at a time; never more than max-num-seqs.
        whole: `gpus` are all that the host has, so that an index which is not in it does not exist.
    """
    placed: dict[str, Placed | Fit] = {}
    for request in requests:
        near = tuple(other.name for other in requests if other is not request and set(other.gpus) & set(request.gpus))
        placed[request.name] = _placed(request, models.get(request.name) or {}, gpus, concurrency, near, whole)
    known = {name: one for name, one in placed.items() if isinstance(one, Placed)}
    return [one if isinstance(one, Fit) else _judged(one, known) for one in placed.values()]


def _placed(
    request: Request,
    model: Mapping[str, Any],
    gpus: Mapping[int, Gpu],
    concurrency: float,
    neighbours: tuple[str, ...],
    whole: bool,
) -> Placed | Fit:
    missing = sorted(set(request.gpus) - set(gpus))
    if missing and whole:
        return Fit(request.name, REFUSED, fit_text.no_such_gpu(request, missing, sorted(gpus)))
    if missing:
        return _unknown(request, fit_text.no_memory(missing))
    if not model.get("config"):
        return _unknown(request, str(model.get("why") or "nothing is known of its model"))
    try:
        shape = read_shape(model["config"], request.overrides)
    except ShapeError as error:
        return _unknown(request, str(error))
    strange = _strange_format(request, shape, model.get("weights"))
    if strange:
        return _unknown(request, f"how large its weights are in the format {strange} is not known")
    if shape.heads % request.tensor:
        return Fit(request.name, REFUSED, fit_text.heads(request, shape))
    gpu = min((gpus[index] for index in request.gpus), key=lambda one: one.memory)
    length = request.max_length or shape.max_length
    sequences, _ = batch(request, length, gpu.memory, gpu.name)
    weights = read_weights(shape, request, model.get("weights"))
    # Where vLLM is to find the length, it takes one of which a single sequence fits.
    wanted = 1 if request.max_length == 0 else min(concurrency, sequences)
    return Placed(request, shape, weights, gpu, wanted, neighbours)


def _strange_format(request: Request, shape: Shape, measured: Mapping[str, Any] | None) -> str | None:
    """A format of which only the files' own size would tell what it takes."""
    if shape.quantization is None:
        return request.quantization if request.quantization and request.quantization not in formats.ONLINE else None
    return None if shape.quantization.known or measured else shape.quantization.name


def _unknown(request: Request, why: str) -> Fit:
    return Fit(request.name, UNKNOWN, f"{request.name}: cannot judge whether it fits: {why}.")


def _judged(placed: Placed, known: Mapping[str, Placed]) -> Fit:
    needed = placed.need()
    name = placed.request.name
    crowded = fit_share.crowded(placed, list(known.values()))
    if crowded and crowded.claimed > crowded.usable:
        return Fit(name, REFUSED, fit_text.crowded(placed, crowded), needed)
    if placed.request.kv_bytes is None and placed.budget > placed.gpu.usable - CONTEXT:
        return Fit(name, REFUSED, fit_text.no_context(placed), needed)
    if not placed.fits(needed):
        advice = fit_advice.for_refused(placed, needed, [known[other] for other in placed.neighbours if other in known])
        return Fit(name, REFUSED, fit_text.refused(placed, needed, advice), needed, 0.0, tuple(advice))
    concurrency = placed.room(needed) / needed.sequence if needed.sequence else float("inf")
    if crowded:
        return Fit(name, TIGHT, fit_text.crowded(placed, crowded), needed, concurrency)
    if concurrency < placed.wanted:
        advice = fit_advice.for_tight(placed, needed)
        return Fit(name, TIGHT, fit_text.tight(placed, needed, concurrency, advice), needed, concurrency, tuple(advice))
    return Fit(name, FITS, fit_text.fits(placed, needed, concurrency), needed, concurrency)
