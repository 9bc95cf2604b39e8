# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What systemd knows of a unit (org.freedesktop.systemd1(5)), read with one call of `systemctl show`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

_UP = ("active", "reloading", "refreshing")
_DOWN = ("inactive", "failed")


@dataclass(frozen=True)
class UnitState:
    """Times are microseconds of CLOCK_MONOTONIC, 0 for never.

    Attributes:
        started_us: when the main process was started; for units without one, when the unit became active.
        active_us: when the unit became active; a reload does not touch it.
        changed_us: the last change of state. A reload sets it; daemon-reload and daemon-reexec do not (systemd 252).
        exec_code, exec_status: CLD_* of the last main process that ended, and its exit status or signal; 0 while one
            runs.
        job: whether a start, stop or reload is queued or going on.
    """

    name: str
    load_state: str
    load_error: str
    active_state: str
    sub_state: str
    file_state: str
    own_files: tuple[str, ...]
    need_daemon_reload: bool
    kind: str
    main_pid: int
    exec_code: int
    exec_status: int
    result: str
    reload_result: str
    restarts: int
    invocation: str
    started_us: int
    active_us: int
    changed_us: int
    can_reload: bool
    job: bool
    condition: bool

    @property
    def up(self) -> bool:
        return self.active_state in _UP

    @property
    def down(self) -> bool:
        return self.active_state in _DOWN and not self.job

    @property
    def crashed(self) -> bool:
        """Waiting for systemd to start it again after it ended by itself."""
        return self.sub_state.startswith("auto-restart") and not self.job

    @property
    def enabled(self) -> bool:
        return self.file_state in ("enabled", "enabled-runtime", "alias")


PROPERTIES = (
    "LoadState",
    "LoadError",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "FragmentPath",
    "DropInPaths",
    "NeedDaemonReload",
    "Type",
    "MainPID",
    "ExecMainCode",
    "ExecMainStatus",
    "ExecMainStartTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
    "StateChangeTimestampMonotonic",
    "Result",
    "ReloadResult",
    "NRestarts",
    "InvocationID",
    "CanReload",
    "Job",
    "ConditionResult",
    "ConditionTimestampMonotonic",
)


def parse_show(name: str, text: str) -> UnitState:
    """The state from what `systemctl show --property=...` printed. Properties that a kind of unit or an older systemd
    does not have count as zero or empty."""
    known = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def word(key: str) -> str:
        return known.get(key, "")

    def number(key: str) -> int:
        return int(word(key)) if word(key).isdigit() else 0

    active_us = number("ActiveEnterTimestampMonotonic")
    return UnitState(
        name=name,
        load_state=word("LoadState"),
        load_error=_reason(word("LoadError")),
        active_state=word("ActiveState"),
        sub_state=word("SubState"),
        file_state=word("UnitFileState"),
        own_files=tuple(path for path in (word("FragmentPath"), *word("DropInPaths").split()) if path),
        need_daemon_reload=word("NeedDaemonReload") == "yes",
        kind=word("Type"),
        main_pid=number("MainPID"),
        exec_code=number("ExecMainCode"),
        exec_status=number("ExecMainStatus"),
        result=word("Result"),
        reload_result=word("ReloadResult"),
        restarts=number("NRestarts"),
        invocation=word("InvocationID"),
        started_us=number("ExecMainStartTimestampMonotonic") or active_us,
        active_us=active_us,
        changed_us=number("StateChangeTimestampMonotonic"),
        can_reload=word("CanReload") == "yes",
        job=word("Job") not in ("", "0"),
        # Before the first start nothing has been checked, and the answer is "no" all the same.
        condition=word("ConditionResult") != "no" or not number("ConditionTimestampMonotonic"),
    )


def _reason(load_error: str) -> str:
    """The words of `org.freedesktop.systemd1.NoSuchUnit "Unit nope.service not found."`."""
    try:
        return shlex.split(load_error)[-1]
    except (ValueError, IndexError):
        return load_error
