"""Try a version before anything depends on it."""

from __future__ import annotations

import errno
import os
import platform
import signal
import subprocess
from collections.abc import Sequence

from .errors import SmokeError

_TAIL = 4000
_NOBODY = 65534


def try_out(tree: str, argv: Sequence[str], timeout: float) -> str:
    """Run `argv` in `tree` and return its output; the first word is relative to `tree`.

    Runs as nobody when we are root: a version that has not proved itself gets no rights, and what an ordinary user
    cannot execute no service could either.

    Raises:
        SmokeError: it does not start, takes longer than `timeout` seconds, or exits with another status than 0.
    """
    command = " ".join(argv)
    rights = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        process = subprocess.Popen(
            [os.path.join(tree, argv[0]), *argv[1:]],
            cwd=tree,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **rights,
        )
    except OSError as error:
        raise SmokeError(f"{command}: {_why(error, tree, argv[0])}", command=command) from error
    try:
        output = process.communicate(timeout=timeout)[0]
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        said = _text(process.communicate()[0])
        raise SmokeError(
            f"{command}: no end after {timeout:g} s. It said: {said}", command=command, output=said
        ) from error
    said = _text(output)
    if process.returncode:
        how = f"signal {-process.returncode}" if process.returncode < 0 else f"exit status {process.returncode}"
        raise SmokeError(f"{command}: {how}. It said: {said}", command=command, output=said)
    return said


def _text(output: bytes) -> str:
    return output.decode(errors="replace").strip()[-_TAIL:] or "nothing"


def _why(error: OSError, tree: str, program: str) -> str:
    if error.errno == errno.ENOEXEC:
        return f"is no program for a {platform.machine()} machine"
    if error.errno == errno.ENOENT and not os.path.exists(os.path.join(tree, program)):
        return f"the release holds no {program}; at its top are {', '.join(sorted(os.listdir(tree))[:20])}"
    if error.errno == errno.ENOENT:
        return f"the loader or interpreter that {program} asks for is not on this host"
    if error.errno == errno.EACCES:
        return "must not be executed: is it no program, is the file system mounted noexec, or may only root enter it?"
    return error.strerror or str(error)
