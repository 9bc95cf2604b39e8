# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Ask programs about a set of files before any of it lands.

The set is laid out in a private directory that mirrors the absolute paths: `<stage>/etc/prometheus/prometheus.yml`.
Whatever else lies in the same directories and stays there is linked beside it, and a full path of one of these
directories inside a file is rewritten to its staged twin. So a program that is given `<stage>/etc/.../x` finds the
world as it will be, under the final names.

Binding the staged files over their final places in a mount namespace of their own would need no rewriting. But it
needs CAP_SYS_ADMIN, which many containers lack, and a mount point for every file that does not exist yet; an overlay
that would provide those is refused on top of another overlay, which is what a container's root is.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from typing import Iterable, Iterator

from .errors import CheckFailedError
from .plan import Plan
from .request import Check, File, Request, staged_names
from .scrub import scrub

_OUTPUT_LIMIT = 4000
_PREFIX = "gpufleet-stage-"


def missing_programs(checks: Iterable[Check]) -> list[str]:
    """Programs and `needs` that are not on the host, each once."""
    missing = []
    for check in checks:
        for path in (check.argv[0], *check.needs):
            if not _there(path) and path not in missing:
                missing.append(path)
    return missing


def _there(path: str) -> bool:
    return os.path.exists(path) if path.startswith("/") else shutil.which(path) is not None


def run_checks(request: Request, plan: Plan, checks: Iterable[Check], parent: str) -> list[str]:
    """Stage the set below `parent` and run every check.

    Returns:
        The command lines that passed, with final paths.

    Raises:
        CheckFailedError: with the program's own words, under the final paths, without secrets.
    """
    checks = list(checks)
    if not checks:
        return []
    with _stage_directory(parent) as stage:
        _lay_out(request, plan, stage)
        return [_run(check, stage, request.files) for check in checks]


@contextmanager
def _stage_directory(parent: str) -> Iterator[str]:
    _remove_abandoned(parent)
    try:
        stage = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
    except OSError as error:
        raise CheckFailedError(f"{parent}: cannot make a directory for the checks: {error.strerror}") from error
    descriptor = os.open(stage, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Held for as long as this run lives, so that another one can tell.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        os.close(descriptor)


def _remove_abandoned(parent: str) -> None:
    """Take away what killed runs left: it may hold secrets."""
    for name in os.listdir(parent):
        if not name.startswith(_PREFIX):
            continue
        path = os.path.join(parent, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # gone in the meantime, or no directory of ours
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except OSError:  # its run is alive
            continue
        finally:
            os.close(descriptor)


def _lay_out(request: Request, plan: Plan, stage: str) -> None:
    gone = {change.path for change in plan.removals}
    contents = {file.path: file for file in request.files}
    own = set(staged_names(contents))
    directories = sorted(own - set(contents), key=lambda path: path.count("/"))
    for directory in ("/", *directories):
        if directory != "/":
            os.mkdir(stage + directory, 0o700)
        _link_siblings(directory, stage, own | gone)
    closest = [os.path.dirname(path) for path in contents]
    for file in request.files:
        try:
            _write(stage + file.path, point_into_stage(file.content, closest, stage), file)
        except OSError as error:
            raise CheckFailedError(f"{file.path}: cannot be staged below {stage}: {error.strerror}") from error


def _link_siblings(directory: str, stage: str, leave_out: set[str]) -> None:
    try:
        names = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        path = os.path.join(directory, name)
        if path not in leave_out:
            os.symlink(path, stage + path)


def _write(path: str, content: bytes, file: File) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as staged:
        staged.write(content)
    if not file.secret:
        # Programs may judge the mode too; the stage itself is closed to others.
        os.chmod(path, file.attributes.mode)


def point_into_stage(content: bytes, directories: Iterable[str], stage: str) -> bytes:
    """The content with each full path at or below `directories` led into the stage."""
    # The longest first, or a parent would take its child's place.
    for directory in sorted(set(directories) - {"/"}, key=len, reverse=True):
        whole_path = re.compile(rb"(?<![\w./~-])" + re.escape(os.fsencode(directory)) + rb"(?![\w.~-])")
        content = whole_path.sub(lambda match: os.fsencode(stage) + match.group(0), content)
    return content


def _run(check: Check, stage: str, files: Iterable[File]) -> str:
    said = " ".join(check.argv).replace("{/", "/").replace("}", "")
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            check.staged_argv(stage),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=check.timeout,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise CheckFailedError(
            f"{check.argv[0]} cannot be run to check the new files: {error.strerror}; is it installed before this task?"
        ) from error
    except subprocess.TimeoutExpired:
        raise CheckFailedError(f"`{said}` gave no verdict within {check.timeout:g} s") from None
    if done.returncode:
        output = done.stdout.decode("utf-8", "replace").replace(stage, "").strip()
        output = scrub(output, [file.content for file in files if file.secret])
        words = f"says:\n{output[-_OUTPUT_LIMIT:]}" if output else "says nothing"
        raise CheckFailedError(f"`{said}` exits with {done.returncode} and {words}")
    return said
