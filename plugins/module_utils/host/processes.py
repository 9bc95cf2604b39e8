# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Which process holds a socket, and which systemd unit a process belongs to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Iterator

PROC = Path("/proc")
_UNIT_KINDS = (".service", ".scope", ".socket", ".mount")


@dataclass(frozen=True)
class Process:
    """`units` are the systemd units whose control groups it is in, the outermost first."""

    pid: int
    comm: str
    units: tuple[str, ...]

    def __str__(self) -> str:
        unit = f", {self.units[-1]}" if self.units else ""
        return f"{self.comm} (pid {self.pid}{unit})"


def holders(inodes: Iterable[int], proc: Path = PROC, first: int = 0) -> list[Process]:
    """The processes that have one of these sockets open; none where they cannot be seen from here.

    Args:
        first: a process to look at before all others. When it is one, the rest is not searched.
    """
    wanted = {f"socket:[{inode}]" for inode in inodes}
    if first and _holds(proc / str(first), wanted):
        return [_process(proc / str(first))]
    return [_process(folder) for folder in _folders(proc) if _holds(folder, wanted)]


def _folders(proc: Path) -> Iterator[Path]:
    for name in sorted((name for name in os.listdir(proc) if name.isdigit()), key=int):
        yield proc / name


def _holds(folder: Path, wanted: set[str]) -> bool:
    descriptors = folder / "fd"
    try:
        for name in os.listdir(descriptors):
            try:
                if os.readlink(descriptors / name) in wanted:
                    return True
            except OSError:  # closed in the meantime
                continue
    except OSError:  # ended in the meantime, or not ours to look into
        return False
    return False


def _process(folder: Path) -> Process:
    return Process(int(folder.name), _text(folder / "comm").strip(), units_of(_text(folder / "cgroup")))


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def units_of(cgroup: str) -> tuple[str, ...]:
    """The units in a /proc/PID/cgroup text, outermost first.

    On cgroup v1 and hybrid hosts only some hierarchies know units: the line that names the most of them counts.
    """
    lines = (line.split(":", 2)[-1].strip().split("/") for line in cgroup.splitlines())
    named = [tuple(part for part in parts if part.endswith(_UNIT_KINDS)) for parts in lines]
    return max(named, key=len, default=())
