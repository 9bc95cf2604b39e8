# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Whether a host's driver is what it should be: a judgement of facts, without a host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

PERSISTENCED = "nvidia-persistenced.service"
FABRIC_MANAGER = "nvidia-fabricmanager.service"


@dataclass(frozen=True)
class Expected:
    """What the inventory says. `branch` and `version` empty: any; `gpus` None: not said; `fabric` None: if NVSwitches.

    `running` is False between an installation and the reboot that it needs: then only the packages count.
    """

    branch: str = ""
    version: str = ""
    gpus: int | None = None
    without_gpu: str = "skip"
    persistenced: bool = True
    fabric: bool | None = None
    running: bool = True


def needs_driver(facts: Mapping[str, Any], expected: Expected) -> bool:
    """False on a host that has no GPU and need not have one."""
    return (
        bool(_kind(facts, "gpu")) or bool(expected.gpus) or (expected.gpus is None and expected.without_gpu == "refuse")
    )


def units(facts: Mapping[str, Any], expected: Expected) -> list[str]:
    """The services that must be active."""
    fabric = bool(_kind(facts, "nvswitch")) if expected.fabric is None else expected.fabric
    return [*([PERSISTENCED] if expected.persistenced else []), *([FABRIC_MANAGER] if fabric else [])]


def problems(
    facts: Mapping[str, Any], expected: Expected, active: Mapping[str, str], smi: tuple[int, str] | None
) -> list[str]:
    """One sentence per problem.

    Args:
        facts: of gpu_facts.
        active: unit -> systemd's ActiveState.
        smi: exit status and output of nvidia-smi listing one line for each GPU; None where it was not asked.
    """
    found = [*_gpus(facts, expected), *_installed(facts, expected)]
    if expected.running and not found:
        found += [*_module(facts), *_bound(facts)]
        found += [
            f"{unit} is {state}; `journalctl -u {unit}` tells why."
            for unit, state in active.items()
            if state != "active"
        ]
        found += _smi(facts, smi)
    return found


def detail(facts: Mapping[str, Any]) -> str:
    """A few words about a driver that is in order."""
    module = facts["module"]
    kind = "open modules" if module.get("open") else "proprietary modules"
    gpus = len(_kind(facts, "gpu"))
    return f"{module.get('loaded') or facts['userland']['version']}, {kind}, {gpus} GPU{'' if gpus == 1 else 's'}"


def _kind(facts: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [device for device in facts["devices"] if device["kind"] == kind]


def _gpus(facts: Mapping[str, Any], expected: Expected) -> list[str]:
    there = len(_kind(facts, "gpu"))
    wanted = 1 if expected.gpus is None else expected.gpus
    if there >= wanted:
        return []
    return [f"Expected {wanted} GPU{'' if wanted == 1 else 's'}, and the PCI bus shows {there}."]


def _installed(facts: Mapping[str, Any], expected: Expected) -> list[str]:
    version = facts["userland"]["version"]
    if not version:
        return ["No driver is installed."]
    if expected.version and version != expected.version:
        return [f"Expected the driver {expected.version}, and {version} is installed."]
    if expected.branch and version.split(".")[0] != expected.branch:
        return [f"Expected a driver of the branch {expected.branch}, and {version} is installed."]
    newest = facts["kernel"]["newest"] or facts["kernel"]["running"]
    on_disk = facts["module"]["on_disk"].get(newest)
    if on_disk is None:
        return [f"The kernel {newest}, which the next boot takes, has no nvidia module."]
    if on_disk["version"] != version:
        return [f"The kernel {newest} has the module {on_disk['version']}, and the user space is {version}."]
    return []


def _module(facts: Mapping[str, Any]) -> list[str]:
    loaded, version = facts["module"]["loaded"], facts["userland"]["version"]
    if not loaded:
        return ["The module nvidia is not loaded; a reboot may be due."]
    if loaded != version:
        return [
            f"The loaded module is {loaded}, the user space is {version}: until a reboot no program can use the GPUs."
        ]
    return []


def _bound(facts: Mapping[str, Any]) -> list[str]:
    return [
        f"The GPU {gpu['address']} is held by {gpu.get('driver') or 'no driver'}, not by nvidia."
        for gpu in _kind(facts, "gpu")
        if gpu.get("driver") != "nvidia"
    ]


def _smi(facts: Mapping[str, Any], smi: tuple[int, str] | None) -> list[str]:
    if smi is None:
        return []
    status, output = smi
    lines = [line for line in output.splitlines() if line.strip()]
    if status != 0:
        return [f"nvidia-smi fails: {lines[0] if lines else 'it says nothing'}"]
    there = len(_kind(facts, "gpu"))
    return [] if len(lines) == there else [f"nvidia-smi shows {len(lines)} of the {there} GPUs on the bus."]
