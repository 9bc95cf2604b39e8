# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Wait until a unit is ready, or has stopped, or has failed, whichever comes first."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable

from .clock import Clock
from .errors import ReloadFailedError, UnitFailedError
from .failure import failure
from .health import Health
from .state import UnitState
from .systemctl import Systemd

# A unit that systemd had to restart is believed only after it has run for this long.
_PROBATION = 10.0
_SHORTEST, _LONGEST = 0.1, 1.0


@dataclass(frozen=True)
class Seen:
    """`waiting_for` is None when there is nothing left to wait for."""

    unit: UnitState
    waiting_for: str | None


@dataclass(frozen=True)
class Watch:
    """What readiness means for this unit.

    Attributes:
        restarts_before: how often systemd had restarted it before this run touched it.
        settle: seconds for which it must have been active.
        reloading: a reload was asked for, and must have succeeded.
    """

    systemd: Systemd
    name: str
    restarts_before: int = 0
    settle: float = 0.0
    health: Health | None = None
    reloading: bool = False
    clock: Callable[[], Clock] = Clock.now
    sleep: Callable[[float], None] = time.sleep

    def until_ready(self, seconds: float) -> Seen:
        """Look again and again until it is ready, for at most `seconds`.

        Raises:
            UnitFailedError, ReloadFailedError, HealthError: as soon as that is so.
        """
        return self._look_until(self._readiness, seconds)

    def until_down(self, seconds: float) -> Seen:
        """The same for a unit that was told to stop."""
        return self._look_until(_downness, seconds)

    def _look_until(self, judge: Callable[[UnitState], str | None], seconds: float) -> Seen:
        deadline = self.clock().monotonic + int(seconds * 1e9)
        pause = _SHORTEST
        while True:
            unit = self.systemd.show(self.name)
            waiting_for = judge(unit)
            left = (deadline - self.clock().monotonic) / 1e9
            if waiting_for is None or left <= 0:
                return Seen(unit, waiting_for)
            self.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST)

    def _readiness(self, unit: UnitState) -> str | None:
        self._refuse_failure(unit)
        if not unit.up or unit.job:
            return {"deactivating": "stopping"}.get(unit.active_state, "starting")
        if self.reloading and unit.reload_result not in ("", "success"):
            raise ReloadFailedError("the reload failed, and it goes on with its old configuration", unit)
        complaint = self.health.complaint(unit) if self.health else None
        if self.health and complaint is None:
            # It may have ended while it was being asked.
            after = self.systemd.show(self.name)
            self._refuse_failure(after)
            if after.invocation != unit.invocation:
                return "starting"
        if complaint is not None:
            return f"running, {self.health.url} {complaint}"
        needed = max(self.settle, _PROBATION) if unit.restarts else self.settle
        # A reload, too, can bring it down a moment later.
        since = max(unit.active_us, unit.changed_us) if self.reloading else unit.active_us
        up_for = (self.clock().monotonic - since * 1000) / 1e9
        return None if up_for >= needed else f"running, must stay so for {needed:g} s"

    def _refuse_failure(self, unit: UnitState) -> None:
        problem = failure(unit, self.restarts_before)
        if problem:
            raise UnitFailedError(problem, unit)


def _downness(unit: UnitState) -> str | None:
    return None if unit.down else "stopping"
