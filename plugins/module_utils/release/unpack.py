"""Unpack an archive from the network as root, so that nothing lands outside of the folder that was made for it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO

from . import modes
from .errors import BadRequestError, DamagedArchiveError, TooLargeError, UnsafeArchiveError
from .members import DIRECTORY, FILE, HARDLINK, SYMLINK, Member

MAX_MEMBERS = 200_000
MAX_HOPS = 40
_BLOCK = 1024 * 1024
_END_OF_TIME = 2**33


@dataclass
class _Tree:
    """What has been unpacked so far, by path relative to the folder; parents are there before their children."""

    entries: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def admit(self, path: str, kind: str) -> list[str]:
        """Note `path` and its parents; return the folders that are new, outermost first.

        Raises:
            UnsafeArchiveError: the path leads through something that is no folder, or was there before.
        """
        made = []
        parent = ""
        for part in path.split("/")[:-1]:
            parent = posixpath.join(parent, part)
            known = self.entries.get(parent)
            if known is None:
                self.entries[parent] = DIRECTORY
                made.append(parent)
            elif known != DIRECTORY:
                raise UnsafeArchiveError(f"{path}: leads through {parent}, which is a {known} in the same archive")
        known = self.entries.get(path)
        if known is None:
            self.entries[path] = kind
            if kind == DIRECTORY:
                made.append(path)
        elif known != DIRECTORY or kind != DIRECTORY:
            raise UnsafeArchiveError(f"{path}: stands in the archive twice")
        return made


def clean_name(name: str, strip: int) -> str:
    """The path of a member relative to the folder it is unpacked into; empty when nothing is left after stripping.

    Raises:
        UnsafeArchiveError: it is absolute, climbs up or can be no name on this host.
    """
    if name.startswith("/") or not _nameable(name):
        raise UnsafeArchiveError(f"{name!r}: is an absolute path or no file name at all")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UnsafeArchiveError(f"{name!r}: climbs up with '..'")
    return "/".join(parts[strip:])


def _nameable(name: str) -> bool:
    try:
        return b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False


def stays_inside(path: str, links: Mapping[str, str]) -> bool:
    """Whether the symlink `path` of a tree whose symlinks are `links` leads nowhere outside of the tree.

    Follows it as the kernel does: a link's '..' counts from where the links before it have led.
    """
    here = path.split("/")[:-1]
    ahead = [path.rpartition("/")[2]]
    hops = 0
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not here:
                return False
            here.pop()
            continue
        target = links.get("/".join([*here, part]))
        if target is None:
            here.append(part)
            continue
        hops += 1
        if hops > MAX_HOPS or target.startswith("/"):
            return False
        ahead.extend(reversed(target.split("/")))
    return True


def unpack(members: Iterable[Member], folder: str, max_bytes: int, strip: int | None = None) -> str:
    """Write `members` into the empty `folder` and return the folder that is the release.

    Files become 0755 or 0644 and folders 0755, whatever the archive says. Symlinks are made last, so that no file is
    ever written through one.

    Args:
        max_bytes: of all files together.
        strip: leading parts that every name loses; None enters a single top folder.

    Raises:
        UnsafeArchiveError, TooLargeError: the archive may not be unpacked.
        DamagedArchiveError: it is shorter than it says.
        BadRequestError: nothing is left after stripping.
    """
    tree = _Tree()
    left = max_bytes
    for count, member in enumerate(members, start=1):
        left -= member.size
        if left < 0 or count > MAX_MEMBERS:
            raise TooLargeError(
                f"{member.name}: with it the archive holds more than {max_bytes // 1024**2} MiB or {MAX_MEMBERS} "
                "members. Raise max_unpacked_mb if the release is that large"
            )
        path = clean_name(member.name, strip or 0)
        if path:
            _unpack_one(member, path, folder, tree, strip or 0)
    if not tree.entries:
        raise BadRequestError("the archive holds nothing" + (f" after strip_components: {strip}" if strip else ""))
    top = _single_folder(tree) if strip is None else ""
    _make_links(tree, folder, top)
    return os.path.join(folder, top) if top else folder


def _unpack_one(member: Member, path: str, folder: str, tree: _Tree, strip: int) -> None:
    if member.kind not in (FILE, DIRECTORY, SYMLINK, HARDLINK):
        raise UnsafeArchiveError(f"{member.name}: is a {member.kind}")
    original = _original(member, tree, strip) if member.kind == HARDLINK else ""
    for new in tree.admit(path, member.kind):
        modes.make_folder(os.path.join(folder, new))
    if member.kind == FILE:
        _write(member, os.path.join(folder, path))
    elif member.kind == SYMLINK:
        tree.links[path] = member.target
    elif member.kind == HARDLINK:
        os.link(os.path.join(folder, original), os.path.join(folder, path))


def _original(member: Member, tree: _Tree, strip: int) -> str:
    """The path of the file that a hard link is another name of."""
    path = clean_name(member.target, strip)
    if tree.entries.get(path) not in (FILE, HARDLINK):
        raise UnsafeArchiveError(
            f"{member.name}: is a hard link to {member.target!r}, no file before it in the archive"
        )
    return path


def _write(member: Member, path: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(handle, "wb") as file:
        written = _copy(member.content, file, member.size)
        if written != member.size:
            raise DamagedArchiveError(f"{member.name}: {written} bytes instead of {member.size}")
        os.fchmod(handle, modes.PROGRAM if member.executable else modes.DATA)
    # Kept, since a compiled .pyc is valid for one time of its source only.
    mtime = member.mtime if 0 <= member.mtime < _END_OF_TIME else 0
    os.utime(path, (mtime, mtime))


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> int:
    """Copy, but never more than a byte beyond `size`: a header may lie about what follows."""
    written = 0
    while written <= size:
        block = source.read(min(_BLOCK, size + 1 - written))
        if not block:
            break
        target.write(block)
        written += len(block)
    return written


def _single_folder(tree: _Tree) -> str:
    tops = [path for path in tree.entries if "/" not in path]
    return tops[0] if len(tops) == 1 and tree.entries[tops[0]] == DIRECTORY else ""


def _make_links(tree: _Tree, folder: str, top: str) -> None:
    prefix = f"{top}/" if top else ""
    links = {path[len(prefix) :]: target for path, target in tree.links.items()}
    for path, target in links.items():
        if not target or not _nameable(target) or not stays_inside(path, links):
            raise UnsafeArchiveError(f"{path}: is a link to {target!r}, which leads out of the release or in circles")
    for path, target in links.items():
        os.symlink(target, os.path.join(folder, prefix + path))
