"""Versions of the driver, such as 580.95.05: the first number is the branch."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DRIVER = re.compile(r"(?:\d+:)?(\d{3,4}\.\d+(?:\.\d+)?)(?![\d.])")


def upstream(version: str | None) -> str | None:
    """NVIDIA's version in a package's version (`1:580.95.05-0ubuntu1` -> `580.95.05`); None where there is none."""
    found = _DRIVER.match(version or "")
    return found.group(1) if found else None


def branch_of(version: str | None) -> int | None:
    """The branch of a driver's or package's version."""
    found = upstream(version)
    return int(found.split(".")[0]) if found else None


def key(version: str) -> tuple[int, ...]:
    """To sort drivers' versions by."""
    return tuple(int(part) for part in (upstream(version) or "0").split("."))


def newest(versions: Iterable[str], branch: int | None) -> str | None:
    """NVIDIA's version of the newest of `versions` that belongs to `branch` (any, if None)."""
    fitting = [found for found in map(upstream, versions) if found and branch in (None, branch_of(found))]
    return max(fitting, key=key, default=None)
