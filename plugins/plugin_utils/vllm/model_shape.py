"""A model as far as memory goes, read from its config.json.

Source: vLLM 0.32.0, vllm/transformers_utils/model_arch_config_convertor.py (which keys it reads, and in which order)
and vllm/config/model.py (data type, context length).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import model_shape_formats as formats
from . import model_shape_layers as layer_kinds
from .model_shape_parameters import Parameters, count

# Where multimodal models keep the config of their language model.
_NESTED = ("text_config", "llm_config", "language_config", "thinker_config")
# Families whose attention vLLM keeps as one latent vector per token, if kv_lora_rank is there.
_LATENT = (
    "deepseek_v2",
    "deepseek_v3",
    "deepseek_v32",
    "deepseek_mtp",
    "glm4_moe_lite",
    "glm_moe_dsa",
    "kimi_k2",
    "kimi_linear",
    "longcat_flash",
    "pangu_ultra_moe",
    "axk1",
)
_LENGTHS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "model_max_length",
    "max_target_positions",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)
_KV_HEADS = ("n_head_kv", "num_kv_heads", "num_key_value_heads", "multi_query_group_num", "num_attention_groups")
# Their max_position_embeddings is what the scaling leads to already.
_SCALED = ("su", "longrope", "llama3", "yarn", "deepseek_yarn", "deepseek_llama_scaling")
# Multimodal configs leave out what transformers fills in: its defaults (configuration_<family>.py).
_DEFAULTS: dict[str, dict[str, Any]] = {
    "llama": {
        "vocab_size": 32000,
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "max_position_embeddings": 2048,
    },
    "gemma3_text": {
        "vocab_size": 262208,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "max_position_embeddings": 131072,
        "sliding_window": 4096,
        "tie_word_embeddings": True,
    },
}
_DEFAULTS["gemma3"] = _DEFAULTS["gemma3_text"]
_ALIASES = {
    "hidden_size": ("n_embd", "d_model"),
    "num_hidden_layers": ("n_layer", "num_layers", "n_layers"),
    "num_attention_heads": ("n_head", "n_heads"),
}


class ShapeError(ValueError):
    """What the model needs cannot be told; the text says why."""


@dataclass(frozen=True)
class Attention:
    """Layers that keep the same of each token.

    Attributes:
        kind: of model_shape_layers; `window` is how many tokens back the narrow ones look.
        values: numbers per token and KV head, keys and values together.
        latent: one vector for all heads, which tensor parallelism does not split.
    """

    kind: str
    layers: int
    kv_heads: int
    values: int
    window: int | None = None
    latent: bool = False


@dataclass(frozen=True)
class Shape:
    """`max_length` in tokens; `dtype` and `kv_dtype` as engine_args spell them; `uncounted` is for the reader."""

    family: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    vocabulary: int
    attention: tuple[Attention, ...]
    parameters: Parameters
    max_length: int
    dtype: str
    stored_dtype: str
    quantization: formats.Quantization | None
    kv_dtype: str | None
    uncounted: tuple[str, ...] = ()


def read_shape(config: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Shape:
    """The shape of a model.

    Args:
        config: its config.json.
        overrides: `hf-overrides` of engine_args.

    Raises:
        ShapeError: a key is missing, or the architecture is of a make that is not known here.
    """
    config = _merged(config, overrides if isinstance(overrides, Mapping) else {})
    text = _text_config(config)
    layers, hidden = _number(text, "num_hidden_layers"), _number(text, "hidden_size")
    heads, vocabulary = _number(text, "num_attention_heads"), _number(text, "vocab_size")
    kv_heads = next((text[key] for key in _KV_HEADS if text.get(key) is not None), heads)
    if not isinstance(kv_heads, int) or kv_heads < 1:
        raise ShapeError("its layers have different numbers of KV heads")
    if text.get("multi_query") is True and not text.get("new_decoder_architecture") and "n_head_kv" not in text:
        kv_heads = 1
    try:
        kinds = layer_kinds.kinds(text, layers)
    except layer_kinds.LayersError as error:
        raise ShapeError(str(error)) from error
    stored_dtype = _dtype(config, text)
    return Shape(
        family=str(config.get("model_type") or "unknown"),
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        vocabulary=vocabulary,
        attention=_attention(text, kinds, heads, kv_heads, hidden),
        parameters=count(text, layers=layers, hidden=hidden, heads=heads, kv_heads=kv_heads, vocabulary=vocabulary),
        max_length=_max_length(text),
        # vLLM takes a half-size type for a model that is stored in float32 (config/model.py, _resolve_auto_dtype).
        dtype="bfloat16" if stored_dtype == "float32" else stored_dtype,
        stored_dtype=stored_dtype,
        quantization=formats.stored(config),
        kv_dtype=formats.own_kv_dtype(config),
        uncounted=tuple(_uncounted(config, kinds)),
    )


def with_quantization(shape: Shape, quantization: formats.Quantization) -> Shape:
    """The same model in another variant."""
    return replace(shape, quantization=quantization)


def _text_config(config: Mapping[str, Any]) -> dict[str, Any]:
    text, defaults = dict(config), {}
    for _ in range(2):
        inner = next((text[key] for key in _NESTED if isinstance(text.get(key), Mapping)), None)
        if inner is None:
            break
        # Some keys stand beside the nested config only.
        outer = {key: text[key] for key in ("tie_word_embeddings", "torch_dtype", "dtype", "vocab_size") if key in text}
        text = {**outer, **inner}
        text.setdefault("model_type", str(config.get("model_type") or ""))
        defaults = _DEFAULTS.get(str(text["model_type"]), {})
    for name, others in _ALIASES.items():
        if text.get(name) is None:
            text[name] = next((text[other] for other in others if text.get(other) is not None), None)
    return {**defaults, **{key: value for key, value in text.items() if value is not None}}


def _merged(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(config)
    for key, value in overrides.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(value, Mapping) and isinstance(below, Mapping) else value
    return merged


def _number(text: Mapping[str, Any], key: str) -> int:
    value = text.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ShapeError(f"config.json says no {key}")
    return value


def _attention(
    text: Mapping[str, Any], kinds: list[str], heads: int, kv_heads: int, hidden: int
) -> tuple[Attention, ...]:
    latent = bool(text.get("kv_lora_rank")) and text.get("model_type") in _LATENT
    if latent:
        values = int(text["kv_lora_rank"]) + int(text.get("qk_rope_head_dim") or 0)
        kv_heads = 1
    else:
        size = text.get("head_dim") or text.get("hidden_size_per_head") or hidden // heads
        values = 2 * int(size)
    window = layer_kinds.window(text)
    counted = Counter(kind for kind in kinds if kind != layer_kinds.NONE)
    return tuple(
        Attention(kind, number, kv_heads, values, None if kind == layer_kinds.FULL else window, latent)
        for kind, number in sorted(counted.items())
    )


def _dtype(config: Mapping[str, Any], text: Mapping[str, Any]) -> str:
    said = config.get("dtype") or config.get("torch_dtype") or text.get("dtype") or text.get("torch_dtype")
    name = str(said or "bfloat16").removeprefix("torch.")
    return name if name in formats.DTYPE_BYTES else "bfloat16"


def _max_length(text: Mapping[str, Any]) -> int:
    said = [int(text[key]) for key in _LENGTHS if isinstance(text.get(key), (int, float))]
    if not said:
        return 2048
    scaling = text.get("rope_scaling") or text.get("rope_parameters") or {}
    factor = 1.0
    if isinstance(scaling, Mapping) and "gemma3" not in str(text.get("model_type")):
        kind = scaling.get("rope_type") or scaling.get("type")
        if kind not in _SCALED and isinstance(scaling.get("factor"), (int, float)):
            factor = float(scaling["factor"])
        if kind == "longrope" and text.get("original_max_position_embeddings"):
            return int(text["original_max_position_embeddings"])
    return int(min(said) * factor)


def _uncounted(config: Mapping[str, Any], kinds: list[str]) -> list[str]:
    notes = []
    if layer_kinds.NONE in kinds:
        notes.append("the state of its linear attention layers")
    if any(key in config for key in ("vision_config", "audio_config", "vision_tower", "mm_vision_tower")):
        notes.append("the encoder's activations and cache")
    return notes
