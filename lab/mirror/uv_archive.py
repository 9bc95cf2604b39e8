"""uv as its publisher packs it, made from the wheel on PyPI, which holds the same static programs."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from lab import pip
from lab.errors import LabError
from lab.files import replacing, scratch
from lab.mirror.manifest import Manifest, recipe_digest
from lab.mirror.tarball import Member, write_tarball
from lab.mirror.urls import archive_path, archive_top
from lab.paths import SCRATCH
from lab.progress import step


@dataclass(frozen=True)
class UvArchive:
    url: str
    version: str


def parse(entry: Mapping[str, Any]) -> UvArchive:
    """The `uv` of lab/mirror.yml."""
    try:
        return UvArchive(**entry)
    except TypeError as error:
        raise LabError(f"lab/mirror.yml: uv: {error}") from None


def make(wanted: UvArchive, manifest: Manifest) -> None:
    path, recipe = archive_path(wanted.url), recipe_digest(asdict(wanted))
    if manifest.holds(path, recipe):
        return
    top = archive_top(wanted.url)
    with step(f"Making uv {wanted.version}") as current, scratch(SCRATCH) as folder:
        pip.download([f"uv=={wanted.version}"], folder, current)
        (wheel,) = folder.glob("uv-*.whl")
        with zipfile.ZipFile(wheel) as packed:
            for name in packed.namelist():
                if PurePosixPath(name).parent.name == "scripts":
                    program = folder / PurePosixPath(name).name
                    program.write_bytes(packed.read(name))
                    program.chmod(0o755)
        members = [Member(program, folder / program) for program in ("uv", "uvx")]
        with replacing(manifest.root / path) as staged:
            write_tarball(staged, top, members)
    source = f"stand-in for {wanted.url}, made from PyPI's wheel of uv {wanted.version}"
    manifest.add(path, source=source, recipe=recipe)
