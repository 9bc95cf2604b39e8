# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Do something as another user, in a process of its own."""

from __future__ import annotations

import grp
import json
import os
import pwd
import select
import signal
from dataclasses import dataclass
from typing import Any, Callable, Iterable

_NOBODY = 65534


class AsUserError(Exception):
    """The work could not be done as that user."""


@dataclass(frozen=True)
class Account:
    """Who to be. `exists` is False where nobody stands in for a user who is created later."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    exists: bool


def account(name: str, extra_groups: Iterable[str] = ()) -> Account:
    """The account of a user, with the groups that its service will have beside its own. Unknown ones are left out."""
    more = tuple(gid for gid in map(_gid, extra_groups) if gid is not None)
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return Account(name, _NOBODY, _NOBODY, (_NOBODY, *more), exists=False)
    groups = tuple(os.getgrouplist(name, entry.pw_gid))
    return Account(name, entry.pw_uid, entry.pw_gid, (*groups, *more), exists=True)


def _gid(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def run_as(who: Account, work: Callable[[], Any], seconds: float) -> Any:
    """What `work` returns (anything that JSON can carry) when `who` does it.

    Raises:
        AsUserError: no privilege to become that user; no answer within `seconds` (a hung network file system); or the
            work broke.
    """
    if os.geteuid() not in (0, who.uid):
        raise AsUserError(f"cannot become {who.name} to try; run with `become: true`")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _child(who, work, writer)
    os.close(writer)
    try:
        return _answer(reader, seconds, who)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        # One that hangs in the kernel cannot even be killed: it is not waited for.
        os.waitpid(child, os.WNOHANG)


def _child(who: Account, work: Callable[[], Any], writer: int) -> None:
    status = 1
    try:
        if os.geteuid() == 0:
            os.setgroups(who.groups)
            os.setgid(who.gid)
            os.setuid(who.uid)
        with os.fdopen(writer, "w") as answer:
            json.dump(work(), answer)
        status = 0
    finally:
        os._exit(status)


def _answer(reader: int, seconds: float, who: Account) -> Any:
    parts = []
    while True:
        ready, _, _ = select.select([reader], [], [], seconds)
        if not ready:
            raise AsUserError(f"no answer within {seconds:g} s while trying as {who.name}; does a network mount hang?")
        part = os.read(reader, 65536)
        if not part:
            break
        parts.append(part)
    if not parts:
        raise AsUserError(f"the attempt as {who.name} broke")
    return json.loads(b"".join(parts))
