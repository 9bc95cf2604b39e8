# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What a unit needs so that it runs what is on disk.

The decision rests on times alone and on nothing that an earlier run would have to remember: a run that was interrupted
between writing a file and restarting is repaired by the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable

from .clock import Change, Clock, newest
from .state import UnitState

# systemd writes generated files elsewhere, and packages bring the times of their build along.
_ADMINISTRATORS = "/etc/systemd/system/"


@dataclass(frozen=True)
class Decision:
    """`action` is start, restart, reload or None. `changes` are the newest ones that the start must not precede."""

    action: str | None
    reason: str = ""
    changes: tuple[Change, ...] = ()
    warnings: list[str] = field(default_factory=list)


def decide(
    unit: UnitState, clock: Clock, restart_on: Iterable[str], reload_on: Iterable[str], unit_file_changed: bool
) -> Decision:
    """The decision for a loaded unit.

    Args:
        restart_on: paths; the unit's own files below /etc/systemd/system count always.
        unit_file_changed: systemd said before daemon-reload that it had old unit files in memory.
    """
    own = [path for path in unit.own_files if path.startswith(_ADMINISTRATORS)]
    restarting, future = newest([*restart_on, *own], clock)
    reloading, future_too = newest(reload_on, clock)
    warnings = [_future(path) for path in dict.fromkeys([*future, *future_too])]
    changes = tuple(change for change in (restarting, reloading) if change)
    action, reason = _action(unit, clock, restarting, reloading, unit_file_changed)
    return Decision(action, reason, changes, warnings)


def _action(
    unit: UnitState, clock: Clock, restarting: Change | None, reloading: Change | None, unit_file_changed: bool
) -> tuple[str | None, str]:
    if not unit.up and unit.active_state != "activating":
        return "start", f"it is {unit.active_state}"
    started = clock.wall_of(unit.started_us)
    if restarting and restarting.after(started):
        return "restart", f"{restarting.path} is newer than its start"
    if unit_file_changed:
        return "restart", "its unit file changed"
    # Until a start is over, a reload would only queue behind it; afterwards the state change is newer than the file,
    # which the process may have read before it changed: so a start in progress is begun anew.
    if reloading and unit.active_state == "activating" and reloading.after(started):
        return "restart", f"{reloading.path} is newer than its start"
    if reloading and unit.up and reloading.after(clock.wall_of(max(unit.changed_us, unit.started_us))):
        return _reload(unit, f"{reloading.path} is newer than its last reload")
    if reloading and unit.reload_result not in ("", "success"):
        return _reload(unit, "its last reload failed")
    return None, ""


def _reload(unit: UnitState, reason: str) -> tuple[str, str]:
    if unit.can_reload:
        return "reload", reason
    return "restart", f"{reason}, and it has no ExecReload="


def _future(path: str) -> str:
    return f"{path} was changed in the future, says its modification time: set the clock right, then `touch {path}`"
