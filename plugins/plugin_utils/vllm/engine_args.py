"""Engine arguments as the inventory writes them, judged against the real arguments of a version of `vllm serve`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

# What older guides say and this server does not know, or knows under another name -> what to write instead.
REMOVED = {
    "enable-metrics": "leave it out: /metrics is always served, on the port of the API",
    "metrics-port": "leave it out: /metrics is always served, on the port of the API",
    "metrics-prefix": "leave it out: the names begin with vllm:",
    "disable-log-requests": "leave it out: requests are not logged unless enable-log-requests is true",
    "gpu-memory": "write gpu-memory-utilization, a fraction such as 0.9",
    "num-gpus": "list them in `gpus` of the instance",
    "device": "set vllm_device",
    "swap-space": "leave it out: this version has no swap space; see kv-offloading-size",
    "use-v2-block-manager": "leave it out: there is only one block manager now",
    "worker-use-ray": "write distributed-executor-backend: ray",
    "engine-use-ray": "write distributed-executor-backend: ray",
    "guided-decoding-backend": "write structured-outputs-config: {backend: ...}",
    "rope-scaling": "write hf-overrides: {rope_scaling: ...}",
    "max-context-len-to-capture": "write max-cudagraph-capture-size",
    "max-seq-len-to-capture": "write max-cudagraph-capture-size",
    "tp": "write tensor-parallel-size, or list `gpus` of the instance",
    "pp": "write pipeline-parallel-size",
    "dp": "write data-parallel-size",
    "q": "write quantization",
}

# What the role writes itself -> where to say it.
OWNED = {
    "config": "the role writes the configuration file",
    "model": "set `model` of the instance",
    "model-tag": "set `model` of the instance",
    "revision": "set `revision` of the instance",
    "served-model-name": "set `served_model_name` of the instance",
    "host": "set `listen_host` of the instance",
    "port": "set `port` of the instance",
    "uds": "the role serves over TCP; set `listen_host` and `port` of the instance",
    "api-key": "set `api_key` of the instance; here it would be readable for every user of the host",
    "hf-token": "set vllm_hub_token; here it would be readable for every user of the host",
    "download-dir": "models that vLLM fetches lie under /var/lib/vllm",
    "shutdown-timeout": "set vllm_shutdown_timeout, which the unit's stop time-out follows",
    "device-ids": "list them in `gpus` of the instance",
    "headless": "the role runs servers that answer; there would be no endpoint to check",
    "grpc": "the role runs the HTTP server; there would be no endpoint to check",
}

# A plugin may add further choices to these.
_EXTENDED_BY = {"tool-call-parser": "tool-parser-plugin", "reasoning-parser": "reasoning-parser-plugin"}


def problems(arguments: Mapping[str, Any], flags: Mapping[str, str | list[str]], version: str) -> list[str]:
    """One sentence per problem.

    Args:
        arguments: argument without dashes in front -> value.
        flags: what `vllm serve` of this version knows: argument -> `switch`, `value`, `list`, or its choices.
    """
    found = []
    for name, value in arguments.items():
        said = _name_problem(str(name), flags, version) or _value_problem(name, value, flags[name], arguments)
        if said:
            found.append(f"engine_args: {name}: {said}")
    return found


def _name_problem(name: str, flags: Mapping[str, Any], version: str) -> str | None:
    bare = name.lstrip("-").replace("_", "-")
    if bare in OWNED:
        return f"{OWNED[bare]}."
    if bare in REMOVED and bare not in flags:
        return f"vLLM {version} does not have it; {REMOVED[bare]}."
    if name in flags:
        return None
    if bare in flags:
        return f"write {bare}."
    if bare.startswith("no-") and bare[3:] in flags:
        return f"write {bare[3:]}: false."
    near = get_close_matches(bare, list(flags), n=1, cutoff=0.6)
    return f"vLLM {version} does not have it" + (f"; did you mean {near[0]}?" if near else ".")


def _value_problem(name: str, value: Any, kind: str | list[str], arguments: Mapping[str, Any]) -> str | None:
    if value is None:
        return "has no value; write one, or leave the line out."
    if kind == "switch":
        return None if isinstance(value, bool) else f"is {value!r}; write true or false."
    if isinstance(value, bool):
        return f"is {str(value).lower()}, but takes a value."
    if isinstance(value, list) and kind != "list":
        return "is a list, but takes one value."
    if isinstance(kind, list) and str(value) not in kind and _EXTENDED_BY.get(name) not in arguments:
        near = get_close_matches(str(value), kind, n=1)
        choices = ", ".join(kind) if len(kind) <= 12 else f"{', '.join(kind[:12])} and {len(kind) - 12} more"
        return f"is {value!r}; " + (f"did you mean {near[0]}? " if near else "") + f"The choices are {choices}."
    return None
