"""What an instance needs of each of its GPUs, in bytes.

How vLLM 0.32.0 counts (vllm/v1/worker/gpu_worker.py, determine_available_memory; vllm/v1/worker/utils.py,
request_memory; vllm/v1/core/kv_cache_utils.py, _check_enough_kv_cache_memory): gpu-memory-utilization of the GPU's
total memory is its budget. Weights, the peak of a forward pass with max-num-batched-tokens, CUDA graphs and what
libraries allocate come off it; the rest is KV cache. It refuses to start where that holds less than one sequence of
max-model-len, or where less than the budget is free to begin with.

What is computed here is computed as vLLM does. What can only be measured is a constant below, with what it was
compared to; tests/unit/vllm/fit_measured.yml holds the whole against start-up logs. All of it leans to the low side:
an instance is refused for what is certain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import model_shape_formats as formats
from . import model_shape_layers as kinds
from .fit_request import GIB, Request, batch
from .model_shape import Attention, Shape

MIB = 1024**2

# nvidia-smi's total minus CUDA's. Seen: 424 (A10), 430 (RTX 3090), 451 (T4), 484 (RTX 5090), about 550 (H100) MiB.
DRIVER_RESERVE = 400 * MIB
# A process' CUDA context lies outside its budget and takes from what is free: this much at the very least.
CONTEXT = 150 * MIB
# cuBLAS workspaces, the kernels of FlashAttention, Triton and Inductor, the allocator's slack. Start-up logs of 8B
# models on one GPU leave 0.2 to 0.9 GiB when weights, activations and graphs are taken off.
LIBRARIES = 400 * MIB
# NCCL's and custom all-reduce's buffers, where a model spreads over several GPUs. Seen: 0.3 GiB and more.
COMMUNICATION = 300 * MIB
# CUDA graphs: 0.37 GiB for 54 graphs, 0.55 and 0.64 for 86, 0.36 for 16 in the logs.
GRAPHS_BASE = 100 * MIB
GRAPH = 5 * MIB
MAX_CAPTURE = 512
# Bytes per max-num-seqs and word of the vocabulary: logits in 16 bit, in float32, and the probabilities (v1/sample).
SAMPLER = 10
# Vectors of hidden size per token that live at the peak: input, residual and their like.
RESIDUALS = 4


@dataclass(frozen=True)
class Weights:
    """Bytes of a model's weights as vLLM holds them, over all GPUs. `source` says where the number is from."""

    linear: float
    experts: float
    embedding: float
    head: float
    source: str

    @property
    def total(self) -> float:
        return self.linear + self.experts + self.embedding + self.head


@dataclass(frozen=True)
class Need:
    """Bytes on one GPU.

    Attributes:
        sequence: KV cache of one sequence of `length` tokens.
        token: KV cache that a further token takes in long contexts; 0 where only windows are kept.
    """

    weights: float
    activations: float
    graphs: float
    libraries: float
    sequence: float
    token: float
    length: int
    sequences: int

    @property
    def engine(self) -> float:
        return self.activations + self.graphs + self.libraries

    @property
    def fixed(self) -> float:
        return self.weights + self.engine

    @property
    def total(self) -> float:
        """With one sequence, which is the least that vLLM starts with."""
        return self.fixed + self.sequence


def read_weights(shape: Shape, request: Request, measured: Mapping[str, Any] | None) -> Weights:
    """The weights in the type that they are served in.

    Args:
        measured: `bytes` of the files, `source`, and `dtypes`: bytes per type of a safetensors header, if known.
    """
    parameters = shape.parameters
    dtype = shape.dtype if request.dtype == "auto" else request.dtype
    served = formats.DTYPE_BYTES.get(dtype, 2.0)
    quantization = shape.quantization or formats.ONLINE.get(request.quantization or "")
    linear = quantization.linear if quantization and not quantization.experts_only else served
    experts = quantization.linear if quantization else served
    counted = Weights(
        parameters.linear * linear,
        parameters.experts * experts,
        parameters.embedding * served,
        parameters.head * served,
        f"{_number(parameters.total)} parameters counted from config.json",
    )
    if not measured or not measured.get("bytes"):
        return counted
    # What was measured is spread like what was counted. Quantised files are served as they are; others are converted.
    stored = _stored_size(shape, measured)
    as_stored = parameters.total * stored if shape.quantization is None else counted.total
    scale = float(measured["bytes"]) / as_stored
    return Weights(
        counted.linear * scale,
        counted.experts * scale,
        counted.embedding * scale,
        counted.head * scale,
        str(measured.get("source") or "measured"),
    )


def _number(count: int) -> str:
    return f"{count / 1e9:.1f} billion" if count >= 1e8 else f"{count / 1e6:.1f} million"


def _stored_size(shape: Shape, measured: Mapping[str, Any]) -> float:
    known = {name: size for name, size in (measured.get("dtypes") or {}).items() if name in formats.DTYPE_BYTES}
    if known:
        return formats.DTYPE_BYTES[max(known, key=lambda name: known[name])]
    return formats.DTYPE_BYTES[shape.stored_dtype]


def weights_per_gpu(weights: Weights, shape: Shape, request: Request) -> float:
    """Of the GPU that holds most: layers are dealt out over pipeline stages, matrices split over tensor ranks, the
    embedding by rows (vocab_parallel_embedding.py); experts split over data parallel ranks too."""
    stage = math.ceil(shape.layers / request.pipeline) / shape.layers
    layers = (weights.linear / request.tensor + weights.experts / (request.tensor * request.data)) * stage
    # The first stage holds the embedding, the last one the head; a tied head is the same matrix once more.
    tables = (weights.embedding, weights.head)
    ends = sum(tables) if request.pipeline == 1 else max(tables)
    return max(0.0, layers + ends / request.tensor - request.offloaded)


def kv_bytes(shape: Shape, request: Request, length: int, in_flight: int) -> float:
    """KV cache of one sequence on one GPU.

    Args:
        in_flight: tokens that are scheduled and not settled yet: windows keep them too.
    """
    stage = math.ceil(shape.layers / request.pipeline) / shape.layers
    return sum(
        layer.layers
        * stage
        * _token(layer, shape, request)
        * request.block
        * _blocks(layer, length, in_flight, request)
        for layer in shape.attention
    )


def _blocks(layer: Attention, length: int, in_flight: int, request: Request) -> int:
    """vllm/v1/kv_cache_interface.py, max_memory_usage_bytes of each kind."""
    block = request.block
    if layer.kind == kinds.FULL or layer.window is None:
        return math.ceil(length / block)
    if layer.kind == kinds.CHUNK:
        return math.ceil(min(layer.window + in_flight, length) / block)
    return math.ceil(min(layer.window - 1 + in_flight, length) / block) + 1


def _token(layer: Attention, shape: Shape, request: Request) -> float:
    """Bytes per token and layer. Fewer KV heads than tensor ranks are replicated, one at least for each."""
    name = request.kv_dtype if request.kv_dtype != "auto" else shape.kv_dtype or "auto"
    if layer.latent and name in formats.MLA_ROWS:
        return formats.MLA_ROWS[name]
    dtype = shape.dtype if request.dtype == "auto" else request.dtype
    size = formats.KV_BYTES.get(name, formats.DTYPE_BYTES.get(dtype, 2.0))
    heads = 1 if layer.latent else max(1, layer.kv_heads // request.tensor)
    return heads * layer.values * size


def token_bytes(shape: Shape, request: Request) -> float:
    """What one more token of a long sequence takes on one GPU."""
    stage = math.ceil(shape.layers / request.pipeline) / shape.layers
    return sum(
        layer.layers * stage * _token(layer, shape, request) for layer in shape.attention if layer.kind == kinds.FULL
    )


def need(
    shape: Shape, weights: Weights, request: Request, length: int, memory: int, gpu_name: str | None = None
) -> Need:
    """What one GPU must hold for sequences of `length` tokens. `memory` is the GPU's, in bytes."""
    sequences, tokens = batch(request, length, memory, gpu_name)
    # Asynchronous scheduling keeps one batch more in flight than there are pipeline stages (config/vllm.py).
    in_flight = (request.pipeline + 1) * tokens
    spread = request.tensor * request.pipeline * request.data > 1
    return Need(
        weights=weights_per_gpu(weights, shape, request),
        activations=_activations(shape, request, sequences, tokens),
        graphs=0.0 if request.eager else _graphs(sequences),
        libraries=LIBRARIES + (COMMUNICATION if spread else 0),
        sequence=kv_bytes(shape, request, length, in_flight),
        token=token_bytes(shape, request),
        length=length,
        sequences=sequences,
    )


def _activations(shape: Shape, request: Request, sequences: int, tokens: int) -> float:
    """The larger of two peaks: an MLP on all tokens of a batch, and the sampling of a token for each sequence."""
    parameters = shape.parameters
    columns = RESIDUALS * shape.hidden + 3 * parameters.widest / request.tensor + parameters.routed * shape.hidden
    return max(2.0 * tokens * columns, float(SAMPLER * sequences * shape.vocabulary))


def _graphs(sequences: int) -> float:
    """One graph per size of a batch, twice: piecewise up to twice max-num-seqs, whole ones up to max-num-seqs."""
    return GRAPHS_BASE + GRAPH * (_sizes(min(2 * sequences, MAX_CAPTURE)) + _sizes(min(sequences, MAX_CAPTURE)))


def _sizes(largest: int) -> int:
    sizes = [1, 2, 4, *range(8, 256, 8), *range(256, MAX_CAPTURE + 1, 16)]
    return sum(size <= largest for size in sizes)


def gib(count: float) -> str:
    """Bytes for people."""
    return f"{count / GIB:.1f} GiB" if count >= GIB or count == 0 else f"{count / GIB:.2f} GiB"
