# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What a failed unit's last words mean, and what to do about it.

Only what is true of any program stands here; what a component's own messages mean, its role says in `hints`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterable, Mapping

from ..host.ports import port_holders
from ..host.processes import PROC

_IN_USE = re.compile(r"address already in use|EADDRINUSE", re.IGNORECASE)
_PORT = re.compile(r"(?:port[ =:]+|\]?:|, )(\d{2,5})\b", re.IGNORECASE)
_DENIED = re.compile(r"permission denied", re.IGNORECASE)
_PATH = re.compile(r"(/[\w.@+~/-]{2,})")
_DISK = re.compile(r"no space left on device", re.IGNORECASE)


def hints(
    journal: Iterable[str],
    unit_name: str,
    own: Iterable[Mapping[str, str]] = (),
    port: int | None = None,
    proc: Path = PROC,
) -> list[str]:
    """Advice drawn from the journal's lines, each piece once.

    Args:
        own: the role's: a regular expression as `pattern`, and what to `say`.
        port: the one that the unit's health address names, for messages that name none.
    """
    lines = list(journal)
    found = [item["say"] for item in own if any(re.search(item["pattern"], line) for line in lines)]
    for line in lines:
        found += _of_line(line, unit_name, port, proc)
    return list(dict.fromkeys(found))


def _of_line(line: str, unit_name: str, port: int | None, proc: Path) -> list[str]:
    if _IN_USE.search(line):
        named = [int(number) for number in _PORT.findall(line) if int(number) < 65536] or [port]
        return [hint for number in named if number for hint in _held(number, unit_name, proc)]
    if _DENIED.search(line):
        return [f"see which directory on the way denies it: `namei -l {path}`" for path in _PATH.findall(line)[-1:]]
    if _DISK.search(line):
        return ["a disk is full: `df -h` and `df -i` show which"]
    return []


def _held(port: int, unit_name: str, proc: Path) -> list[str]:
    _, found = port_holders("", port, proc)
    others = [process for process in found if unit_name not in process.units]
    return [f"port {port} is held by {process}; stop that, or choose another port" for process in others]
