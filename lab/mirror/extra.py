"""Further Debian packages for the labs that ask for them: too many to be collected for each lab.

A file such as lab/mirror-drivers.yml:

folder: apt/drivers                 # where they lie in the mirror
components: [main, non-free]        # the parts of Debian's archive that they are taken from
apt: {bookworm: [...], trixie: [...]}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.errors import LabError
from lab.machines import SUITES
from lab.mirror import apt_repository
from lab.mirror.manifest import Manifest
from lab.paths import MIRROR

COMPONENTS = ("main", "contrib", "non-free", "non-free-firmware")


@dataclass(frozen=True)
class Extra:
    """The content of such a file."""

    folder: str
    components: Sequence[str]
    apt: Mapping[str, Sequence[str]]


def load(file: Path) -> Extra:
    """Read and check the file."""
    try:
        extra = Extra(**yaml.safe_load(file.read_text()))
    except OSError as error:
        raise LabError(f"{file}: {error.strerror}") from None
    except (TypeError, yaml.YAMLError) as error:
        raise LabError(f"{file}: must be a mapping with folder, components and apt: {error}") from None
    if not isinstance(extra.folder, str) or not extra.folder.startswith("apt/") or extra.folder == apt_repository.BASE:
        raise LabError(f"{file}: folder: must be one of its own below apt/, not {extra.folder!r}")
    if unknown := set(extra.components) - set(COMPONENTS):
        raise LabError(f"{file}: components: {', '.join(sorted(unknown))}: must be some of {', '.join(COMPONENTS)}")
    apt_repository.parse(extra.apt)
    return extra


def make(extra: Extra, systems: Iterable[str]) -> None:
    """Collect the packages for these kinds of machines."""
    manifest = Manifest(MIRROR)
    for system in systems:
        if packages := extra.apt.get(SUITES.get(system, "")):
            apt_repository.collect(extra.folder, SUITES[system], packages, manifest, components=extra.components)
