# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What rpm has installed, and what dnf is told to keep."""

from __future__ import annotations

import re
from typing import Any

from .package import Package, is_ours
from .programs import Asker
from .roots import Roots, text

_SECONDS = 60.0
_QUERY = ("rpm", "-qa", "--qf", r"%{NAME}|%{EPOCHNUM}|%{VERSION}-%{RELEASE}|%{VENDOR}|%{PACKAGER}\n")
_LOCKS = ("etc/dnf/plugins/versionlock.list", "etc/yum/pluginconf.d/versionlock.list")


def read_rpm(roots: Roots, ask: Asker) -> tuple[tuple[dict[str, Package], dict[str, Any]], list[str]]:
    """NVIDIA's packages by name with {manager, held, half_configured}; and what could not be found out."""
    listed = ask(_QUERY, _SECONDS)
    unknown = [] if listed is not None else ["packages: rpm is not there, or does not answer"]
    packages = {"manager": "dnf", "held": locked(roots), "half_configured": []}
    return (parse_packages(listed or ""), packages), unknown


def parse_packages(listed: str) -> dict[str, Package]:
    """The rows `name|epoch|version-release|vendor|packager`."""
    found = {}
    for row in listed.splitlines():
        name, epoch, version, vendor, packager = ([*row.split("|"), "", "", "", ""])[:5]
        if is_ours(name):
            full = version if epoch in ("", "0") else f"{epoch}:{version}"
            found[name] = Package(
                full, f"{vendor} {packager}", "cuda_repo" if _nvidia(vendor, packager) else "distribution"
            )
    return found


def _nvidia(vendor: str, packager: str) -> bool:
    return "nvidia" in vendor.lower() or "nvidia.com" in packager.lower()


def locked(roots: Roots) -> list[str]:
    """The names that versionlock keeps: `nvidia-open-3:580.95.05-1.el9.*`, or dnf5's TOML file with `name = "..."`."""
    found = set(re.findall(r'^name\s*=\s*"([^"]+)"', text(roots.path("etc/dnf/versionlock.toml")), re.MULTILINE))
    for place in _LOCKS:
        for row in text(roots.path(place)).splitlines():
            entry = row.strip()
            # `!` in front excludes a version, which keeps nothing.
            if entry and entry[0] not in "#!":
                match = re.match(r"(.+?)-(?:\d+:)?[^-\s]+-[^-\s]+$", entry)
                found.add(match.group(1) if match else entry)
    return sorted(found)
