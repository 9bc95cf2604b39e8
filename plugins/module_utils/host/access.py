# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Whether a service user can read what it is given: found out by trying as that user.

Only trying is exact: permission bits know nothing of ACLs, of root-squashing network mounts and of mandatory policies.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from itertools import islice
from typing import Iterable, Iterator

from .accounts import Account, AsUserError, account, run_as

_MOST_ENTRIES = 20000
_MOST_SHOWN = 5
_SECONDS = 30.0


def access_problems(path: str, user: str, kind: str, extra_groups: Iterable[str] = ()) -> list[str]:
    """What keeps `user` from reading `path`, each with the command that mends it.

    Args:
        kind: `file`; `dir`, which must be listable; `tree`, of which every file must be readable; `any`, which is a
            file or a tree, whichever is there.
    """
    who = account(user, extra_groups)
    try:
        blocked = run_as(who, lambda: list(islice(blocked_paths(path, kind), _MOST_SHOWN + 1)), _SECONDS)
    except AsUserError as error:
        return [f"{path}: {error}"]
    problems = [_sentence(found, who) for found in blocked[:_MOST_SHOWN]]
    if len(blocked) > _MOST_SHOWN:
        problems.append(f"{path}: and more below it that {user} cannot read; `chmod -R o+rX {path}` would open it all")
    return problems


def blocked_paths(path: str, kind: str) -> Iterator[list[str]]:
    """[path, what is missing] for whatever the present user cannot use; `what` is one of the keys of _PROBLEMS."""
    for parent in _parents(path):
        try:
            status = os.stat(parent)
        except OSError:
            yield [parent, "missing"]
            return
        if not stat.S_ISDIR(status.st_mode):
            yield [parent, "not a directory"]
            return
        if not os.access(parent, os.X_OK):
            yield [parent, "enter"]
            return
    if not os.path.exists(path):
        yield [path, "dangling" if os.path.islink(path) else "missing"]
    elif os.path.isdir(path):
        yield from [[path, "not a file"]] if kind == "file" else _blocked_in(path, kind != "dir")
    elif kind in ("dir", "tree"):
        yield [path, "not a directory"]
    elif not _opens(path):
        yield [path, "read"]


def _parents(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[:count]) for count in range(len(parts))]


def _blocked_in(directory: str, deep: bool) -> Iterator[list[str]]:
    waiting, seen = [directory], 0
    while waiting and seen < _MOST_ENTRIES:
        current = waiting.pop()
        try:
            if not os.access(current, os.X_OK):
                raise PermissionError
            with os.scandir(current) as entries:
                found = sorted(entries, key=lambda entry: entry.name) if deep else []
        except OSError:
            yield [current, "list"]
            continue
        for entry in found:
            seen += 1
            # A link to a directory is not followed into: it may lead round in a circle.
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif not os.path.exists(entry.path):
                yield [entry.path, "dangling" if _lies_open(entry.path) else "read"]
            elif not os.path.isdir(entry.path) and not _opens(entry.path):
                yield [entry.path, "read"]


def _lies_open(link: str) -> bool:
    """Whether the directory that a link leads into can be entered, so that a missing target is really missing."""
    return os.access(os.path.dirname(os.path.realpath(link)), os.X_OK)


def _opens(path: str) -> bool:
    try:
        # O_NONBLOCK: a named pipe without a writer would wait for ever.
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


_PROBLEMS = {
    "missing": "{path} does not exist; {remedy}",
    "dangling": "{path} is a link to {target}, which does not exist; {remedy}",
    "not a directory": "{path} is a file, and a directory is expected; {remedy}",
    "not a file": "{path} is a directory, and a file is expected; {remedy}",
    "enter": "{user} cannot enter {path} ({mode}); {remedy}",
    "list": "{user} cannot list {path} ({mode}); {remedy}",
    "read": "{user} cannot read {path} ({mode}); {remedy}",
}


def _sentence(found: list[str], who: Account) -> str:
    path, problem = found
    remedy = _remedy(path, problem, who)
    user = who.name if who.exists else f"{who.name} (not created yet, taken for nobody)"
    target = os.path.realpath(path)
    return _PROBLEMS[problem].format(path=path, user=user, mode=_mode(path), remedy=remedy, target=target)


def _remedy(path: str, problem: str, who: Account) -> str:
    mended = {"enter": "chmod o+x", "list": "chmod o+rx", "read": "chmod o+r"}.get(problem)
    if mended is None:
        return _beside(path)
    if path.startswith(("/root", "/home/")):
        return "what a service reads does not belong into a home directory: move it, for example below /srv"
    return f"`{mended} {path}`, or give a group of {who.name} access to it"


def _beside(path: str) -> str:
    parent = os.path.dirname(path)
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    try:
        names = sorted(os.listdir(parent))[:6]
    except OSError:
        names = []
    return f"{parent} has: {', '.join(names) or 'nothing'}"


def _mode(path: str) -> str:
    try:
        status = os.stat(path)
        return f"{stat.filemode(status.st_mode)} {_name(pwd.getpwuid, status.st_uid)} {_group(status.st_gid)}"
    except OSError:
        return "unknown"


def _name(lookup, number: int) -> str:
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)


def _group(gid: int) -> str:
    return _name(grp.getgrgid, gid)
