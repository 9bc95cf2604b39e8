"""A relocatable CPython, made from Debian's packages and laid out like Astral's standalone builds.

A stand-in: it is named after the release that production installs, holds Debian's older patch level of the same
minor version, and brings the shared libraries it needs, so that it runs on every machine of the lab.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab import images, podman, workbench
from lab.apt import Apt, unpack, version_of
from lab.errors import LabError
from lab.files import replacing, scratch
from lab.machines import SUITES
from lab.mirror.manifest import Manifest, recipe_digest
from lab.mirror.tarball import members_below, write_tarball
from lab.mirror.urls import archive_path
from lab.paths import SCRATCH
from lab.progress import Step, step

_SYSTEM = "debian12"
_VERSION = "3.11"
_LIBRARY_FOLDERS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")
# What Debian's packages bring that points out of the folder, or into the system's own Python.
_LEFT_OUT = ("sitecustomize.py", "EXTERNALLY-MANAGED", "lib-dynload/nis.*")

# Each program finds its libraries beside itself; the standard library is compiled once, independent of time and place.
_FINISH = f"""
dpkg --install /debs/*.deb
cd /python
patchelf --set-rpath '$ORIGIN/../lib' bin/python{_VERSION}
for module in lib/python{_VERSION}/lib-dynload/*.so; do patchelf --set-rpath '$ORIGIN/../..' "$module"; done
for library in $(find lib -maxdepth 1 -type f -name '*.so*'); do patchelf --set-rpath '$ORIGIN' "$library"; done
bin/python{_VERSION} -c 'import bz2, ctypes, curses, dbm.ndbm, decimal, hashlib, lzma, readline, sqlite3, ssl, uuid'
bin/python{_VERSION} -m compileall -q -s /python -x 'lib2to3/tests|/bad' --invalidation-mode unchecked-hash lib
"""


@dataclass(frozen=True)
class PythonArchive:
    url: str
    suite: str
    packages: Sequence[str]

    @property
    def recipe(self) -> str:
        return recipe_digest([asdict(self), Path(__file__).read_text()])


def parse(entry: Mapping[str, Any]) -> PythonArchive:
    """The `python` of lab/mirror.yml."""
    try:
        return PythonArchive(**entry)
    except TypeError as error:
        raise LabError(f"lab/mirror.yml: python: {error}") from None


def make(wanted: PythonArchive, manifest: Manifest) -> None:
    path = archive_path(wanted.url)
    if manifest.holds(path, wanted.recipe):
        return
    image = images.ensure(_SYSTEM)
    with step(f"Making Python {_VERSION}") as current, scratch(SCRATCH) as folder:
        apt = Apt(wanted.suite)
        apt.update(current)
        debs = apt.download(wanted.packages, current)
        for deb in debs.values():
            current.at(f"unpacking {deb.name}")
            unpack(deb, folder / "tree")
        _assemble(folder / "tree", folder / "python")
        _finish(folder, image, current)
        current.at("packing")
        with replacing(manifest.root / path) as staged:
            write_tarball(staged, "python", members_below(folder / "finished"))
    version = version_of(debs[f"python{_VERSION}"])
    source = f"stand-in for {wanted.url}, made from Debian's python{_VERSION} {version} ({wanted.suite})"
    manifest.add(path, source=source, recipe=wanted.recipe)


def _assemble(tree: Path, python: Path) -> None:
    library = python / "lib" / f"python{_VERSION}"
    shutil.copytree(tree / f"usr/lib/python{_VERSION}", library, symlinks=True)
    for pattern in _LEFT_OUT:
        for path in library.glob(pattern):
            path.unlink()
    for folder in _LIBRARY_FOLDERS:
        for path in (tree / folder).glob("*.so*"):
            shutil.copy2(path, python / "lib" / path.name, follow_symlinks=False)
    (python / "bin").mkdir()
    shutil.copy2(tree / f"usr/bin/python{_VERSION}", python / "bin")
    for name in ("python3", "python"):
        (python / "bin" / name).symlink_to(f"python{_VERSION}")


def _finish(folder: Path, image: str, current: Step) -> None:
    apt = Apt(SUITES[_SYSTEM], images.installed_packages(_SYSTEM))
    apt.download_with_dependencies(["patchelf"], folder / "debs", current)
    put = {"/debs": folder / "debs", "/python": folder / "python"}
    with workbench.finished(image, current, _FINISH, put) as container:
        podman.podman("cp", f"{container}:/python", str(folder / "finished"))
