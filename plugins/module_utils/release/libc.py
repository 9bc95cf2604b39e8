"""Two system calls that Python does not wrap."""

from __future__ import annotations

import ctypes
import errno
import os

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP)


class ExchangeUnsupportedError(OSError):
    """The file system cannot exchange two names in one step."""


def _call(name: str, *arguments: object) -> None:
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        raise OSError(errno.ENOSYS, f"the C library has no {name}")
    if function(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def exchange(one: str, other: str) -> None:
    """Let two paths of one file system change places, in one step (renameat2 with RENAME_EXCHANGE).

    Raises:
        ExchangeUnsupportedError: the file system or the kernel cannot do that.
    """
    try:
        _call("renameat2", _AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            raise ExchangeUnsupportedError(error.errno, error.strerror, one) from error
        raise


def sync_file_system(path: str) -> None:
    """Write out everything that the file system holding `path` still has in memory (syncfs)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        _call("syncfs", handle)
    finally:
        os.close(handle)
