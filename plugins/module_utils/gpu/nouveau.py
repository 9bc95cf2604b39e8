# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""nouveau, the kernel's own driver, which keeps NVIDIA's from the GPUs."""

from __future__ import annotations

import os
import re
from typing import Any

from .pci import Device
from .roots import Roots, names, text

_FOLDERS = ("etc/modprobe.d", "run/modprobe.d", "usr/local/lib/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d")
_BLOCKS = re.compile(
    r"^\s*(blacklist\s+nouveau|install\s+nouveau\s+/(usr/)?bin/(true|false)|alias\s+nouveau\s+off)\b", re.M
)
_BLOCKED_AT_BOOT = re.compile(r"\b(modprobe\.blacklist|module_blacklist|rd\.driver\.blacklist)=(\S*,)?nouveau(,|\s|$)")


def nouveau(roots: Roots, found: list[Device]) -> dict[str, Any]:
    """{loaded, bound, blocked}: bound are the addresses that it holds."""
    return {
        "loaded": os.path.isdir(os.path.join(roots.sys, "module/nouveau")),
        "bound": [one.address for one in found if one.driver == "nouveau"],
        "blocked": blocked(roots),
    }


def blocked(roots: Roots) -> bool:
    """Whether something keeps it from being loaded: modprobe's configuration or the kernel's command line."""
    if _BLOCKED_AT_BOOT.search(text(os.path.join(roots.proc, "cmdline"))):
        return True
    return any(
        _BLOCKS.search(text(roots.path(folder, name)))
        for folder in _FOLDERS
        for name in names(roots.path(folder))
        if name.endswith(".conf")
    )
