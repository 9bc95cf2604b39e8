# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""One run at a time per directory, without leaving lock files behind."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import Iterable, Iterator

from .errors import LandingError


@contextmanager
def locked(directories: Iterable[str], seconds: float) -> Iterator[None]:
    """Hold the directories (or their nearest existing parents) against other runs of this module.

    Raises:
        LandingError: another run held one of them for longer than `seconds`.
    """
    descriptors: list[int] = []
    deadline = time.monotonic() + seconds
    try:
        # Always in the same order, so that two runs cannot wait for each other.
        for directory in sorted({_existing(path) for path in directories}):
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            descriptors.append(descriptor)
            _lock(descriptor, directory, deadline, seconds)
        yield
    finally:
        for descriptor in descriptors:
            with suppress(OSError):
                os.close(descriptor)


def _lock(descriptor: int, directory: str, deadline: float, seconds: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LandingError(
                    f"{directory}: another run has been writing there for {seconds:g} s; "
                    "wait for it to end, then run again"
                ) from None
            time.sleep(0.1)
        except OSError:
            # NFS locks nothing that is open for reading only; there it is one run at a time by the operator's care.
            return


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path
