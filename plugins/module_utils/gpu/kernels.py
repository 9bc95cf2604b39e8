# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The kernels of a machine: which runs, which the next boot takes, which have their headers."""

from __future__ import annotations

import os
import re
from typing import Any

from .roots import Roots, line, names

# Rescue and debug kernels are there to be chosen by hand.
_NEVER_DEFAULT = re.compile(r"rescue|debug|kdump")


def kernels(roots: Roots) -> dict[str, Any]:
    """{running, newest, installed, headers}. A container without kernels of its own has none installed."""
    running = line(os.path.join(roots.proc, "sys/kernel/osrelease")) or _from_system(roots)
    installed = sorted((name for name in names(roots.path("lib/modules")) if _bootable(roots, name)), key=order)
    fit = [name for name in installed if not _NEVER_DEFAULT.search(name)]
    return {
        "running": running,
        "newest": newest(fit or installed, running),
        "installed": installed,
        "headers": {name: has_headers(roots, name) for name in dict.fromkeys([*installed, *filter(None, [running])])},
    }


def _from_system(roots: Roots) -> str:
    """Some sandboxes hide /proc/sys."""
    return os.uname().release if roots.proc == "/proc" else ""


def newest(installed: list[str], running: str) -> str | None:
    """What a boot loader takes that was told nothing else: the highest version; of equals the flavour that runs."""
    return max(installed, key=lambda name: (_numbers(name), name == running, order(name)), default=None)


def order(release: str) -> list[tuple[int, int, str]]:
    """To sort releases by, numbers as numbers: 6.1.0-9 comes before 6.1.0-40."""
    parts = re.findall(r"\d+|[a-z]+", release.lower())
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def _numbers(release: str) -> list[int]:
    """The version and the build, without the flavour: `6.1.0-40-cloud-amd64` and `5.14.0-503.el9_5.x86_64`."""
    found = re.match(r"[\d.]+(?:-[\d.]+)?", release)
    return [int(part) for part in re.findall(r"\d+", found.group(0))] if found else []


def _bootable(roots: Roots, release: str) -> bool:
    return os.path.isfile(os.path.join(roots.boot, f"vmlinuz-{release}")) or os.path.isfile(
        roots.path("lib/modules", release, "vmlinuz")
    )


def has_headers(roots: Roots, release: str) -> bool:
    """Whether modules can be built for a kernel: the link `build` exists without them too, leading nowhere."""
    build = roots.followed(roots.path("lib/modules", release, "build"))
    return os.path.isfile(os.path.join(build, "Makefile"))
