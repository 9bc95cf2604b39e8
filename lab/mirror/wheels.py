"""Folders of wheels: exactly the files that a hash-locked requirement set may install, and the set itself.

A folder is a flat list, which pip and uv read as `--find-links <mirror>/wheels/<folder>/`.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import pip
from lab.errors import LabError
from lab.files import scratch
from lab.mirror.manifest import Manifest, digest_of, recipe_digest
from lab.paths import ROOT, SCRATCH
from lab.progress import Step, step
from lab.run import capture

_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_SET = "requirements.txt"


@dataclass(frozen=True)
class Requirement:
    """One package of a requirement set: its pin, its lines there, and the sha256 of each wheel that may serve."""

    pin: str
    lines: str
    digests: frozenset[str]


def requirements_of(text: str) -> list[Requirement]:
    """The packages of a hash-locked requirement set."""
    whole = (line for line in text.replace("\\\n", " ").splitlines() if _REQUIREMENT.match(line))
    return [Requirement(line.split()[0], line, frozenset(_HASH.findall(line))) for line in whole]


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
        for command in wanted.made_by:
            capture([word.format(folder=folder, python=sys.executable) for word in command], cwd=ROOT)
        digests = _collect(requirements_of(text), folder, current)
        source = f"wheel named in {wanted.requirements}"
        entries = {
            f"{wanted.path}/{path.name}": manifest.entry(path, digest, source=source, recipe=recipe)
            for path, digest in digests.items()
        }
        shutil.copyfile(requirements, folder / _SET)
        entries[f"{wanted.path}/{_SET}"] = manifest.entry(
            folder / _SET, digest_of(folder / _SET), source=wanted.requirements, recipe=recipe
        )
        manifest.replace(before, entries)


def _collect(wanted: Sequence[Requirement], folder: Path, current: Step) -> dict[Path, str]:
    """Fetch what is missing, remove what is not wanted: wheel -> sha256."""
    digests = _only_wanted(wanted, folder, current)
    missing = _missing(wanted, digests)
    if not missing:
        return digests
    with scratch(SCRATCH) as temporary:
        asked = temporary / "requirements.txt"
        asked.write_text("".join(f"{requirement.lines}\n" for requirement in missing))
        pip.download(["--require-hashes", f"--requirement={asked}"], folder, current)
    digests |= _only_wanted(missing, folder, current, known=digests)
    if missing := _missing(wanted, digests):
        pins = ", ".join(requirement.pin for requirement in missing)
        raise LabError(f"no wheel came that the requirement set allows for {pins}")
    return digests


def _only_wanted(
    wanted: Sequence[Requirement], folder: Path, current: Step, known: Collection[Path] = ()
) -> dict[Path, str]:
    allowed = {digest for requirement in wanted for digest in requirement.digests}
    digests = {}
    for path in sorted(set(folder.iterdir()) - set(known)):
        current.at(f"checking {path.name}")
        digest = digest_of(path)
        if path.suffix == ".whl" and digest in allowed:
            digests[path] = digest
        else:
            path.unlink()
    return digests


def _missing(wanted: Sequence[Requirement], digests: Mapping[Path, str]) -> list[Requirement]:
    return [requirement for requirement in wanted if requirement.digests.isdisjoint(digests.values())]
