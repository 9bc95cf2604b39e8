# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""An installed package of NVIDIA's, whatever packaging system it belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Iterable

# Names without "nvidia" in them that belong to the driver all the same.
_DRIVER = re.compile(r"nvidia|^cuda-drivers|^libcuda1$|^libcudadebugger1$|^libnvcuvid1$|^libnvoptix1$")
_CUDA_REPO = re.compile(r"developer\.download\.nvidia\.(com|cn)|/compute/cuda/repos/|(^|/)cuda-(debian|ubuntu|rhel)\w*")


@dataclass(frozen=True)
class Package:
    """`version` as the packaging system writes it; `source` is cuda_repo, distribution or None."""

    version: str
    packager: str
    source: str | None = None

    def come_from(self, source: str | None) -> Package:
        return replace(self, source=source)


def is_ours(name: str) -> bool:
    """Whether a package is one of NVIDIA's: the driver's, or another one, which its version tells apart."""
    return bool(_DRIVER.search(name))


def ours(places: Iterable[str]) -> str | None:
    """What kind of repository these addresses belong to; the database of installed packages is none."""
    real = [place for place in places if not place.startswith("/var/lib/dpkg")]
    if not real:
        return None
    return "cuda_repo" if any(_CUDA_REPO.search(place) for place in real) else "distribution"
