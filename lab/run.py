"""Run programs: with their output as the step's moving line, or for what they answer."""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from lab.errors import CommandFailedError, LabError
from lab.progress import Step

_KEPT_LINES = 40


def follow(argv: list[str], step: Step, *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run `argv`; each line it prints becomes the step's detail, its last lines the error if it fails."""
    kept: deque[str] = deque(maxlen=_KEPT_LINES)
    with _start(argv, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            if line:
                kept.append(line)
                step.at(line)
    if process.returncode:
        raise CommandFailedError(argv, process.returncode, "\n".join(kept))


def capture(argv: list[str], *, stdin: bytes | None = None, cwd: Path | None = None) -> str:
    """What `argv` prints on its standard output; its standard error becomes the message if it fails."""
    pipe = subprocess.PIPE
    standard_input = subprocess.DEVNULL if stdin is None else pipe
    with _start(argv, cwd=cwd, stdin=standard_input, stdout=pipe, stderr=pipe) as process:
        out, err = process.communicate(stdin)
    if process.returncode:
        raise CommandFailedError(argv, process.returncode, (err + out).decode(errors="replace"))
    return out.decode(errors="replace")


def _start(argv: list[str], *, env: Mapping[str, str] | None = None, **options) -> subprocess.Popen:
    options.setdefault("stdin", subprocess.DEVNULL)
    try:
        return subprocess.Popen(argv, env={**os.environ, **(env or {}), "LC_ALL": "C.UTF-8"}, **options)
    except FileNotFoundError:
        raise LabError(f"the program {argv[0]} is missing on this machine") from None
