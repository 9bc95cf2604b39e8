# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What a request would change on this host. Reads only."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from dataclasses import dataclass, field

from .attributes import Ids, drift, resolve
from .errors import RefusedError
from .request import Directory, File, Prune, Removal, Request

# mountinfo(5) writes spaces and the like this way.
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class FileChange:
    """`before` is None where no file is; `content_changed` is False where only attributes drifted."""

    file: File
    ids: Ids
    before: bytes | None
    content_changed: bool
    attributes_before: dict[str, str] = field(default_factory=dict)
    attributes_after: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DirectoryChange:
    directory: Directory
    ids: Ids
    exists: bool
    attributes_before: dict[str, str] = field(default_factory=dict)
    attributes_after: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RemovalChange:
    path: str
    is_directory: bool
    size: int


@dataclass(frozen=True)
class Plan:
    """Everything that differs between the request and the host, in the order in which it will be carried out."""

    directories: list[DirectoryChange]
    files: list[FileChange]
    removals: list[RemovalChange]

    @property
    def changed(self) -> bool:
        return bool(self.directories or self.files or self.removals)

    @property
    def content_changed(self) -> bool:
        return bool(self.removals) or any(change.content_changed for change in self.files)


def make_plan(request: Request, check_mode: bool) -> Plan:
    """Compare the request with the host.

    Args:
        check_mode: accounts and parent directories that earlier tasks would have made may be missing.

    Raises:
        RefusedError, UnknownAccountError: see there.
    """
    directories = [change for item in request.directories for change in _directory(item, check_mode)]
    made = {item.path for item in request.directories}
    files = [change for item in request.files for change in _file(item, made, check_mode)]
    kept = {item.path for item in request.files}
    removals = [change for item in request.prunes for change in _prune(item, kept)]
    gone = {change.path for change in removals}
    # What lies deepest goes first, so that a directory is empty when its turn comes.
    for item in sorted(request.removals, key=lambda item: -item.path.count("/")):
        removals += _removal(item, gone)
        gone.add(item.path)
    return Plan(directories, files, removals)


def _directory(item: Directory, check_mode: bool) -> list[DirectoryChange]:
    ids = resolve(item.attributes, item.path, check_mode)
    try:
        # A directory may be a link to a larger disk: what it leads to is meant.
        status = os.stat(item.path)
    except FileNotFoundError:
        if os.path.islink(item.path):
            raise RefusedError(
                f"{item.path} is a link to {os.readlink(item.path)}, which does not exist; "
                "create that directory or remove the link"
            ) from None
        return [DirectoryChange(item, ids, exists=False)]
    except NotADirectoryError:
        raise RefusedError(f"{item.path}: one of its parents is a file; remove that file") from None
    if not stat.S_ISDIR(status.st_mode):
        raise RefusedError(f"{item.path} should be a directory, and a file is there; remove it")
    before, after = drift(status, item.attributes, ids)
    return [DirectoryChange(item, ids, True, before, after)] if before else []


def _file(item: File, made: set[str], check_mode: bool) -> list[FileChange]:
    ids = resolve(item.attributes, item.path, check_mode)
    try:
        status = os.lstat(item.path)
    except FileNotFoundError:
        _require_parent(item.path, made, check_mode)
        return [FileChange(item, ids, before=None, content_changed=True)]
    except NotADirectoryError:
        raise RefusedError(f"{item.path}: one of its parents is a file; remove that file") from None
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(item.path)
        masked = " (the unit is masked: `systemctl unmask` it)" if target == "/dev/null" else ""
        raise RefusedError(
            f"{item.path} is a symbolic link to {target}{masked}; writing through it would change a file that this "
            "task does not name. Remove the link, or name the file it leads to"
        )
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError(f"{item.path} is a directory or a special file; remove it first")
    with open(item.path, "rb") as current:
        before = current.read()
    attributes_before, attributes_after = drift(status, item.attributes, ids)
    if before == item.content and not attributes_before:
        return []
    return [FileChange(item, ids, before, before != item.content, attributes_before, attributes_after)]


def _require_parent(path: str, made: set[str], check_mode: bool) -> None:
    parent = os.path.dirname(path)
    if not check_mode and parent not in made and not os.path.isdir(parent):
        raise RefusedError(f"{path}: the directory {parent} does not exist; list it under `directories`")


def _removal(item: Removal, gone: set[str]) -> list[RemovalChange]:
    if item.path in gone:
        return []
    try:
        status = os.lstat(item.path)
    except (FileNotFoundError, NotADirectoryError):
        return []
    if not stat.S_ISDIR(status.st_mode):
        return [RemovalChange(item.path, is_directory=False, size=status.st_size)]
    real = os.path.join(os.path.realpath(os.path.dirname(item.path)), os.path.basename(item.path))
    mounts = [point for point in _mount_points() if f"{point}/".startswith(f"{real}/")]
    if mounts:
        raise RefusedError(f"{item.path} is not removed: {mounts[0]} is a mount point; unmount it first")
    left = [name for name in os.listdir(item.path) if os.path.join(item.path, name) not in gone]
    if left and item.if_empty and not item.recursive:
        return []
    if left and not item.recursive:
        names = ", ".join(sorted(left)[:3])
        raise RefusedError(f"{item.path} is not empty ({names}); say `recursive: true` to remove all that is in it")
    return [RemovalChange(item.path, is_directory=True, size=0)]


def _mount_points() -> list[str]:
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
            return [_OCTAL.sub(lambda match: chr(int(match.group(1), 8)), line.split()[4]) for line in table]
    except OSError:
        return []


def _prune(item: Prune, kept: set[str]) -> list[RemovalChange]:
    changes = []
    for name in sorted(_names(item.directory)):
        path = os.path.join(item.directory, name)
        # As in a shell: a pattern finds hidden files only when it says so.
        hidden = name.startswith(".") and not item.pattern.startswith(".")
        if hidden or path in kept or not fnmatch.fnmatchcase(name, item.pattern):
            continue
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode):
            kept.add(path)
            changes.append(RemovalChange(path, is_directory=False, size=status.st_size))
    return changes


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
