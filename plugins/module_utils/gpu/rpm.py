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
_FROM_REPOSITORY = ("dnf", "--quiet", "--cacheonly", "repoquery", "--installed", "--qf=%{name}|%{from_repo}")
_NVIDIAS = re.compile(r"nvidia|^cuda-|^developer\.download")
_OWN_LOCKS = re.compile(r"^# BEGIN gpufleet nvidia_driver$.*?^# END gpufleet nvidia_driver$", re.MULTILINE | re.DOTALL)
_LOCKS = ("etc/dnf/plugins/versionlock.list", "etc/yum/pluginconf.d/versionlock.list")


def read_rpm(roots: Roots, ask: Asker) -> tuple[tuple[dict[str, Package], dict[str, Any]], list[str]]:
    """NVIDIA's packages by name with {manager, held, half_configured}; and what could not be found out."""
    listed = ask(_QUERY, _SECONDS)
    unknown = [] if listed is not None else ["packages: rpm is not there, or does not answer"]
    packages = {"manager": "dnf", "held": locked(roots), "half_configured": []}
    return (_with_sources(parse_packages(listed or ""), ask), packages), unknown


def parse_packages(listed: str) -> dict[str, Package]:
    """The rows `name|epoch|version-release|vendor|packager`."""
    found = {}
    for row in listed.splitlines():
        name, epoch, version, vendor, packager = ([*row.split("|"), "", "", "", ""])[:5]
        if is_ours(name):
            full = version if epoch in ("", "0") else f"{epoch}:{version}"
            found[name] = Package(full, f"{vendor} {packager}", _by_packager(vendor, packager))
    return found


def _by_packager(vendor: str, packager: str) -> str | None:
    """The origin by who made the package; None where it does not say, as not all of NVIDIA's do."""
    if "nvidia" in vendor.lower() or "nvidia.com" in packager.lower():
        return "cuda_repo"
    return None if vendor in ("", "(none)") else "distribution"


def _with_sources(found: dict[str, Package], ask: Asker) -> dict[str, Package]:
    """Where those come from that do not say it themselves: dnf remembers the repository."""
    silent = [name for name, package in found.items() if package.source is None]
    if not silent:
        return found
    told = parse_repositories(ask([*_FROM_REPOSITORY, *silent], _SECONDS) or "")
    return {name: package.come_from(package.source or told.get(name)) for name, package in found.items()}


def parse_repositories(output: str) -> dict[str, str]:
    """From the rows `name|repository`: the origin of each package whose repository is known."""
    rows = dict(row.split("|", 1) for row in output.splitlines() if "|" in row)
    return {
        name: "cuda_repo" if _NVIDIAS.search(repository) else "distribution"
        for name, repository in rows.items()
        if repository and not repository.startswith("@")
    }


def locked(roots: Roots) -> list[str]:
    """The names that versionlock keeps: `nvidia-open-3:580.95.05-1.el9.*`, or dnf5's TOML file with `name = "..."`."""
    found = set(re.findall(r'^name\s*=\s*"([^"]+)"', text(roots.path("etc/dnf/versionlock.toml")), re.MULTILINE))
    for place in _LOCKS:
        # What the role nvidia_driver has locked itself, it does not have to be asked about.
        for row in _OWN_LOCKS.sub("", text(roots.path(place))).splitlines():
            entry = row.strip()
            # `!` in front excludes a version, which keeps nothing.
            if entry and entry[0] not in "#!":
                match = re.match(r"(.+?)-(?:\d+:)?[^-\s]+-[^-\s]+$", entry)
                found.add(match.group(1) if match else entry)
    return sorted(found)
