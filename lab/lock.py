"""One command at a time makes or removes things; the next one waits and says so."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from lab.paths import LAB_CACHE, SCRATCH
from lab.progress import step


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lab's lock; what a killed command left half made is cleared away first."""
    LAB_CACHE.mkdir(parents=True, exist_ok=True)
    with (LAB_CACHE / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            with step(f"Waiting for the lab command with process id {file.read().strip() or 'unknown'}"):
                fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        shutil.rmtree(SCRATCH, ignore_errors=True)
        yield
