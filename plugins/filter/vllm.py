"""Filters of the role vllm: what its instances need, from plugins/plugin_utils/vllm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.preflight import vllm as preflight
from ..plugin_utils.vllm import fit_inventory, instances
from ..plugin_utils.vllm.sources import SourceError


def _reported(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except SourceError as error:
            raise AnsibleFilterError(str(error)) from error

    return call


def port_claim(instance: Mapping[str, Any]) -> dict[str, Any]:
    """What gpufleet.serving.host_preflight must find of an instance's port."""
    return {"port": instance["port"], "address": instance["listen_host"], "owner_unit": instance["unit"]}


def disk_claims(resolved: Sequence[Mapping[str, Any]], root: str, need_mb: int) -> list[dict[str, Any]]:
    """Room for each version that is not there yet."""
    releases = sorted({instance["release"] for instance in resolved})
    return [{"path": root, "need_mb": need_mb, "unless_exists": f"{root}/{release}"} for release in releases]


def model_claims(resolved: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Models that must lie on the host already, readable for the service."""
    paths = sorted({instance["model"] for instance in resolved if instances.is_path(instance["model"])})
    return [{"path": path, "user": "vllm", "kind": "tree"} for path in paths]


def environments(resolved: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The environments of gpufleet.serving.uv_venv."""
    found = {instance["release"]: instance["requirements"] for instance in resolved}
    return [{"name": name, "requirements": found[name]} for name in sorted(found)]


def files(
    resolved: Sequence[Mapping[str, Any]], environments: Mapping[str, str], unit_path: str, unit: str
) -> list[dict[str, Any]]:
    """The files of gpufleet.serving.config_files. systemd reads the secrets as root, so nobody else has to."""
    found: list[dict[str, Any]] = [{"path": unit_path, "content": unit}]
    for instance in resolved:
        config = {"path": instance["config_path"], "content": instance["config"], "group": "vllm", "mode": "0640"}
        secrets = {"path": instance["environment_path"], "content": environments[instance["name"]], "mode": "0600"}
        found += [config, {**secrets, "secret": True}]
    return found


def model_name(instance: Mapping[str, Any]) -> str:
    """The first served name, which the server's own series carry."""
    names = instance.get("served_model_name") or instance["model"].rstrip("/").rpartition("/")[2]
    return names if isinstance(names, str) else names[0]


def release(instance: Mapping[str, Any], common: str) -> str:
    """The version of vLLM that an instance runs; `common` is that of instances which name none."""
    return str(instance.get("version") or common)


class FilterModule:
    """Documented above."""

    def filters(self):
        return {
            "vllm_problems": preflight.problems,
            "vllm_instances": _reported(instances.resolve),
            "vllm_environment_files": instances.environment_files,
            "vllm_api_keys": instances.api_keys,
            "vllm_port_claim": port_claim,
            "vllm_disk_claims": disk_claims,
            "vllm_model_claims": model_claims,
            "vllm_environments": environments,
            "vllm_files": files,
            "vllm_model_name": model_name,
            "vllm_release": release,
            "vllm_fit_instances": fit_inventory.wanted,
        }
