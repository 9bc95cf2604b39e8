# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What the module returns, and what it says when it fails."""

from __future__ import annotations

import time
from typing import Any

from .errors import UnitError, UnitFailedError
from .failure import failure
from .hints import hints
from .journal import last_lines
from .run import Progress, Wish
from .systemctl import Systemd
from .watch import Seen

_STATES = {"started": "active", "stopped": "inactive", "absent": "absent"}


def result(systemd: Systemd, wish: Wish, progress: Progress, seen: Seen) -> dict[str, Any]:
    """The result of a call that did not fail; with `pending` where the next call must go on waiting."""
    answer = _common(progress)
    enabled = progress.did("enable") or (progress.before["enabled"] and not progress.did("disable"))
    answer["state"] = _STATES["absent"] if wish.state == "absent" else seen.unit.active_state
    answer["diff"] = {
        "before": progress.before,
        "after": {"state": _STATES[wish.state], "enabled": enabled and wish.state != "absent"},
    }
    if seen.waiting_for is not None:
        lines = last_lines(systemd, seen.unit, _since(progress), 1)
        answer["timeout"] = wish.timeout
        answer["pending"] = {
            "memory": progress.memory(),
            "waiting_for": seen.waiting_for,
            "last_line": lines[-1] if lines else "",
        }
    return answer


def explain(systemd: Systemd, wish: Wish, progress: Progress, error: UnitError) -> dict[str, Any]:
    """The result of a call that failed: which unit, what happened, advice, its last lines."""
    unit = error.unit or systemd.show(wish.name)
    lines = last_lines(systemd, unit, _since(progress), wish.journal_lines) if unit.load_state != "not-found" else []
    problem = str(error)
    if isinstance(error, UnitFailedError):
        problem = failure(unit, progress.restarts_before, lines) or problem
    port = wish.health.port if wish.health else None
    parts = [problem if problem.startswith(wish.name) else f"{wish.name}: {problem}"]
    parts += [f"Hint: {hint}" for hint in hints(lines, wish.name, wish.hints, port)]
    if lines:
        parts += ["The last lines of its journal:", *(f"  {line}" for line in lines)]
    return {**_common(progress), "msg": "\n".join(parts), "journal": lines}


def _common(progress: Progress) -> dict[str, Any]:
    return {
        "changed": bool(progress.actions),
        "actions": progress.actions,
        "reason": progress.reason,
        "started": progress.did("start"),
        "restarted": progress.did("restart"),
        "reloaded": progress.did("reload"),
        "seconds": round(progress.elapsed, 2),
    }


def _since(progress: Progress) -> float:
    """When the first call began, in seconds since the epoch."""
    return time.time() - progress.elapsed
