"""The environment of an instance, as systemd's EnvironmentFile= reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# What the role sets itself -> where to say it.
OWNED = {
    "CUDA_VISIBLE_DEVICES": "list the devices in `gpus` of the instance",
    "VLLM_API_KEY": "set `api_key` of the instance",
    "HF_TOKEN": "set vllm_hub_token",
    "HF_HOME": "the unit keeps it under /var/lib/vllm",
    "VLLM_CACHE_ROOT": "the unit keeps it under /var/cache/vllm",
    "HOME": "the unit sets it",
}


def problems(environment: Mapping[str, Any]) -> list[str]:
    """One sentence per problem."""
    found = []
    for name, value in environment.items():
        said = _problem(str(name), value)
        if said:
            found.append(f"environment: {name}: {said}")
    return found


def _problem(name: str, value: Any) -> str | None:
    if not _NAME.fullmatch(name):
        return "is no name of an environment variable."
    if name in OWNED:
        return f"{OWNED[name]}."
    if value is None or str(value) == "":
        return "is empty, which vLLM takes for a value; leave the line out."
    if isinstance(value, (dict, list)):
        return "must be one value."
    return "has a line break in it." if "\n" in str(value) else None


def render(values: Mapping[str, Any]) -> str:
    """The file's text: sorted, every value quoted so that systemd passes it on literally."""
    lines = ["# Managed by Ansible (gpufleet.serving.vllm); changes made here are lost."]
    lines += [f'{name}="{_escaped(_text(values[name]))}"' for name in sorted(values)]
    return "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _escaped(text: str) -> str:
    # In double quotes systemd reads a backslash before these four, and nothing else, as an escape.
    return re.sub(r'([\\"`$])', r"\\\1", text)
