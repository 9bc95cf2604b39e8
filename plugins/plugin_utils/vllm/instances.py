"""The instances of a host: what the inventory says of each, worked out into what lands on the host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from ..plain import plain
from . import environment
from .sources import release_name, requirements_file

ROOT = "/opt/vllm"
CONFIG = "/etc/vllm"
DATA = "/var/lib/vllm"
HUB = "https://huggingface.co"
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_SECRET = ("api_key", "environment")
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - asked about, not listened on


def resolve(variables: Mapping[str, Any], python: str, lock: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """One dictionary per instance with all that the role's tasks need, and no secret: tasks show what they loop over.

    Args:
        variables: the role's public variables, templated.
        python: what the venvs are made from: a version or a path.
        lock: gpufleet_lock. A hub model whose files stand in it is fetched and checked by the role.

    Raises:
        SourceError: no locked set for a version.
    """
    return [_resolve(instance, variables, python, lock or {}) for instance in variables["vllm_instances"]]


def _resolve(
    instance: Mapping[str, Any], variables: Mapping[str, Any], python: str, lock: Mapping[str, str]
) -> dict[str, Any]:
    name = instance["name"]
    merged = with_defaults(instance, variables)
    version = merged["version"]
    requirements = requirements_file(version, variables["vllm_device"], variables["vllm_requirements_dir"])
    files = locked_files(merged, lock)
    path = model_path(merged, bool(files))
    text = requirements.read_text(encoding="utf-8")
    return {
        **{key: value for key, value in merged.items() if key not in _SECRET},
        "unit": f"vllm@{name}.service",
        "release": release_name(version, variables["vllm_device"], python, text),
        "requirements": str(requirements),
        "config_path": f"{CONFIG}/{name}.yaml",
        "environment_path": f"{CONFIG}/{name}.env",
        "model_path": path,
        "model_files": files,
        "model_url": f"{HUB}/{merged['model']}/resolve/{merged.get('revision')}" if files else None,
        "url": check_url(merged),
        "config": config(merged, path, variables["vllm_shutdown_timeout"]),
    }


def environment_files(variables: Mapping[str, Any], lock: Mapping[str, str] | None = None) -> dict[str, str]:
    """Instance's name -> text of its /etc/vllm/<name>.env."""
    found = {}
    for instance in variables["vllm_instances"]:
        merged = with_defaults(instance, variables)
        path = model_path(merged, bool(locked_files(merged, lock or {})))
        found[instance["name"]] = environment_file(merged, path, variables)
    return found


def api_keys(variables: Mapping[str, Any]) -> dict[str, str]:
    """Instance's name -> its API key; an empty one where anybody may ask."""
    return {i["name"]: with_defaults(i, variables)["api_key"] for i in variables["vllm_instances"]}


def with_defaults(instance: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The instance with what it leaves to the host's common variables."""
    names = instance.get("served_model_name") or instance["model"].rstrip("/").rpartition("/")[2]
    return {
        "revision": None,
        "labels": {},
        "scrape_address": None,
        **{key: value for key, value in instance.items() if value is not None},
        "port": instance.get("port") or variables["vllm_port"],
        "listen_host": instance.get("listen_host") or variables["vllm_listen_host"],
        "version": str(instance.get("version") or variables["vllm_version"]),
        "api_key": instance.get("api_key") or variables["vllm_api_key"],
        "served_model_names": [names] if isinstance(names, str) else list(names),
        "gpus": list(instance.get("gpus") or []),
        "engine_args": {**variables["vllm_engine_args"], **(instance.get("engine_args") or {})},
        "environment": {**variables["vllm_environment"], **(instance.get("environment") or {})},
    }


def is_path(model: str) -> bool:
    """A model is a folder on the host when it is an absolute path, else an id of the hub."""
    return model.startswith("/")


def locked_files(instance: Mapping[str, Any], lock: Mapping[str, str]) -> dict[str, str]:
    """Path in the model's folder -> sha256, for a hub model whose files stand in the lock."""
    if is_path(instance["model"]):
        return {}
    prefix = f"{HUB}/{instance['model']}/resolve/{instance['revision']}/"
    return {url[len(prefix) :]: digest for url, digest in lock.items() if url.startswith(prefix)}


def model_path(instance: Mapping[str, Any], fetched: bool) -> str | None:
    """The folder of the model on the host; None when vLLM downloads it by itself."""
    if is_path(instance["model"]):
        return instance["model"]
    return f"{DATA}/models/{instance['model']}/{instance['revision']}" if fetched else None


def check_url(instance: Mapping[str, Any]) -> str:
    """Where the host itself reaches the instance."""
    host = instance["listen_host"]
    host = _WILDCARDS.get(host, f"[{host}]" if ":" in host else host)
    scheme = "https" if "ssl-certfile" in instance["engine_args"] else "http"
    return f"{scheme}://{host}:{instance['port']}"


def config(instance: Mapping[str, Any], path: str | None, shutdown_timeout: int) -> str:
    """The text of /etc/vllm/<name>.yaml. It holds no secret."""
    document: dict[str, Any] = {"model": path or instance["model"]}
    if path is None:
        document["revision"] = instance["revision"]
    document["served-model-name"] = instance["served_model_names"]
    document["host"] = instance["listen_host"]
    document["port"] = instance["port"]
    document["shutdown-timeout"] = shutdown_timeout
    if len(instance["gpus"]) > 1 and not parallel_sizes(instance["engine_args"]):
        document["tensor-parallel-size"] = len(instance["gpus"])
    document.update(sorted(instance["engine_args"].items()))
    text = yaml.safe_dump(plain(document), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n# Managed by Ansible (gpufleet.serving.vllm); changes made here are lost.\n{text}"


def parallel_sizes(engine_args: Mapping[str, Any]) -> dict[str, int]:
    """The sizes that decide over how many GPUs an instance spreads, as far as they are given."""
    names = ("tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size")
    return {name: int(engine_args[name]) for name in names if name in engine_args}


def environment_file(instance: Mapping[str, Any], path: str | None, variables: Mapping[str, Any]) -> str:
    """The text of /etc/vllm/<name>.env: the place of all secrets, since it is never on a command line or in a log."""
    values = {"VLLM_NO_USAGE_STATS": 1, "DO_NOT_TRACK": 1, **instance["environment"]}
    if path is not None:
        values["HF_HUB_OFFLINE"] = 1
    elif variables["vllm_hub_token"]:
        values["HF_TOKEN"] = variables["vllm_hub_token"]
    if instance["gpus"]:
        values["CUDA_VISIBLE_DEVICES"] = ",".join(str(gpu) for gpu in instance["gpus"])
        values["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    if instance["api_key"]:
        values["VLLM_API_KEY"] = instance["api_key"]
    return environment.render(values)
