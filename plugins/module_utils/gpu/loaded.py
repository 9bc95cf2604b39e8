# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The module that runs, and who uses it."""

from __future__ import annotations

import os
import re
from typing import Any

from ..host.processes import units_of
from .roots import Roots, line, names, text

_MODULES = ("nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_drm", "nvidia_peermem")


def loaded(roots: Roots) -> dict[str, Any]:
    """{loaded, open, used_by, references}."""
    version = line(os.path.join(roots.sys, "module/nvidia/version"))
    banner = text(os.path.join(roots.proc, "driver/nvidia/version"))
    version = version or version_in(banner) or ""
    if not version:
        return {"loaded": None, "open": None, "used_by": [], "references": 0}
    users, handles = _users(roots)
    return {
        "loaded": version,
        "open": is_open(banner),
        "used_by": users,
        "references": 0 if users is None else max(0, _references(roots) - handles),
    }


def version_in(banner: str) -> str | None:
    """The version in /proc/driver/nvidia/version, whose first line is one of

    `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.309.01  Wed ...` (proprietary)
    `NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (...)  Wed ...`
    """
    found = re.search(r"NVRM version:.*?\s(\d{3,4}\.\d+(?:\.\d+)?)\s", banner)
    return found.group(1) if found else None


def is_open(banner: str) -> bool | None:
    """Whether the running module is an open one; None where it does not say."""
    return "Open Kernel Module" in banner if "NVRM version:" in banner else None


def _references(roots: Roots) -> int:
    """References to the modules beyond those that they have to each other."""
    total = 0
    for module in _MODULES:
        folder = os.path.join(roots.sys, "module", module)
        count = line(os.path.join(folder, "refcnt"))
        total += int(count) - len(names(os.path.join(folder, "holders"))) if count.isdigit() else 0
    return total


def _users(roots: Roots) -> tuple[list[dict[str, Any]] | None, int]:
    """The processes that have a GPU's device file open, and how many such handles; None where they cannot be seen."""
    found, handles, seen = [], 0, False
    for pid in sorted((name for name in names(roots.proc) if name.isdigit()), key=int):
        folder = os.path.join(roots.proc, pid)
        try:
            descriptors = os.listdir(os.path.join(folder, "fd"))
            seen = True
        except OSError:  # ended in the meantime, or not ours to look into
            continue
        count = sum(_is_gpu(os.path.join(folder, "fd", name)) for name in descriptors)
        if count:
            units = [unit for unit in units_of(text(os.path.join(folder, "cgroup"))) if unit.endswith(".service")]
            unit = units[-1] if units else None
            found.append({"pid": int(pid), "comm": line(os.path.join(folder, "comm")), "unit": unit})
            handles += count
    return (found if seen else None), handles


def _is_gpu(descriptor: str) -> bool:
    try:
        return os.readlink(descriptor).startswith("/dev/nvidia")
    except OSError:
        return False
