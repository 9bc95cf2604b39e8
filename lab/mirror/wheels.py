"""Folders of wheels: exactly the files that a hash-locked requirement set may install, and the set itself.

A folder is a flat list, which pip and uv read as `--find-links <mirror>/wheels/<folder>/`.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import pip
from lab.errors import LabError
from lab.mirror.manifest import Manifest, digest_of, recipe_digest
from lab.paths import ROOT
from lab.progress import Step, step
from lab.run import capture

_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_SET = "requirements.txt"


@dataclass(frozen=True)
class WheelFolder:
    """One folder: its name, the requirement set it serves, and commands that make wheels which no index has."""

    folder: str
    requirements: str
    made_by: Sequence[Sequence[str]] = ()

    @property
    def path(self) -> str:
        return f"wheels/{self.folder}"


def parse(entries: Sequence[Mapping[str, Any]]) -> list[WheelFolder]:
    """The `wheels` of lab/mirror.yml."""
    try:
        return [WheelFolder(**entry) for entry in entries]
    except TypeError as error:
        raise LabError(f"lab/mirror.yml: wheels: {error}") from None


def make(wanted: WheelFolder, manifest: Manifest) -> None:
    """Collect what is missing; wheels that the set does not name any more go."""
    requirements = ROOT / wanted.requirements
    if not requirements.is_file():
        raise LabError(f"lab/mirror.yml: wheels: {wanted.folder}: there is no file {wanted.requirements}")
    text = requirements.read_text()
    recipe = recipe_digest([text, list(map(list, wanted.made_by))])
    before = manifest.below(wanted.path)
    if f"{wanted.path}/{_SET}" in before and all(manifest.holds(path, recipe) for path in before):
        return
    folder = manifest.root / wanted.path
    folder.mkdir(parents=True, exist_ok=True)
    with step(f"Collecting the wheels of {wanted.folder}") as current:
        _collect(wanted, requirements, folder, current)
        entries = {}
        for path in _only_named(folder, text, current):
            name = f"{wanted.path}/{path.name}"
            entries[name] = manifest.entry(name, source=f"wheel named in {wanted.requirements}", recipe=recipe)
        _require_all(wanted, text, len(entries))
        shutil.copyfile(requirements, folder / _SET)
        name = f"{wanted.path}/{_SET}"
        entries[name] = manifest.entry(name, source=wanted.requirements, recipe=recipe)
        manifest.replace(before, entries)


def _collect(wanted: WheelFolder, requirements: Path, folder: Path, current: Step) -> None:
    for command in wanted.made_by:
        capture([word.format(folder=folder, python=sys.executable) for word in command], cwd=ROOT)
    # Files that lie there already are taken as they are if their hash is right, and fetched again if not.
    pip.download(["--require-hashes", f"--find-links={folder}", f"--requirement={requirements}"], folder, current)


def _only_named(folder: Path, text: str, current: Step) -> Iterator[Path]:
    named = set(_HASH.findall(text))
    for path in sorted(folder.iterdir()):
        current.at(f"checking {path.name}")
        if path.suffix == ".whl" and digest_of(path) in named:
            yield path
        else:
            path.unlink()


def _require_all(wanted: WheelFolder, text: str, found: int) -> None:
    named = len(_REQUIREMENT.findall(text))
    if found != named:
        raise LabError(f"{wanted.folder}: {wanted.requirements} names {named} packages, {found} wheels came")
