"""Versions of the driver, such as 580.95.05: the first number is the branch."""

from __future__ import annotations

from collections.abc import Iterable

from ...module_utils.driver import versions
from ...module_utils.driver.versions import upstream


def branch_of(version: str | None) -> int | None:
    """The branch of a driver's or package's version."""
    found = upstream(version)
    return int(found.split(".")[0]) if found else None


def key(version: str) -> tuple[int, ...]:
    """To sort drivers' and packages' versions by."""
    return versions.key(upstream(version) or "0")


def newest(offered: Iterable[str], branch: int | None) -> str | None:
    """NVIDIA's version of the newest of `offered` that belongs to `branch` (any, if None)."""
    fitting = [found for found in map(upstream, offered) if found and branch in (None, branch_of(found))]
    return max(fitting, key=key, default=None)
