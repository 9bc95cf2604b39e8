# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The last lines that a unit wrote."""

from __future__ import annotations

import re

from .state import UnitState
from .systemctl import Systemd

_LONGEST = 400
# Colours and the like, which a terminal would act upon.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


def last_lines(systemd: Systemd, unit: UnitState, since: float, count: int) -> list[str]:
    """Up to `count` lines, oldest first: those of the start that ended, so that no older failure is taken for it.

    Args:
        since: seconds since the epoch. Where the process that failed has been followed by another already, everything
            from then on is shown.
    """
    if not count:
        return []
    systemd.sync_journal()
    if unit.invocation and (unit.exec_code or unit.restarts == 0):
        lines = systemd.journal(
            count, f"_SYSTEMD_INVOCATION_ID={unit.invocation}", "+", f"INVOCATION_ID={unit.invocation}"
        )
        if lines:
            return _short(lines)
    return _short(systemd.journal(count, f"--since=@{since:.6f}", f"--unit={unit.name}"))


def _short(lines: list[str]) -> list[str]:
    return [line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…" for line in map(_plain, lines) if line]


def _plain(line: str) -> str:
    # A progress bar overwrites itself: its last state counts.
    return _CONTROL.sub("", line.rstrip("\r").rpartition("\r")[2]).rstrip()
