# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""How a unit failed, in a sentence."""

from __future__ import annotations

import re
import signal
from typing import Iterable

from .state import UnitState

# systemd.exec(5), "Process exit codes".
_SYSTEMD_STATUS = {
    200: "CHDIR: its WorkingDirectory= does not exist or is closed to its user",
    203: "EXEC: the program of ExecStart= is missing, not executable, or for another architecture",
    209: "STDOUT: its standard output cannot be set up",
    214: "SETSCHEDULER: its CPU scheduling cannot be set",
    216: "GROUP: its Group= does not exist",
    217: "USER: its User= does not exist",
    218: "CAPABILITIES: its capabilities cannot be set",
    219: "CGROUP: it cannot be put into its control group",
    226: "NAMESPACE: a path of its sandboxing options does not exist, or this host cannot make namespaces",
    228: "SECCOMP: its system call filter cannot be set",
    229: "SELINUX_CONTEXT: its SELinux context cannot be set",
    231: "APPARMOR_PROFILE: its AppArmor profile cannot be set",
    233: "RUNTIME_DIRECTORY: its RuntimeDirectory= cannot be made",
    238: "STATE_DIRECTORY: its StateDirectory= cannot be made",
    239: "CACHE_DIRECTORY: its CacheDirectory= cannot be made",
    240: "LOGS_DIRECTORY: its LogsDirectory= cannot be made",
    243: "CREDENTIALS: its credentials cannot be set up",
}
_RESULTS = {
    "oom-kill": "the kernel's out-of-memory killer took it: it needs more memory than the host or MemoryMax= gives",
    "watchdog": "its watchdog got no sign of life in time",
    "timeout": "it did not start or stop within the unit's TimeoutStartSec= or TimeoutStopSec=",
    "start-limit-hit": "it ended so often that systemd gave up",
    "resources": "the system lacked a resource to start it",
    "protocol": "it broke the protocol of its Type=, such as ending before it told systemd that it is ready",
    "exec-condition": "its ExecCondition= said no",
}
_ENDED = re.compile(r"Main process exited, code=(exited|killed|dumped), status=(\d+)")
# What systemd says instead of that when the status is 0.
_ENDED_WELL = ": Deactivated successfully."
_CODES = {"exited": 1, "killed": 2, "dumped": 3}


def failure(unit: UnitState, restarts_before: int, journal: Iterable[str] = ()) -> str | None:
    """What is wrong, or None while nothing is.

    Args:
        restarts_before: how often systemd had restarted it when the watch began.
        journal: its last lines, which tell how the process ended where the next one already runs.
    """
    if unit.restarts > restarts_before or unit.crashed:
        again = f"has restarted it {unit.restarts} times" if unit.restarts > 1 else "restarts it"
        return f"{ending(unit, journal)}; systemd {again}"
    if unit.active_state == "failed" and not unit.job:
        return ending(unit, journal)
    if unit.down:
        return _never_ran(unit) or ending(unit, journal)
    return None


def _never_ran(unit: UnitState) -> str | None:
    if not unit.condition:
        return "it was not started, since a Condition...= of its unit file is not met"
    if not unit.exec_code and unit.result in ("", "success"):
        return "it was not started, since a unit that it requires did not start"
    return None


def ending(unit: UnitState, journal: Iterable[str] = ()) -> str:
    """How its last process ended, from its state or, where the next process already runs, from the journal."""
    code, status = unit.exec_code, unit.exec_status
    if not code:
        code, status = _last_ending(journal)
    said = _process(code, status)
    meaning = _RESULTS.get(unit.result)
    if meaning:
        return f"{said}: {meaning}" if code else meaning
    if not code and unit.result == "exit-code":
        return "a command before its main process (ExecStartPre=) failed"
    return said


def _last_ending(journal: Iterable[str]) -> tuple[int, int]:
    code, status = 0, 0
    for line in journal:
        found = _ENDED.search(line)
        if found:
            code, status = _CODES[found.group(1)], int(found.group(2))
        elif _ENDED_WELL in line:
            code, status = 1, 0
    return code, status


def _process(code: int, status: int) -> str:
    if code == 1:
        meaning = f" ({_SYSTEMD_STATUS[status]})" if status in _SYSTEMD_STATUS else ""
        return f"its process exited with status {status}{meaning}"
    if code in (2, 3):
        dumped = " and dumped core" if code == 3 else ""
        return f"its process was killed by signal {_signal(status)}{dumped}"
    return "its process ended"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
