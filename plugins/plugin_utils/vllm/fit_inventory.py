"""The instances of the inventory as fit.judge wants them, and where the facts of their models are to be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..plain import plain
from .fit import REFUSED, Fit, Gpu, judge
from .fit_request import GIB, Request, RequestError, read_request
from .instances import DATA, HUB, is_path, locked_files, model_path, with_defaults

HUB_CACHE = f"{DATA}/huggingface/hub"
# What an instance's environment says about memory; the rest of it may be secret.
_ENVIRONMENT = ("VLLM_CPU_KVCACHE_SPACE", "VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS")


def wanted(variables: Mapping[str, Any], lock: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """One dictionary per instance, without a secret in it.

    Args:
        variables: the role's public variables, templated.
        lock: gpufleet_lock.

    Returns:
        `name`, `model`, `gpus`, `engine_args`, `environment` (what counts here), and `source`: what
        gpufleet.serving.model_facts is asked for.
    """
    found = []
    for instance in variables["vllm_instances"]:
        merged = with_defaults(instance, variables)
        environment = {key: merged["environment"][key] for key in _ENVIRONMENT if key in merged["environment"]}
        found.append(
            {
                "name": merged["name"],
                "model": merged["model"],
                "gpus": merged["gpus"],
                "engine_args": plain(merged["engine_args"]),
                "environment": plain(environment),
                "source": _source(merged, locked_files(merged, lock or {})),
            }
        )
    return found


def _source(instance: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    model, revision = instance["model"], instance["revision"]
    if is_path(model):
        return {"name": instance["name"], "folders": [model]}
    source = {"name": instance["name"], "url": f"{HUB}/{model}/resolve/{revision}", "mirror_path": f"models/{model}"}
    if files:
        path = model_path(instance, True)
        return {**source, "path": path, "folders": [path], "files": dict(files)}
    return {**source, "folders": [f"{HUB_CACHE}/models--{model.replace('/', '--')}/snapshots/{revision}"]}


def requests(instances: Sequence[Mapping[str, Any]]) -> list[Request]:
    """What each asks for.

    Raises:
        RequestError: an engine argument is no number; the text begins with the instance's name.
    """
    found = []
    for one in instances:
        try:
            found.append(read_request(one["name"], one["gpus"], one["engine_args"], one["environment"]))
        except RequestError as error:
            raise RequestError(f"{one['name']}: engine_args: {error}.") from error
    return found


def stated_gpus(sizes: Sequence[float]) -> dict[int, Gpu]:
    """vllm_gpu_memory_gib: GiB per GPU, in the order of nvidia-smi."""
    return {index: Gpu(int(float(size) * GIB)) for index, size in enumerate(sizes)}


def stated_models(instances: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Instance's name -> facts, for models that vllm_model_facts knows."""
    found = {}
    for one in instances:
        known = facts.get(one["model"])
        if isinstance(known, Mapping) and known.get("config"):
            size = known.get("weight_bytes")
            weights = {"bytes": int(size), "source": "vllm_model_facts"} if size else None
            found[one["name"]] = {"config": plain(known["config"]), "weights": weights}
    return found


def problems(variables: Mapping[str, Any]) -> list[str]:
    """What the inventory alone tells: one message per instance that cannot fit. Both the GPUs' memory and the model's
    facts must be stated for that; else nothing is said."""
    if variables["vllm_fit_check"] != "refuse" or variables["vllm_device"] != "cuda":
        return []
    instances = wanted(variables)
    try:
        asked = requests(instances)
    except RequestError as error:
        return [str(error)]
    if not variables["vllm_gpu_memory_gib"]:
        return []
    models = stated_models(instances, variables["vllm_model_facts"])
    fits: list[Fit] = judge(asked, models, stated_gpus(variables["vllm_gpu_memory_gib"]), 0, whole=True)
    return [one.message for one in fits if one.verdict == REFUSED]
