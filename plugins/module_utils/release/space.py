"""Free space on a file system, and errors that come from the lack of it."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from .errors import NoSpaceError

# So that the host can still write its logs after an installation that just fitted.
RESERVE = 16 * 1024 * 1024

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def mib(size: int) -> str:
    """`size` bytes for people."""
    return f"{size / 1048576:.1f} MiB"


def require(path: str, need: int, what: str) -> None:
    """Check that `need` bytes fit below `path`.

    Raises:
        NoSpaceError: they do not.
    """
    stat = os.statvfs(path)
    available = stat.f_bavail * stat.f_frsize
    if need + RESERVE > available:
        raise NoSpaceError(
            f"{path}: not enough space to {what}: it needs {mib(need + RESERVE)}, {mib(available)} are available. "
            "Free some space or choose another root; nothing was changed",
            need=need + RESERVE,
            available=available,
            path=path,
        )


@contextlib.contextmanager
def reported(path: str, what: str) -> Iterator[None]:
    """Turn a full disk below `path` into NoSpaceError.

    Raises:
        NoSpaceError: a write failed for lack of blocks, inodes or quota.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        stat = os.statvfs(path)
        raise NoSpaceError(
            f"{path}: {os.strerror(error.errno)} while trying to {what}; {mib(stat.f_bavail * stat.f_frsize)} and "
            f"{stat.f_favail} inodes are available. What was written is removed again",
            available=stat.f_bavail * stat.f_frsize,
            path=path,
        ) from error
