# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What DKMS has, from its tree: /var/lib/dkms/<module>/<version>/<kernel>/<arch>.

A built kernel has a folder there; an installed one also a link kernel-<kernel>-<arch> beside the versions. A build that
failed leaves neither: the state stays `added`, and build/make.log tells why.
"""

from __future__ import annotations

import os
from typing import Any

from .roots import Roots, names

_OWN = ("source", "build")


def dkms(roots: Roots) -> list[dict[str, Any]]:
    """[{module, version, kernel, state, log}] of NVIDIA's modules; `kernel` is None where there is no build."""
    tree = roots.path("var/lib/dkms")
    found: list[dict[str, Any]] = []
    for module in names(tree):
        if module.startswith("nvidia") and os.path.isdir(os.path.join(tree, module)):
            for version in names(os.path.join(tree, module)):
                if os.path.isdir(os.path.join(tree, module, version)) and not version.startswith("kernel-"):
                    found += _version(roots, tree, module, version)
    return found


def _version(roots: Roots, tree: str, module: str, version: str) -> list[dict[str, Any]]:
    folder = os.path.join(tree, module, version)
    log = os.path.join(folder, "build/make.log")
    base = {"module": module, "version": version, "log": log if os.path.isfile(log) else None}
    source = roots.followed(os.path.join(folder, "source"))
    if not os.path.isfile(os.path.join(source, "dkms.conf")):
        return [{**base, "kernel": None, "state": "broken"}]
    builds = [
        {**base, "kernel": kernel, "state": _state(tree, module, version, kernel, arch)}
        for kernel in names(folder)
        if kernel not in _OWN and os.path.isdir(os.path.join(folder, kernel))
        for arch in names(os.path.join(folder, kernel))
        if os.path.isdir(os.path.join(folder, kernel, arch))
    ]
    return builds or [{**base, "kernel": None, "state": "added"}]


def _state(tree: str, module: str, version: str, kernel: str, arch: str) -> str:
    try:
        target = os.readlink(os.path.join(tree, module, f"kernel-{kernel}-{arch}"))
    except OSError:
        return "built"
    return "installed" if target.split("/")[0] == version else "built"
