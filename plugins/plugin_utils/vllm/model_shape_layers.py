"""What each layer of a model keeps of a sequence: everything, a window of it, or no KV cache at all.

Source: vLLM 0.32.0, vllm/v1/kv_cache_interface.py (the kinds) and the models' own code (which layer is which).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FULL = "full"
WINDOW = "window"
CHUNK = "chunk"
NONE = "none"

# Words of config.json's `layer_types` and `layers_block_type`.
_WORDS = {
    "full_attention": FULL,
    "attention": FULL,
    "global_attention": FULL,
    "hybrid": FULL,
    "sliding_attention": WINDOW,
    "sliding_window": WINDOW,
    "chunked_attention": CHUNK,
    "linear_attention": NONE,
    "mamba": NONE,
    "mamba2": NONE,
    "conv": NONE,
    "recurrent": NONE,
    "moe": NONE,
    "mlp": NONE,
}

# model_type -> every how many layers one sees everything, where config.json does not say.
_PATTERNS = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "cohere2": 4, "llama4": 4, "llama4_text": 4}

# Families whose `sliding_window` is only used when a switch beside it says so.
_SWITCHED = ("qwen2", "qwen3", "qwen2_moe", "qwen3_moe", "qwen2_vl", "qwen2_5_vl", "qwen2_vl_text", "qwen2_5_vl_text")


class LayersError(ValueError):
    """It cannot be told what the layers keep; the text says why."""


def kinds(text: Mapping[str, Any], layers: int) -> list[str]:
    """One kind per layer.

    Args:
        text: config.json of the language model.
        layers: how many it has.

    Raises:
        LayersError: its layers are of a make that is not known here.
    """
    if text.get("block_configs") or text.get("compress_ratios") or text.get("global_head_dim"):
        raise LayersError("its layers have different shapes")
    listed = text.get("layer_types") or text.get("layers_block_type")
    if listed:
        found = _listed(listed, layers)
    elif text.get("hybrid_override_pattern"):
        found = [FULL if letter == "*" else NONE for letter in text["hybrid_override_pattern"]]
    elif any(str(key).startswith(("mamba_", "ssm_")) for key in text) or text.get("attn_type_list"):
        raise LayersError("config.json does not list which of its layers are attention")
    else:
        found = _by_family(text, layers)
    # The last layers of some models read the cache of earlier ones (num_kv_shared_layers).
    shared = int(text.get("num_kv_shared_layers") or 0)
    return found[: len(found) - shared] if shared else found


def window(text: Mapping[str, Any]) -> int | None:
    """How many tokens a windowed or chunked layer looks back."""
    size = text.get("sliding_window") or text.get("attention_chunk_size")
    return int(size) if isinstance(size, int) and size > 0 else None


def _listed(listed: Sequence[str], layers: int) -> list[str]:
    unknown = sorted({str(word) for word in listed} - set(_WORDS))
    if unknown:
        raise LayersError(f"it has layers of an unknown kind, {', '.join(unknown)}")
    return [_WORDS[word] for word in listed[:layers]]


def _by_family(text: Mapping[str, Any], layers: int) -> list[str]:
    family = str(text.get("model_type") or "")
    if window(text) is None:
        return [FULL] * layers
    if not text.get("use_sliding_window", family not in _SWITCHED):
        return [FULL] * layers
    if "max_window_layers" in text:
        first = int(text["max_window_layers"] or 0)
        return [WINDOW if index >= first else FULL for index in range(layers)]
    narrow = WINDOW if text.get("sliding_window") else CHUNK
    every = int(text.get("sliding_window_pattern") or _PATTERNS.get(family) or 0)
    if every > 1:
        return [FULL if (index + 1) % every == 0 else narrow for index in range(layers)]
    return [narrow] * layers
