"""One run at a time on the releases of one name."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from . import modes
from .errors import BusyError

LOCK = ".lock"
_POLL = 0.1


@contextlib.contextmanager
def held(folder: str, patience: float) -> Iterator[None]:
    """Hold the lock of `folder`, which is made when it is missing and removed again when it is empty at the end.

    The kernel lets go of the lock with the process, so a killed run blocks nobody.

    Raises:
        BusyError: another process has held it for `patience` seconds.
    """
    end = time.monotonic() + patience
    while True:
        handle = _open(folder)
        try:
            if _take(handle, folder, end):
                break
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
    try:
        yield
    finally:
        _tidy(folder)
        os.close(handle)


def _open(folder: str) -> int:
    while True:
        _make(folder)
        with contextlib.suppress(FileNotFoundError):
            return os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _make(folder: str) -> None:
    if not os.path.isdir(folder):
        _make(os.path.dirname(folder))
        with contextlib.suppress(FileExistsError):
            modes.make_folder(folder)


def _take(handle: int, folder: str, end: float) -> bool:
    """True when the lock is ours, False when its file was removed meanwhile and has to be opened again."""
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                owner = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
                raise BusyError(
                    f"{folder}: another run (process {owner}) is installing here and does not come to an end. "
                    "Look at that process; or raise lock_timeout",
                    path=folder,
                ) from None
            time.sleep(_POLL)
            continue
        try:
            current = os.stat(os.path.join(folder, LOCK))
        except FileNotFoundError:
            return False
        mine = os.fstat(handle)
        if (mine.st_dev, mine.st_ino) != (current.st_dev, current.st_ino):
            return False
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        return True


def _tidy(folder: str) -> None:
    """Leave neither the lock's file nor an empty folder behind; who waits for the lock notices and makes a new one."""
    os.unlink(os.path.join(folder, LOCK))
    with contextlib.suppress(OSError):
        os.rmdir(folder)
