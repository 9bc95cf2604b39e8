"""A tiny Llama with random weights and a byte-level tokenizer, in the files of the Hugging Face format.

It is written without the libraries that usually do: the format of the weights is a JSON header before raw numbers.
The same seed gives the same bytes.
"""

from __future__ import annotations

import array
import json
import random
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.files import write_atomically
from lab.mirror.manifest import Manifest, recipe_digest
from lab.progress import step

_EMBEDDING = "model.embed_tokens.weight"
_SPECIAL = ("<s>", "</s>")
_CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


@dataclass(frozen=True)
class Model:
    """The model of lab/mirror.yml: its name in the mirror, the commit it would have on the hub, and its shape."""

    name: str
    revision: str
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    head_dim: int
    context: int
    seed: int

    @property
    def path(self) -> str:
        return f"models/{self.name}"

    @property
    def url(self) -> str:
        """Where the publisher would have the files; a file's name follows after a slash."""
        return f"https://huggingface.co/{self.name}/resolve/{self.revision}"

    @property
    def vocabulary_size(self) -> int:
        return len(_SPECIAL) + 256


def make(model: Model, manifest: Manifest) -> None:
    recipe = recipe_digest([asdict(model), Path(__file__).read_text()])
    before = manifest.below(model.path)
    if before and all(manifest.holds(path, recipe) for path in before):
        return
    with step(f"Making the model {model.name}"):
        folder = manifest.root / model.path
        made = files(model)
        for name, content in made.items():
            write_atomically(folder / name, content)
        source = "random weights, made by lab/mirror/model.py"
        manifest.put_folder(before, [folder / name for name in made], source=source, recipe=recipe)


def files(model: Model) -> dict[str, str | bytes]:
    """Every file of the model: name -> content."""
    return {
        "config.json": _json(_config(model)),
        "generation_config.json": _json({"bos_token_id": 0, "eos_token_id": 1}),
        "tokenizer.json": _json(_tokenizer()),
        "tokenizer_config.json": _json(_tokenizer_config(model)),
        "chat_template.jinja": _CHAT_TEMPLATE,
        "model.safetensors": safetensors(_weights(model)),
    }


def safetensors(tensors: Mapping[str, tuple[tuple[int, ...], array.array]]) -> bytes:
    """name -> (shape, 32-bit floats) in the safetensors format: header length (8 bytes), JSON header, data."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = bytearray()
    for name, (shape, numbers) in sorted(tensors.items()):
        raw = array.array("f", numbers)
        if sys.byteorder == "big":
            raw.byteswap()
        start = len(data)
        data += raw.tobytes()
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(data)


def _weights(model: Model) -> dict[str, tuple[tuple[int, ...], array.array]]:
    generator = random.Random(model.seed)  # noqa: S311 - weights, no secret
    tensors = {}
    for name, shape in _shapes(model):
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        is_norm = len(shape) == 1
        numbers = [1.0] * count if is_norm else [generator.gauss(0.0, 0.02) for _ in range(count)]
        tensors[name] = (shape, array.array("f", numbers))
    _prefer_letters(tensors[_EMBEDDING][1], model.hidden_size)
    return tensors


def _prefer_letters(embedding: array.array, hidden_size: int) -> None:
    """Make letters and the space likelier than all other tokens, so that completions can be shown on a terminal."""
    for letter in b"abcdefghijklmnopqrstuvwxyz ":
        start = (len(_SPECIAL) + letter) * hidden_size
        for position in range(start, start + hidden_size):
            embedding[position] *= 50


def _shapes(model: Model) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, inner, attention = model.hidden_size, model.intermediate_size, model.heads * model.head_dim
    yield _EMBEDDING, (model.vocabulary_size, hidden)
    for number in range(model.layers):
        layer = f"model.layers.{number}"
        yield f"{layer}.input_layernorm.weight", (hidden,)
        for name in ("q", "k", "v"):
            yield f"{layer}.self_attn.{name}_proj.weight", (attention, hidden)
        yield f"{layer}.self_attn.o_proj.weight", (hidden, attention)
        yield f"{layer}.post_attention_layernorm.weight", (hidden,)
        yield f"{layer}.mlp.gate_proj.weight", (inner, hidden)
        yield f"{layer}.mlp.up_proj.weight", (inner, hidden)
        yield f"{layer}.mlp.down_proj.weight", (hidden, inner)
    yield "model.norm.weight", (hidden,)


def _config(model: Model) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "hidden_size": model.hidden_size,
        "intermediate_size": model.intermediate_size,
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads,
        "num_key_value_heads": model.heads,
        "head_dim": model.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": model.context,
        "rms_norm_eps": 1e-06,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        "tie_word_embeddings": True,
        "vocab_size": model.vocabulary_size,
        "bos_token_id": 0,
        "eos_token_id": 1,
    }


def _tokenizer() -> dict[str, Any]:
    """A BPE tokenizer without merges: each byte is a token, so any text can be told to the model."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    tokens = [*_SPECIAL, *_byte_letters()]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, "content": token, **flags} for number, token in enumerate(_SPECIAL)],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [],
        },
    }


def _tokenizer_config(model: Model) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": _SPECIAL[0],
        "eos_token": _SPECIAL[1],
        "model_max_length": model.context,
    }


def _byte_letters() -> list[str]:
    """The letter by which byte-level tokenizers write each byte: itself if it prints, else one from U+0100 on."""
    printing = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    substitutes = iter(range(0x100, 0x200))
    return [chr(byte if byte in printing else next(substitutes)) for byte in range(256)]


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
