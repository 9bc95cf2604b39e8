# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Programs that are asked where no file tells: each may be missing, and none may hold the module up."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Callable, Optional, Sequence

# What a program printed when it succeeded, or None; see `ask`.
Asker = Callable[..., Optional[str]]

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def ask(command: Sequence[str], seconds: float, also: Sequence[int] = ()) -> str | None:
    """The output of a program that ended well in time; None otherwise. `also` are further exit codes that are well.

    A GPU that has fallen off the bus can leave nvidia-smi in an uninterruptible sleep, which not even a kill ends: so
    a program that takes too long is killed and then not waited for.
    """
    found = shutil.which(command[0], path=_PATH)
    if not found:
        return None
    try:
        process = subprocess.Popen(
            [found, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": _PATH, "LC_ALL": "C", "HOME": os.environ.get("HOME", "/")},
            start_new_session=True,
        )
    except OSError:
        return None
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return None
    return output.decode("utf-8", "replace") if process.returncode in (0, *also) else None


def ask_nobody(command: Sequence[str], seconds: float, also: Sequence[int] = ()) -> str | None:
    """For the files of another machine, which this one's programs know nothing of."""
    return None
