"""Images of machines: built once, kept as tar files in the cache, taken from there into podman."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab import podman, rocky, rootfs
from lab.files import replacing, scratch
from lab.machines import DERIVED, SUITES
from lab.paths import IMAGES, SCRATCH
from lab.progress import step
from lab.run import capture


def ensure(system: str) -> str:
    """The tag of the image of `system` (debian12, debian13, rocky9), which is in podman when this returns."""
    base = ensure(DERIVED[system]) if system in DERIVED else ""
    key = rocky.key(base) if base else rootfs.key(SUITES[system])
    tag = f"localhost/gpufleet-lab/{system}:{key}"
    if podman.image_exists(tag):
        return tag
    tar = IMAGES / f"{system}-{key}.tar"
    if not tar.is_file():
        for older in IMAGES.glob(f"{system}-*"):
            older.unlink()
        if base:
            _derive(system, base, tar)
        else:
            _build(system, tar)
    with step(f"Loading the image of {system}"):
        podman.podman("import", "--quiet", str(tar), tag)
    podman.remove_older_images(tag)
    return tag


def installed_packages(system: str) -> Path:
    """dpkg's status file of a blank machine."""
    tag = ensure(system)
    return IMAGES / f"{system}-{tag.rsplit(':', 1)[-1]}.status"


def _derive(system: str, base: str, tar: Path) -> None:
    with step(f"Building the image of {system}") as current, replacing(tar) as staged:
        rocky.make(base, installed_packages(DERIVED[system]), staged, current)


def _build(system: str, tar: Path) -> None:
    with step(f"Building the image of {system}") as current, scratch(SCRATCH) as folder:
        root = folder / "root"
        rootfs.make(SUITES[system], root, current)
        with replacing(tar.with_suffix(".status")) as staged:
            shutil.copy(root / "var/lib/dpkg/status", staged)
        current.at("packing")
        with replacing(tar) as staged:
            capture(["tar", "--numeric-owner", "--xattrs", "-C", str(root), "-cf", str(staged), "."])
