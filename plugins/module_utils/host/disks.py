# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Whether there is room on the disks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Callable, Iterable

_MIB = 1024 * 1024
_FEWEST_INODES = 1000


@dataclass(frozen=True)
class Need:
    """`mib` more MiB at `path`, which need not exist yet."""

    path: str
    mib: int


def disk_problems(needs: Iterable[Need], statvfs: Callable[[str], os.statvfs_result] = os.statvfs) -> list[str]:
    """One sentence per file system that is too full; what several paths need of one file system is added up."""
    systems: dict[int, list[tuple[str, Need]]] = {}
    for need in needs:
        existing = _existing(need.path)
        systems.setdefault(os.stat(existing).st_dev, []).append((existing, need))
    return [problem for found in systems.values() for problem in _of_one(found, statvfs)]


def _of_one(found: list[tuple[str, Need]], statvfs: Callable) -> list[str]:
    place = found[0][0]
    total = sum(need.mib for _, need in found)
    names = " and ".join(f"{need.path} ({need.mib} MiB)" for _, need in found)
    state = statvfs(place)
    free = state.f_bavail * state.f_frsize // _MIB
    if free < total:
        return [f"{place}: {free} MiB are free on its file system, {total} are needed for {names}; make room"]
    # File systems that make inodes as they go report none at all.
    if state.f_files and state.f_favail < _FEWEST_INODES:
        return [f"{place}: only {state.f_favail} inodes are free on its file system; remove files there (`df -i`)"]
    return []


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path
