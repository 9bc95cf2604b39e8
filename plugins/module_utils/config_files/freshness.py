# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Whether files that stay as they are should be checked again, because the program that reads them is a newer one."""

from __future__ import annotations

import os
from typing import Iterable

from .request import Check


def program_is_newer(check: Check, files: Iterable[str]) -> bool:
    """Whether the check's program, named by its full path, came onto this host after the files.

    A program found on PATH belongs to the system, not to the release that reads the files: it does not count.
    """
    program = check.argv[0]
    if not program.startswith("/"):
        return False
    try:
        oldest = min(os.lstat(path).st_mtime_ns for path in files)
        return _installed_at(program) > oldest
    except (OSError, ValueError):
        return True


def _installed_at(program: str) -> int:
    """When the last link on the way to the program, or the program itself, was put there, in nanoseconds.

    Archives carry old modification times along; the change time is this host's own.
    """
    newest, seen = os.stat(program).st_ctime_ns, program
    while seen != "/":
        if os.path.islink(seen):
            newest = max(newest, os.lstat(seen).st_ctime_ns)
        seen = os.path.dirname(seen)
    return newest
