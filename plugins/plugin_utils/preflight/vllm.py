"""What the variables of vLLM must say together, beyond what their types say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from ..scrape import ScrapeError
from ..slo import objectives
from ..slo.gather import merge
from ..vllm import engine_args, environment, fit_inventory
from ..vllm.instances import NAME, is_path, parallel_sizes, with_defaults
from ..vllm.sources import SourceError, flags, indicators, requirements_file

_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_OWN_LABELS = {"instance", "job", "site", "model_name", "vllm_instance", "engine"}
_MEMORY = "gpu-memory-utilization"
_DEFAULT_MEMORY = 0.92


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence per problem. `values` are the role's public variables of one host."""
    if values["vllm_state"] == "absent":
        return []
    if not values["vllm_instances"]:
        return ["vllm_instances is empty, so there is nothing to serve; list at least one with a name and a model."]
    instances = [with_defaults(instance, values) for instance in values["vllm_instances"]]
    found = list(_shared(instances, values))
    for instance in instances:
        found += [f"{instance['name']}: {said}" for said in _one(instance, values)]
    if values["vllm_python"] != "standalone" and not values["vllm_python"].startswith("/"):
        found.append(
            f"vllm_python is {values['vllm_python']!r}; write standalone, or the absolute path of a Python 3.11."
        )
    if any(character.isspace() for character in values["vllm_hub_token"]):
        found.append("vllm_hub_token has white space in it.")
    # What is misspelt above could be misread below.
    return found or fit_inventory.problems(values)


def fleet_problems(values: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the hosts contradict each other in. `values` are the role's public variables by host."""
    instances = [
        (host, with_defaults(instance, variables))
        for host, variables in sorted(values.items())
        if variables["vllm_state"] != "absent"
        for instance in variables["vllm_instances"]
    ]
    try:
        merge((host, one["served_model_names"][0], one.get("objectives")) for host, one in instances)
    except ScrapeError as error:
        return [str(error)]
    return []


def _shared(instances: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> Iterator[str]:
    """What instances must not have in common."""
    for what in ("name", "port"):
        for value, times in Counter(instance[what] for instance in instances).items():
            if times > 1:
                names = " and ".join(str(i["name"]) for i in instances if i[what] == value)
                yield f"{times} instances have the {what} {value}" + (f": {names}." if what == "port" else ".")
    if values["vllm_device"] == "cpu":
        return
    if len(instances) > 1:
        for instance in instances:
            if not instance["gpus"]:
                yield f"{instance['name']}: with several instances on a host each must say its gpus, such as gpus: [0]."
    for gpu in sorted({gpu for instance in instances for gpu in instance["gpus"]}):
        sharing = [instance for instance in instances if gpu in instance["gpus"]]
        wanted = sum(float(i["engine_args"].get(_MEMORY, _DEFAULT_MEMORY)) for i in sharing)
        if len(sharing) > 1 and wanted > 1:
            yield (
                f"{' and '.join(i['name'] for i in sharing)} share GPU {gpu} and together ask for {wanted:.2f} of its "
                f"memory; set engine_args {_MEMORY} of each so that the sum stays below 1."
            )


def _one(instance: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    if not NAME.fullmatch(instance["name"]):
        yield "the name becomes part of a unit's name; write small letters, digits and . _ - only."
    if not 0 < instance["port"] < 65536:
        yield f"port {instance['port']} is no port; write 1 to 65535."
    yield from _model(instance)
    yield from _gpus(instance, values["vllm_device"])
    try:
        requirements_file(instance["version"], values["vllm_device"], values["vllm_requirements_dir"])
        yield from engine_args.problems(instance["engine_args"], flags(instance["version"]), instance["version"])
    except SourceError as error:
        yield f"version: {error}"
    yield from objectives.problems(instance.get("objectives") or {}, indicators())
    yield from environment.problems(instance["environment"])
    if any(character in instance["api_key"] for character in "\n\r\0"):
        yield "api_key has a line break in it."
    for label in instance["labels"]:
        if not _LABEL.fullmatch(label) or label.startswith("__"):
            yield f"labels: {label!r} is no name of a label."
        elif label in _OWN_LABELS:
            yield f"labels: {label} is set by gpufleet itself."


def _model(instance: Mapping[str, Any]) -> Iterator[str]:
    model, revision = instance["model"], instance["revision"]
    if is_path(model):
        if revision:
            yield f"model {model} is a folder on the host, which has no revision."
    elif not _HUB_ID.fullmatch(model):
        yield f"model {model!r} is neither an absolute path nor an id of the hub such as meta-llama/Llama-3.1-8B."
    elif not _COMMIT.fullmatch(str(revision or "")):
        said = f"revision {revision!r} can move" if revision else "a model of the hub needs a revision"
        yield (
            f"{said}; pin the commit: `git ls-remote https://huggingface.co/{model} {revision or 'main'}` "
            "says its 40 hexadecimal digits."
        )
    if not all(instance["served_model_names"]):
        yield "served_model_name is empty."


def _gpus(instance: Mapping[str, Any], device: str) -> Iterator[str]:
    gpus = instance["gpus"]
    if device == "cpu":
        if gpus:
            yield "has gpus, but vllm_device is cpu."
        return
    if len(set(gpus)) != len(gpus) or any(gpu < 0 for gpu in gpus):
        yield f"gpus {gpus} must be different indices from 0 on, as nvidia-smi counts them."
    sizes = parallel_sizes(instance["engine_args"])
    if gpus and sizes and prod(sizes.values()) != len(gpus):
        said = " x ".join(f"{name} {size}" for name, size in sizes.items())
        yield f"{said} needs {prod(sizes.values())} GPUs, but gpus lists {len(gpus)}."
