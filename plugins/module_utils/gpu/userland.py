# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The installed user space: its version, its packages, and where they come from."""

from __future__ import annotations

import os
import re
from typing import Any

from .package import Package
from .roots import Roots, names

# The first that is there tells the version: these are the driver's libraries and tools, not what belongs to them.
_TELLING = (
    re.compile(r"libcuda1|nvidia-driver-cuda-libs|nvidia-driver-cuda"),
    re.compile(r"libnvidia-compute(-\d+)?(-server)?|nvidia-utils(-\d+)?(-server)?|nvidia-smi"),
    re.compile(r"nvidia-driver.*|nvidia-open(-\d+)?|cuda-drivers.*|xorg-x11-drv-nvidia.*"),
)
_VERSION = re.compile(r"(?:\d+:)?(\d{3,4}\.\d+(?:\.\d+)?)(?![\d.])")
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib")
_LIBRARY = re.compile(r"libcuda\.so\.(\d{3,4}\.\d+(?:\.\d+)?)")
_INSTALLER = ("usr/bin/nvidia-uninstall", "usr/bin/nvidia-installer")
_INSTALLER_LOG = "var/log/nvidia-installer.log"


def userland(roots: Roots, installed: dict[str, Package]) -> tuple[dict[str, Any], list[str]]:
    """{version, packages, source, sources}, and what could not be found out."""
    libraries = library_versions(roots)
    version = packaged_version(installed) or (libraries[-1] if libraries else None)
    sources = {name: package.source for name, package in installed.items() if _VERSION.match(package.version)}
    facts = {
        "version": version,
        "packages": {name: package.version for name, package in sorted(installed.items())},
        "source": _source(roots, sources, bool(libraries)),
        "sources": dict(sorted(sources.items())),
    }
    unknown = []
    strangers = [library for library in libraries if library != version]
    if strangers:
        unknown.append(f"user space: the packages are {version}, and there is a libcuda.so.{strangers[0]} as well")
    if sources and facts["source"] is None:
        unknown.append(f"user space: where {', '.join(sorted(sources))} came from is not known")
    return facts, unknown


def packaged_version(installed: dict[str, Package]) -> str | None:
    """NVIDIA's version of the packages that make up the user space."""
    for pattern in _TELLING:
        for name in sorted(installed):
            found = _VERSION.match(installed[name].version)
            if pattern.fullmatch(name) and found and "pinning" not in name:
                return found.group(1)
    return None


def library_versions(roots: Roots) -> list[str]:
    """The versions of libcuda that lie on disk, which every way of installing leaves."""
    found = set()
    for folder in _LIBRARIES:
        for below in ("", "nvidia/current"):
            found |= {match.group(1) for match in map(_LIBRARY.fullmatch, names(roots.path(folder, below))) if match}
    return sorted(found, key=lambda version: [int(part) for part in version.split(".")])


def _source(roots: Roots, sources: dict[str, str | None], libraries: bool) -> str | None:
    # The installer's log outlives its uninstaller; it counts only where its files are there and no package's.
    if any(os.path.exists(roots.path(place)) for place in _INSTALLER) or (
        libraries and not sources and os.path.exists(roots.path(_INSTALLER_LOG))
    ):
        return "runfile"
    known = {source for source in sources.values() if source}
    if len(known) > 1:
        return "mixed"
    return known.pop() if known else None
