# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Controller side of gpufleet.serving.vllm_fit: one look at the host at most, then arithmetic.

See plugins/modules/vllm_fit.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ..plugin_utils.vllm import fit, fit_cpu, fit_inventory
from ..plugin_utils.vllm.fit_memory import MIB
from ..plugin_utils.vllm.fit_request import RequestError

_OPTIONS = {
    "instances": {"type": "list", "elements": "dict", "required": True},
    "device": {"type": "str", "choices": ["cuda", "cpu"], "default": "cuda"},
    "on_refused": {"type": "str", "choices": ["refuse", "warn"], "default": "refuse"},
    "concurrency": {"type": "float", "default": 4},
    "gpu_memory_gib": {"type": "list", "elements": "float", "default": []},
    "model_facts": {"type": "dict", "default": {}},
    "host_memory_mib": {"type": "int", "default": 0},
    "mirror": {"type": "str"},
    "token": {"type": "str", "no_log": True},
}
_OVERRULE = "If you know better, vllm_fit_check: warn goes on regardless."


class ActionModule(ActionBase):
    """Facts from the inventory as far as it states them, the rest from the host."""

    TRANSFERS_FILES = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(_OPTIONS)
        try:
            asked = fit_inventory.requests(options["instances"])
        except RequestError as error:
            return {**result, "failed": True, "msg": str(error)}
        models = fit_inventory.stated_models(options["instances"], options["model_facts"])
        if options["device"] == "cpu":
            environments = {one["name"]: one["environment"] for one in options["instances"]}
            return {
                **result,
                **_report(fit_cpu.judge(asked, environments, models, options["host_memory_mib"]), options),
            }
        gpus = fit_inventory.stated_gpus(options["gpu_memory_gib"])
        whole = bool(gpus)
        sources = [one["source"] for one in options["instances"] if one["name"] not in models]
        changed = False
        if sources or not gpus:
            answer = self._look(sources, not gpus, options, task_vars)
            if answer.get("failed") or answer.get("unreachable"):
                return {**result, **answer}
            changed = bool(answer.get("changed"))
            models |= answer["models"]
            if not gpus:
                gpus, whole = _found(answer["gpus"])
        fits = fit.judge(asked, models, gpus, options["concurrency"], whole)
        return {**result, **_report(fits, options), "changed": changed}

    def _look(
        self, sources: list[dict[str, Any]], gpus: bool, options: Mapping[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        arguments = {"models": [_reachable(one, options["mirror"]) for one in sources], "gpus": gpus}
        arguments |= {key: options[key] for key in ("mirror", "token") if options[key]}
        return self._execute_module(
            module_name="gpufleet.serving.model_facts", module_args=arguments, task_vars=task_vars
        )


def _reachable(source: Mapping[str, Any], mirror: str | None) -> dict[str, Any]:
    """A mirror has what was locked, and nothing else."""
    if mirror and "url" in source and not source.get("files"):
        return {**source, "why": "its files do not stand in gpufleet_lock, and with a mirror the hub is not asked"}
    return dict(source)


def _found(devices: list[dict[str, Any]]) -> tuple[dict[int, fit.Gpu], bool]:
    """The GPUs whose memory is known, and whether these are all."""
    known = {one["index"]: fit.Gpu(one["memory_mib"] * MIB, one["name"]) for one in devices if one["memory_mib"]}
    # A host on which none is seen may be one that passes them on in a way of its own.
    return known, bool(devices) and len(known) == len(devices)


def _report(fits: list[fit.Fit], options: Mapping[str, Any]) -> dict[str, Any]:
    refused = [one.message for one in fits if one.verdict == fit.REFUSED]
    warnings = [one.message for one in fits if one.verdict in (fit.TIGHT, fit.UNKNOWN)]
    told = {
        "changed": False,
        "fits": [_plain(one) for one in fits],
        "msg": "\n".join(one.message for one in fits),
    }
    if refused and options["on_refused"] == "refuse":
        return {**told, "failed": True, "msg": "\n".join([*refused, _OVERRULE]), "warnings": warnings}
    return {**told, "warnings": refused + warnings}


def _plain(one: fit.Fit) -> dict[str, Any]:
    concurrency = round(one.concurrency, 1) if math.isfinite(one.concurrency) else None
    return {"name": one.name, "verdict": one.verdict, "message": one.message, "concurrency": concurrency}
