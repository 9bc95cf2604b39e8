# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Versions of packages: which of them belong to a driver's version or branch."""

from __future__ import annotations

import re
from typing import Iterable

_DRIVER = re.compile(r"(?:\d+:)?(\d{3,4}\.\d+(?:\.\d+)?)(?![\d.])")


def upstream(version: str | None) -> str | None:
    """NVIDIA's version in a package's version (`3:580.95.05-1.el9` -> `580.95.05`); None where there is none."""
    found = _DRIVER.match(version or "")
    return found.group(1) if found else None


def choose(offered: Iterable[str], version: str | None, branch: str | None) -> str | None:
    """The newest of `offered` that belongs to the version, or to the branch; None where none does.

    A package that has versions of its own, such as a branch's pin, is offered none that do.
    """
    fitting = []
    for one in offered:
        found = upstream(one)
        if found and (found == version if version else branch in (None, found.split(".")[0])):
            fitting.append((key(found), one))
    # max() takes the first of equals, which is the newest revision in the order of apt's lists.
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def key(version: str) -> tuple[int, ...]:
    """To sort NVIDIA's versions by: 580.105.08 is newer than 580.95.05."""
    return tuple(int(part) for part in version.split("."))
