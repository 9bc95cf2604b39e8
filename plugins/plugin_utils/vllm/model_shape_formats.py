"""How many bytes a number takes: data types, quantised weights, quantised KV caches.

Sources, all of vLLM 0.32.0: vllm/config/cache.py (kv-cache-dtype), vllm/v1/kv_cache_interface.py (scales per token and
head), vllm/model_executor/layers/quantization/ (what a format stores), vllm/utils/torch_utils.py (formats that bring
their own kv-cache-dtype). Formats of weights: the model cards' `quantization_config`, as transformers documents it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Bytes of one number, by the name that config.json, engine_args or a safetensors header has for it.
DTYPE_BYTES = {
    "float32": 4.0,
    "float": 4.0,
    "F32": 4.0,
    "bfloat16": 2.0,
    "float16": 2.0,
    "half": 2.0,
    "BF16": 2.0,
    "F16": 2.0,
}

# kv-cache-dtype -> bytes of one number; `auto` is the model's own type. What scales and padding add is left out, except
# where they are a fixed share, so that nothing is refused for them.
KV_BYTES = {
    "bfloat16": 2.0,
    "float16": 2.0,
    "fp8": 1.0,
    "fp8_e4m3": 1.0,
    "fp8_e5m2": 1.0,
    "fp8_inc": 1.0,
    "fp8_per_token_head": 1.0,
    "int8_per_token_head": 1.0,
    "int4_per_token_head": 0.5,
    "nvfp4": 0.5 + 1 / 16,
    "nvfp4_4over6": 0.5 + 1 / 16,
    "turboquant_k8v4": 0.75,
    "turboquant_4bit_nc": 0.5,
    "turboquant_k3v4_nc": 0.4375,
    "turboquant_3bit_nc": 0.375,
    "ultraquant_4bit": 0.5,
}

# Whole rows of DeepSeek's latent cache: bytes per token and layer (vllm mla_attention.py).
MLA_ROWS = {"fp8_ds_mla": 656.0, "nvfp4_ds_mla": 352.0}


@dataclass(frozen=True)
class Quantization:
    """Weights that are stored in fewer bits.

    Attributes:
        name: as the operator knows it, such as `awq 4 bit`.
        linear: bytes per parameter of a linear layer, its scales and zero points included.
        experts_only: only the experts' weights are quantised; attention stays in the model's type.
        known: False for a format whose `linear` is only a guess, so that the files' own size must be known.
    """

    name: str
    linear: float
    experts_only: bool = False
    known: bool = True


def grouped(bits: int, group: int, zero_points: bool = True) -> float:
    """Bytes per parameter where `group` of them share a 16 bit scale and, if so, a zero point of `bits`."""
    share = (2 + (bits / 8 if zero_points else 0)) / group if group > 0 else 0.0
    return bits / 8 + share


# What `quantization:` of engine_args makes of a model that is stored in 16 bits (vllm/.../quantization/online, fp8.py).
ONLINE = {
    "fp8": Quantization("fp8", 1.0),
    "fp8_per_tensor": Quantization("fp8", 1.0),
    "fp8_per_block": Quantization("fp8", 1.0),
    "fp8_per_channel": Quantization("fp8", 1.0),
    "nvfp4_per_token": Quantization("nvfp4", 0.5 + 1 / 16),
    "int8_per_channel_weight_only": Quantization("int8", 1.0),
    "experts_int8": Quantization("int8 experts", 1.0, experts_only=True),
    "bitsandbytes": Quantization("bitsandbytes 4 bit", 0.5 + 4 / 64),
    "mxfp8": Quantization("mxfp8", 1 + 1 / 32),
}

# What the operator can look for when a model is too big.
VARIANTS = {"fp8": Quantization("fp8", 1.0), "4 bit": Quantization("4 bit", grouped(4, 128))}


def stored(config: Mapping[str, Any]) -> Quantization | None:
    """The quantisation that config.json says its weights have; None where it says none."""
    said = config.get("quantization_config") or config.get("compression_config") or {}
    if not said and isinstance(config.get("text_config"), Mapping):
        said = config["text_config"].get("quantization_config") or {}
    if not said:
        return None
    method = str(said.get("quant_method") or "").lower().replace("_", "-")
    if not method and (said.get("producer") or {}).get("name") == "modelopt":
        method = "modelopt"
    if method.startswith("modelopt"):
        return _modelopt(said)
    if method in ("awq", "gptq", "auto-round", "auto-awq", "auto-gptq", "gptq-marlin", "awq-marlin"):
        bits = int(said.get("bits") or said.get("w_bit") or 4)
        group = int(said.get("group_size") or said.get("q_group_size") or 128)
        return Quantization(f"{method} {bits} bit", grouped(bits, group))
    if method == "compressed-tensors":
        return _compressed_tensors(said)
    if method == "bitsandbytes":
        if said.get("load_in_8bit") or said.get("_load_in_8bit"):
            return Quantization("bitsandbytes 8 bit", 1.0)
        return ONLINE["bitsandbytes"]
    simple = {
        "fp8": Quantization("fp8", 1.0),
        "fbgemm-fp8": Quantization("fp8", 1.0),
        "mxfp4": Quantization("mxfp4", 0.5 + 1 / 32, experts_only=True),
        "gpt-oss-mxfp4": Quantization("mxfp4", 0.5 + 1 / 32, experts_only=True),
    }
    if method in simple:
        return simple[method]
    return _unknown(method)


def _unknown(name: str) -> Quantization:
    return Quantization(name or "without a name", 1.0, known=False)


def _modelopt(said: Mapping[str, Any]) -> Quantization:
    inner = said.get("quantization") if isinstance(said.get("quantization"), Mapping) else said
    algorithm = str(inner.get("quant_algo") or said.get("quant_algo") or "").upper()
    if algorithm.startswith("FP8"):
        return Quantization("fp8", 1.0)
    if algorithm == "NVFP4":
        return Quantization("nvfp4", 0.5 + 1 / 16)
    return _unknown(f"modelopt {algorithm}".strip())


def _compressed_tensors(said: Mapping[str, Any]) -> Quantization:
    groups = [group.get("weights") or {} for group in (said.get("config_groups") or {}).values()]
    if not groups:
        return _unknown("compressed-tensors without config_groups")
    # Where groups differ, the largest is taken for all of them: the file's own size is known in most cases anyway.
    weights = max(groups, key=lambda group: int(group.get("num_bits") or 16))
    bits = int(weights.get("num_bits") or 16)
    kind = "fp" if weights.get("type") == "float" else "int"
    group = int(weights.get("group_size") or 0)
    if kind == "fp" and bits == 4 and group == 16:
        return Quantization("nvfp4", 0.5 + 1 / 16)
    return Quantization(f"{kind}{bits}", grouped(bits, group, zero_points=not weights.get("symmetric", True)))


def own_kv_dtype(config: Mapping[str, Any]) -> str | None:
    """The kv-cache-dtype that a quantised model brings along, used when the operator says none.

    An fp8 cache that only some releases would use counts as used: it is the smaller one.
    """
    said = config.get("quantization_config") or {}
    inner = said.get("quantization") if isinstance(said.get("quantization"), Mapping) else {}
    scheme = (
        inner.get("kv_cache_scheme")
        or said.get("kv_cache_scheme")
        or inner.get("kv_cache_quant_algo")
        or said.get("kv_cache_quant_algo")
    )
    if isinstance(scheme, Mapping):
        return {8: "fp8", 4: "nvfp4"}.get(scheme.get("num_bits")) if scheme.get("type") == "float" else None
    return {"FP8": "fp8", "NVFP4": "nvfp4"}.get(str(scheme).upper()) if scheme else None
