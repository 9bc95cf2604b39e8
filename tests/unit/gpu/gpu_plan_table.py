"""The machines of the tables: a base with what differs, and what the plan must be."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
BASES: dict[str, Any] = yaml.safe_load((HERE / "bases.yml").read_text(encoding="utf-8"))


def cases() -> list[dict[str, Any]]:
    """Every machine of every table."""
    return [
        case
        for file in sorted((HERE / "machines").glob("*.yml"))
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))
    ]


def facts_of(case: dict[str, Any]) -> dict[str, Any]:
    return changed(BASES[case["base"]], case.get("facts") or {})


def wishes_of(case: dict[str, Any]) -> dict[str, Any]:
    return changed(BASES["wishes"], case.get("wishes") or {})


def changed(base: Any, delta: dict[str, Any]) -> Any:
    """`base` with `delta` merged in. A key may be a path with dots; `=` in front of a key replaces what was there."""
    result = copy.deepcopy(base)
    for path, value in delta.items():
        holder, key = _holder(result, path.lstrip("="))
        if isinstance(value, dict) and isinstance(holder[key], dict) and not path.startswith("="):
            holder[key] = changed(holder[key], value)
        else:
            holder[key] = copy.deepcopy(value)
    return result


def _holder(node: Any, path: str) -> tuple[Any, Any]:
    """Where a path ends. Kernels' names have dots too, so a whole name goes before its parts."""
    if isinstance(node, list):
        head, _, rest = path.partition(".")
        return _holder(node[int(head)], rest) if rest else (node, int(head))
    if path in node or "." not in path or path.split(".", 1)[0] not in node:
        node.setdefault(path, None)
        return node, path
    head, _, rest = path.partition(".")
    return _holder(node[head], rest)
