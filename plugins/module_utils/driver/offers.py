# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What the repositories offer, as a plan wants to know it."""

from __future__ import annotations

from typing import Protocol

from .versions import key, upstream


class Offering(Protocol):
    """A package manager, as far as it is asked here."""

    def offered(self, names: list[str]) -> dict[str, list[str]]:
        """Name -> versions."""


def available(
    manager: Offering, packages: list[str], headers: list[str], kernels: list[str]
) -> dict[str, list[str] | None]:
    """{driver: versions that all packages with the driver's versions have, headers: kernels that have theirs}."""
    of_kernel = {kernel: [name.replace("{kernel}", kernel) for name in headers] for kernel in kernels}
    names = [*packages, *(name for wanted in of_kernel.values() for name in wanted)]
    offered = manager.offered(list(dict.fromkeys(names)))
    versions = [{found for found in map(upstream, offered.get(name, [])) if found} for name in packages]
    telling = [found for found in versions if found]
    common = set.intersection(*telling) if telling else set()
    # A package that is nowhere makes every version impossible.
    driver = sorted(common, key=key) if all(offered.get(name) for name in packages) else []
    return {
        "driver": list(driver),
        "headers": [kernel for kernel, wanted in of_kernel.items() if all(offered.get(name) for name in wanted)],
    }
