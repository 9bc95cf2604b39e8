# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""dpkg's database, and where apt took packages from."""

from __future__ import annotations

import re
from typing import Any, Iterator

from .package import Package, is_ours, ours
from .programs import Asker
from .roots import Roots, text

_SECONDS = 30.0
_HALF = ("half-installed", "unpacked", "half-configured")
_GONE = ("not-installed", "config-files")
_BY_VERSION = re.compile(r"~deb\d+u\d+|\+deb\d+u\d+|ubuntu0\.")
_PACKAGERS = (
    (re.compile(r"@(\w+\.)?nvidia\.com>"), "cuda_repo"),
    (re.compile(r"@([\w.]+\.)?(debian\.org|ubuntu\.com|canonical\.com)>"), "distribution"),
)


def read_dpkg(roots: Roots, ask: Asker) -> tuple[dict[str, Package], dict[str, Any]]:
    """NVIDIA's installed packages by name, and {manager, held, half_configured} of all packages."""
    held, half, found = [], [], {}
    for stanza in stanzas(text(roots.path("var/lib/dpkg/status"))):
        want, flag, state = (stanza.get("Status", "") + " unknown ok not-installed").split()[:3]
        name = stanza.get("Package", "")
        if want == "hold":
            held.append(name)
        if state in _HALF or (flag == "reinstreq" and state not in _GONE):
            half.append(name)
        if is_ours(name) and state not in _GONE:
            found[name] = Package(stanza.get("Version", ""), stanza.get("Maintainer", ""))
    return _with_sources(found, ask), {"manager": "apt", "held": sorted(held), "half_configured": sorted(half)}


def stanzas(content: str) -> Iterator[dict[str, str]]:
    """The stanzas of a control file, first lines of their fields only."""
    for block in re.split(r"\n\s*\n", content):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+):[ \t]*(.*)$", block, re.MULTILINE))
        if fields:
            yield fields


def _with_sources(found: dict[str, Package], ask: Asker) -> dict[str, Package]:
    """Where each comes from: what apt knows goes before what the package itself tells."""
    told = parse_policy(ask(["apt-cache", "policy", *sorted(found)], _SECONDS) or "") if found else {}
    return {
        name: package.come_from(ours(told.get(name, [])) or by_packager(package)) for name, package in found.items()
    }


def parse_policy(output: str) -> dict[str, list[str]]:
    """From `apt-cache policy`: package -> addresses that offer the very version that is installed (marked `***`)."""
    found: dict[str, list[str]] = {}
    name, here = "", False
    for row in output.splitlines():
        if row and not row.startswith(" "):
            name, here = row.rstrip(":"), False
        elif re.match(r" (\*\*\*|   ) \S", row):
            here = row.startswith(" ***")
        elif here and re.match(r" {5,}-?\d+ \S", row):
            found.setdefault(name, []).append(row.split()[1])
    return found


def by_packager(package: Package) -> str | None:
    """The origin by who made the package, or by a version that only a distribution gives."""
    if _BY_VERSION.search(package.version):
        return "distribution"
    return next((origin for pattern, origin in _PACKAGERS if pattern.search(package.packager)), None)
