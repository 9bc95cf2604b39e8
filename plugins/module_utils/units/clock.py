# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""When files changed, against when a unit started.

systemd's times are translated from the monotonic clock by today's offset. Its wall-clock properties have whole seconds
before systemd 247, and stay wrong where the clock was set after they were taken.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from typing import Iterable

_SECOND = 1_000_000_000
# The kernel stamps files with the time of its last tick, up to 10 ms ago: a file that is written just after a start can
# look that much older than it is.
TICK = 10_000_000
# Further ahead than this, a modification time tells nothing.
_FUTURE = 5 * _SECOND


@dataclass(frozen=True)
class Clock:
    """One moment on both clocks, in nanoseconds."""

    wall: int
    monotonic: int

    @classmethod
    def now(cls) -> Clock:
        return cls(time.time_ns(), time.clock_gettime_ns(time.CLOCK_MONOTONIC))

    def wall_of(self, monotonic_us: int) -> int:
        """A monotonic time of systemd as nanoseconds since the epoch."""
        return self.wall - (self.monotonic - monotonic_us * 1000)


@dataclass(frozen=True)
class Change:
    """The latest moment, in nanoseconds since the epoch, at which a path may have been changed."""

    path: str
    at: int

    def after(self, moment: int) -> bool:
        return self.at > moment - TICK


def newest(paths: Iterable[str], clock: Clock) -> tuple[Change | None, list[str]]:
    """The newest change among the paths that are there, and those whose time lies in the future and so counts for
    nothing.

    A link counts as itself, so that switching it counts; a directory with the files directly in it.
    """
    changes = [change for path in paths for change in _changes(path)]
    future = [change.path for change in changes if change.at > clock.wall + _FUTURE]
    past = [change for change in changes if change.at <= clock.wall + _FUTURE]
    return max(past, key=lambda change: change.at, default=None), future


def _changes(path: str) -> list[Change]:
    try:
        status = os.lstat(path)
        names = os.listdir(path) if stat.S_ISDIR(status.st_mode) else []
    except OSError:
        return []
    found = [Change(path, _latest(status.st_mtime_ns))]
    for name in names:
        try:
            entry = os.lstat(os.path.join(path, name))
        except OSError:
            continue
        if not stat.S_ISDIR(entry.st_mode):
            found.append(Change(os.path.join(path, name), _latest(entry.st_mtime_ns)))
    return found


def _latest(mtime: int) -> int:
    # Exactly a whole second: very likely a file system that knows nothing finer, and so any moment of that second.
    return mtime if mtime % _SECOND else mtime + _SECOND - 1


def pause_before_start(changes: Iterable[Change], clock: Clock) -> float:
    """Seconds to wait so that a start made then is later than the changes beyond doubt; below 1.1 s."""
    ahead = max((change.at + TICK - clock.wall for change in changes), default=0)
    return min(max(ahead, 0), _SECOND + 2 * TICK) / _SECOND
