# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""How large a model's weights are, from the files' own tables: nothing of the weights themselves is read.

A safetensors file begins with the length of its header, 8 bytes little-endian, and the header, JSON of
`name: {"dtype": ..., "shape": [...], "data_offsets": [begin, end]}` (https://github.com/huggingface/safetensors,
README, "Format").
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any

INDEX = "model.safetensors.index.json"
_MOST_HEADER = 100_000_000
_OTHER_WEIGHTS = (".bin", ".pt", ".pth", ".gguf")


def weights_in(folder: str) -> dict[str, Any] | None:
    """`bytes`, `source` and, where headers could be read, `dtypes` (bytes per type); None if nothing tells.

    As vLLM loads them (model_loader/weight_utils.py): the files of the index where there is one, else all safetensors,
    else files of other formats.
    """
    index = index_in(folder)
    names = sorted(name for name in _names(folder) if name.endswith(".safetensors"))
    if index is not None:
        listed = sorted(set(index[1]))
        if not set(listed) <= set(names):
            return from_index(index[0])
        names = listed
    elif any(not name.startswith("consolidated") for name in names):
        # Mistral's own format of the same weights, beside the usual one.
        names = [name for name in names if not name.startswith("consolidated")]
    if names:
        measured = _from_headers([os.path.join(folder, name) for name in names])
        return measured or (from_index(index[0]) if index else None)
    others = [os.path.join(folder, name) for name in _names(folder) if name.endswith(_OTHER_WEIGHTS)]
    total = sum(os.path.getsize(path) for path in others)
    return {"bytes": total, "source": "the size of its files"} if total else None


def index_in(folder: str) -> tuple[int, list[str]] | None:
    """`total_size` and the files of an index; None where there is none that can be read."""
    try:
        with open(os.path.join(folder, INDEX), "rb") as file:
            return parse_index(file.read())
    except OSError:
        return None


def parse_index(content: bytes) -> tuple[int, list[str]] | None:
    """See index_in."""
    try:
        index = json.loads(content.decode("utf-8"))
        return int(index["metadata"]["total_size"]), [str(name) for name in index["weight_map"].values()]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def from_index(total: int) -> dict[str, Any] | None:
    """What an index alone tells."""
    return {"bytes": total, "source": INDEX} if total > 0 else None


def header(path: str) -> dict[str, int]:
    """Bytes per type of one file.

    Raises:
        ValueError, OSError: it is no safetensors file, or cannot be read.
    """
    with open(path, "rb") as file:
        start = file.read(8)
        if len(start) < 8:
            raise ValueError("too short")
        length = struct.unpack("<Q", start)[0]
        if length > _MOST_HEADER:
            raise ValueError("its header is too long")
        table = json.loads(file.read(length).decode("utf-8"))
    found = {}
    for name, tensor in table.items():
        if name != "__metadata__":
            begin, end = tensor["data_offsets"]
            found[tensor["dtype"]] = found.get(tensor["dtype"], 0) + int(end) - int(begin)
    return found


def _from_headers(paths: list[str]) -> dict[str, Any] | None:
    dtypes = {}
    try:
        for path in paths:
            for name, size in header(path).items():
                dtypes[name] = dtypes.get(name, 0) + size
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    total = sum(dtypes.values())
    files = "1 safetensors file" if len(paths) == 1 else f"{len(paths)} safetensors files"
    return {"bytes": total, "source": f"the headers of {files}", "dtypes": dtypes} if total else None


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
