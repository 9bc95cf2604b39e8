"""How many parameters a model has, counted from its config.json: for models whose weights nobody has measured yet.

The sums are those of the published architectures: attention with q, k, v and o; a gated MLP of three matrices unless
the family has two; DeepSeek's latent attention (arXiv 2405.04434, section 2.1); experts beside shared ones.
Norms and biases are left out: they are less than a thousandth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TWO_MATRICES = frozenset(
    ("bloom", "falcon", "gpt2", "gpt_bigcode", "gpt_neox", "gptj", "mpt", "nemotron", "opt", "phi", "starcoder2")
)
_EXPERTS = ("num_experts", "moe_num_experts", "n_routed_experts", "num_local_experts")
_CHOSEN = ("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_topk", "moe_top_k")


@dataclass(frozen=True)
class Parameters:
    """Numbers of parameters.

    Attributes:
        linear: all linear layers but the experts'.
        experts: the routed experts'.
        embedding, head: of the vocabulary; a tied head is 0.
        widest: columns of the MLP that each token passes, which its activations are as wide as: all chosen experts'.
        routed: columns of hidden size that each token is copied into for the experts; 0 without them.
    """

    linear: int
    experts: int
    embedding: int
    head: int
    widest: int
    routed: int

    @property
    def total(self) -> int:
        return self.linear + self.experts + self.embedding + self.head


def count(
    text: Mapping[str, Any], *, layers: int, hidden: int, heads: int, kv_heads: int, vocabulary: int
) -> Parameters:
    """The parameters of a language model.

    Args:
        text: its config.json.
    """
    matrices = 2 if text.get("model_type") in _TWO_MATRICES else 3
    dense = _first(text, ("intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim")) or 4 * hidden
    experts, chosen = _first(text, _EXPERTS), _first(text, _CHOSEN) or 1
    width = _first(text, ("moe_intermediate_size", "expert_ffn_hidden_size")) or dense
    if text.get("intermediate_size_mlp"):
        # Llama 4: intermediate_size is an expert's, intermediate_size_mlp that of the dense layers.
        width, dense = dense, int(text["intermediate_size_mlp"])
    routed = _routed_layers(text, layers) if experts else 0
    shared = _shared(text, width) if routed else 0
    linear = layers * _attention(text, hidden, heads, kv_heads) + (layers - routed) * matrices * hidden * dense
    linear += routed * (matrices * hidden * shared + hidden * experts)
    tied = bool(text.get("tie_word_embeddings", text.get("model_type") in ("gemma", "gemma2", "cohere", "cohere2")))
    return Parameters(
        linear=linear,
        experts=routed * experts * matrices * hidden * width,
        embedding=vocabulary * hidden,
        head=0 if tied else vocabulary * hidden,
        widest=max(dense if routed < layers else 0, chosen * width + shared if routed else 0),
        routed=chosen if routed else 0,
    )


def _first(text: Mapping[str, Any], keys: tuple[str, ...]) -> int:
    value = next((text[key] for key in keys if text.get(key) is not None), 0)
    return max(map(int, value)) if isinstance(value, list) else int(value)


def _attention(text: Mapping[str, Any], hidden: int, heads: int, kv_heads: int) -> int:
    if text.get("kv_lora_rank") and text.get("qk_rope_head_dim"):
        rank, rope = int(text["kv_lora_rank"]), int(text["qk_rope_head_dim"])
        nope, value = int(text.get("qk_nope_head_dim") or 128), int(text.get("v_head_dim") or 128)
        squeezed = int(text.get("q_lora_rank") or 0)
        query = hidden * squeezed + squeezed * heads * (nope + rope) if squeezed else hidden * heads * (nope + rope)
        return query + hidden * (rank + rope) + rank * heads * (nope + value) + heads * value * hidden
    size = int(text.get("head_dim") or hidden // heads)
    return 2 * hidden * heads * size + 2 * hidden * kv_heads * size


def _routed_layers(text: Mapping[str, Any], layers: int) -> int:
    """How many layers have experts: DeepSeek's, Qwen's and Llama 4's ways to say it."""
    if text.get("first_k_dense_replace") is not None:
        every = int(text.get("moe_layer_freq") or 1) if isinstance(text.get("moe_layer_freq"), int) else 1
        return len(range(int(text["first_k_dense_replace"]), layers, every))
    if isinstance(text.get("moe_layers"), list):
        return len(text["moe_layers"])
    every = int(text.get("decoder_sparse_step") or text.get("interleave_moe_layer_step") or 1)
    dense = {int(index) for index in text.get("mlp_only_layers") or []}
    return sum((index + 1) % every == 0 and index not in dense for index in range(layers))


def _shared(text: Mapping[str, Any], width: int) -> int:
    """Columns of the experts that every token passes."""
    if text.get("shared_expert_intermediate_size"):
        return int(text["shared_expert_intermediate_size"])
    if text.get("n_shared_experts"):
        return int(text["n_shared_experts"]) * width
    return width if str(text.get("model_type")).startswith("llama4") else 0
