# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Change many files so that either all of it happens or none.

New contents are written beside their destinations first, on the same file system, so that a full disk shows before
anything is replaced. Then each is renamed into place. What a rename replaces or a removal takes away stays under a
hidden name until the end, and goes back when a later step fails.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from contextlib import suppress
from typing import Callable

from .attributes import Ids
from .errors import LandingError
from .plan import DirectoryChange, FileChange, Plan, RemovalChange

_LEFTOVER = re.compile(r"\..+\.gpufleet-(new|old)-[0-9a-f]{8}\Z")

Label = Callable[[str, str], None]


def remove_leftovers(directories: set[str]) -> None:
    """Clear away what a killed run left beside its destinations. The caller holds these directories' locks."""
    for directory in directories:
        with suppress(OSError):
            for name in os.listdir(directory):
                if _LEFTOVER.match(name):
                    _discard(os.path.join(directory, name))


def carry_out(plan: Plan, label: Label) -> None:
    """Do all of the plan or nothing of it.

    Args:
        label: gives the file at its first argument the SELinux context that its second, the final path, should have.

    Raises:
        LandingError: the path, the reason; everything is as it was before.
    """
    landing = _Landing(label)
    try:
        landing.run(plan)
    except BaseException:
        landing.put_back()
        raise
    landing.finish()


class _Landing:
    def __init__(self, label: Label):
        self._label = label
        self._undo: list[Callable[[], None]] = []
        self._discarded: list[str] = []

    def run(self, plan: Plan) -> None:
        for directory in plan.directories:
            _step(directory.directory.path, self._make_directory, directory)
        staged = [
            (change, _step(change.file.path, self._stage, change)) for change in plan.files if change.content_changed
        ]
        for change, temporary in staged:
            _step(change.file.path, self._replace, change.file.path, temporary)
        for change in plan.files:
            if not change.content_changed:
                _step(change.file.path, self._set_attributes, change.file.path, change.ids, change.file.attributes.mode)
        for removal in plan.removals:
            _step(removal.path, self._take_away, removal)

    def put_back(self) -> None:
        for undo in reversed(self._undo):
            with suppress(OSError):
                undo()

    def finish(self) -> None:
        for path in self._discarded:
            _discard(path)

    def _make_directory(self, change: DirectoryChange) -> None:
        path = change.directory.path
        if not change.exists:
            os.mkdir(path, 0o700)
            self._undo.append(lambda: os.rmdir(path))
            self._label(path, path)
        self._set_attributes(path, change.ids, change.directory.attributes.mode)

    def _stage(self, change: FileChange) -> str:
        path = change.file.path
        temporary = _beside(path, "new")
        # Closed to all others before the first byte is in it.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._undo.append(lambda: _unlink_if_there(temporary))
        with os.fdopen(descriptor, "wb") as staged:
            staged.write(change.file.content)
            staged.flush()
            os.fchown(descriptor, _number(change.ids.uid), _number(change.ids.gid))
            os.fchmod(descriptor, change.file.attributes.mode)
            os.fsync(descriptor)
        self._label(temporary, path)
        return temporary

    def _replace(self, path: str, temporary: str) -> None:
        if os.path.lexists(path):
            old = _beside(path, "old")
            _second_name(path, old)
            self._undo.append(lambda: _restore(old, path))
            self._discarded.append(old)
        else:
            self._undo.append(lambda: _unlink_if_there(path))
        os.rename(temporary, path)

    def _set_attributes(self, path: str, ids: Ids, mode: int) -> None:
        status = os.stat(path)
        uid, gid, old_mode = status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)

        def undo() -> None:
            os.chown(path, uid, gid)
            os.chmod(path, old_mode)

        self._undo.append(undo)
        if (uid, gid) != (ids.uid, ids.gid):
            # Nobody may read in between what only the new owner should.
            os.chmod(path, old_mode & mode)
            os.chown(path, _number(ids.uid), _number(ids.gid))
        os.chmod(path, mode)

    def _take_away(self, removal: RemovalChange) -> None:
        old = _beside(removal.path, "old")
        os.rename(removal.path, old)
        self._undo.append(lambda: os.rename(old, removal.path))
        self._discarded.append(old)


def _step(path: str, action: Callable, *arguments):
    try:
        return action(*arguments)
    except OSError as error:
        raise LandingError(f"{path}: {_reason(error, path)}") from error


def _reason(error: OSError, path: str) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        directory = os.path.dirname(path)
        return f"no space left for it in {directory} ({os.strerror(error.errno or 0)}); make room there"
    if error.errno == errno.EROFS:
        return "its file system is mounted read-only"
    if error.errno in (errno.EPERM, errno.EACCES) and os.geteuid() != 0:
        return f"{error.strerror}; run this task with `become: true`"
    if error.errno in (errno.EPERM, errno.EACCES):
        return f"{error.strerror}, even for root; look for an immutable file (`lsattr`) or a mandatory access policy"
    return str(error.strerror or error)


def _number(identity: int | None) -> int:
    return -1 if identity is None else identity


def _beside(path: str, kind: str) -> str:
    directory, name = os.path.split(path)
    return os.path.join(directory, f".{name[:200]}.gpufleet-{kind}-{secrets.token_hex(4)}")


def _second_name(path: str, old: str) -> None:
    try:
        os.link(path, old, follow_symlinks=False)
    except OSError:
        # vfat and some network file systems know no hard links.
        descriptor = os.open(old, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as copy, open(path, "rb") as original:
            shutil.copyfileobj(original, copy)
        status = os.stat(path)
        os.chown(old, status.st_uid, status.st_gid)
        shutil.copystat(path, old)


def _restore(old: str, path: str) -> None:
    # Renaming one name of a file to another of its names does nothing and leaves both.
    if os.path.lexists(path) and os.path.samestat(os.lstat(old), os.lstat(path)):
        os.unlink(old)
    else:
        os.rename(old, path)


def _unlink_if_there(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _discard(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            os.unlink(path)
