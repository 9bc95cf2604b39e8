# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Have a unit run what is on disk."""

from __future__ import annotations

import glob
import os
import time
from dataclasses import dataclass, field
from typing import Callable, Iterable

from .clock import Clock, pause_before_start
from .decide import decide
from .errors import UnusableUnitError
from .state import UnitState
from .systemctl import Systemd


@dataclass
class Doing:
    """What one run does to a unit.

    Attributes:
        actions: systemctl verbs and `remove PATH`, in order; in check mode those that would be.
        reason: why it is started, restarted or reloaded.
        before: its state at the beginning.
    """

    before: UnitState
    actions: list[str] = field(default_factory=list)
    reason: str = ""
    warnings: list[str] = field(default_factory=list)


def ensure_started(
    systemd: Systemd,
    name: str,
    enabled: bool | None,
    restart_on: Iterable[str],
    reload_on: Iterable[str],
    check_mode: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> Doing:
    """Load its files, enable it, and queue the start, restart or reload that it needs, if any; returns at once.

    Raises:
        UnusableUnitError, CommandError: see there.
    """
    doing = Doing(systemd.show(name))
    unit = load(systemd, doing, check_mode)
    if unit.load_state != "loaded" and check_mode:
        # The task that writes the unit file has written nothing.
        doing.actions += ["enable", "start"] if enabled else ["start"]
        doing.reason = "it is not there yet"
        return doing
    refuse_unusable(unit)
    set_enabled(systemd, doing, unit, enabled, check_mode)
    decision = decide(unit, Clock.now(), restart_on, reload_on, "daemon-reload" in doing.actions)
    doing.warnings += decision.warnings
    if decision.action is None:
        return doing
    doing.actions.append(decision.action)
    doing.reason = decision.reason
    if not check_mode:
        sleep(pause_before_start(decision.changes, Clock.now()))
        if decision.action != "reload" and (unit.restarts or unit.active_state == "failed"):
            # Sets the counter of restarts and the limit on starts back, so that what is seen afterwards is new.
            systemd.call("reset-failed", name)
        systemd.call("--no-block", decision.action, name)
    return doing


def load(systemd: Systemd, doing: Doing, check_mode: bool) -> UnitState:
    """Have systemd read unit files that changed; the unit's state after that."""
    unit = doing.before
    unseen = unit.load_state == "not-found" and any(map(os.path.lexists, unit_files(unit.name)))
    # systemd itself notices a file that changed, but not a drop-in in a directory that is new (252).
    if not (unit.need_daemon_reload or unseen or set(drop_ins(unit.name)) - set(unit.own_files)):
        return unit
    doing.actions.append("daemon-reload")
    if check_mode:
        return unit
    systemd.call("daemon-reload")
    return systemd.show(unit.name)


def unit_files(name: str) -> list[str]:
    """Where an administrator's file for the unit, or for its template, would be."""
    template = f"{name.split('@')[0]}@.{name.rpartition('.')[2]}" if "@" in name else name
    return [f"/etc/systemd/system/{file}" for file in dict.fromkeys((name, template))]


def drop_ins(name: str) -> list[str]:
    """An administrator's drop-ins for the unit and for its template."""
    return [path for file in unit_files(name) for path in glob.glob(f"{glob.escape(file)}.d/*.conf")]


def refuse_unusable(unit: UnitState) -> None:
    """Raise UnusableUnitError unless systemd has loaded the unit."""
    if unit.load_state == "loaded":
        return
    if unit.load_state == "not-found":
        wanted = " or ".join(unit_files(unit.name))
        raise UnusableUnitError(f"{unit.name}: systemd knows no such unit; write {wanted} before this task")
    if unit.load_state == "masked":
        raise UnusableUnitError(f"{unit.name} is masked, so that nobody can start it: `systemctl unmask {unit.name}`")
    raise UnusableUnitError(f"{unit.name}: systemd does not accept its unit file: {unit.load_error}")


def set_enabled(systemd: Systemd, doing: Doing, unit: UnitState, enabled: bool | None, check_mode: bool) -> None:
    """Have it start at boot, or not; None leaves that as it is."""
    if enabled is None or enabled == unit.enabled:
        return
    if unit.file_state in ("static", "generated", "transient"):
        if enabled:
            raise UnusableUnitError(
                f"{unit.name} cannot be enabled, since its unit file has no [Install] section; add `WantedBy=` or say "
                "`enabled: false`"
            )
        return
    verb = "enable" if enabled else "disable"
    doing.actions.append(verb)
    if not check_mode:
        systemd.call(verb, unit.name)
