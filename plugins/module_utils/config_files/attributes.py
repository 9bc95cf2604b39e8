# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Owner, group and permission bits: what is there, what is wanted."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass

from .errors import UnknownAccountError
from .request import Attributes


@dataclass(frozen=True)
class Ids:
    """Numeric owner and group; None for an account that does not exist yet (check mode only)."""

    uid: int | None
    gid: int | None


def resolve(wanted: Attributes, path: str, tolerate_unknown: bool) -> Ids:
    """Look the accounts up.

    Args:
        tolerate_unknown: in check mode the task that makes the account has made nothing.

    Raises:
        UnknownAccountError: no such user or group.
    """
    return Ids(
        _id(wanted.owner, "user", lambda name: pwd.getpwnam(name).pw_uid, path, tolerate_unknown),
        _id(wanted.group, "group", lambda name: grp.getgrnam(name).gr_gid, path, tolerate_unknown),
    )


def _id(name, kind, lookup, path, tolerate_unknown):
    if name.isdigit():
        return int(name)
    try:
        return lookup(name)
    except KeyError:
        if tolerate_unknown:
            return None
        raise UnknownAccountError(
            f"{path}: the {kind} {name!r} does not exist on this host; create it before this task"
        ) from None


def drift(status: os.stat_result, wanted: Attributes, ids: Ids) -> tuple[dict[str, str], dict[str, str]]:
    """The attributes that differ, as (before, after) with names fit for showing."""
    before, after = {}, {}
    if status.st_uid != ids.uid:
        before["owner"], after["owner"] = _user_name(status.st_uid), wanted.owner
    if status.st_gid != ids.gid:
        before["group"], after["group"] = _group_name(status.st_gid), wanted.group
    mode = stat.S_IMODE(status.st_mode)
    if mode != wanted.mode:
        before["mode"], after["mode"] = f"{mode:04o}", f"{wanted.mode:04o}"
    return before, after


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
