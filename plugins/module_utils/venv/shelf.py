# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The environments of one program on disk, the links that lead to them, and what has to change.

<folder>/<environment>/          complete environments; each came here by one rename
<folder>/instances/<link>        links, each to one environment
<folder>/.build/<environment>/   where one is built; whatever a killed run left is used or cleared by the next
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field

LINKS = "instances"
BUILD = ".build"
MARK = ".gpufleet-venv"


@dataclass(frozen=True)
class Shelf:
    """What is there: environments from the last used one to the oldest, and where each link leads."""

    folder: str
    environments: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What has to change, in this order."""

    build: list[str]
    link: dict[str, str]
    unlink: list[str]
    remove: list[str]

    @property
    def changes(self) -> bool:
        return bool(self.build or self.link or self.unlink or self.remove)


def look(folder: str) -> Shelf:
    """Read the folder. An environment whose interpreter is gone does not count: it is built again."""
    links = {}
    links_folder = os.path.join(folder, LINKS)
    for name in _names(links_folder):
        path = os.path.join(links_folder, name)
        if os.path.islink(path):
            links[name] = os.path.basename(os.readlink(path))
    environments = [name for name in _names(folder) if _works(os.path.join(folder, name))]
    environments.sort(key=lambda name: os.stat(os.path.join(folder, name, MARK)).st_mtime, reverse=True)
    return Shelf(folder, environments, links)


def _names(folder: str) -> list[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def _works(path: str) -> bool:
    return os.path.isfile(os.path.join(path, MARK)) and os.access(os.path.join(path, "bin", "python"), os.X_OK)


def decide(shelf: Shelf, wanted: list[str], links: dict[str, str], keep: int) -> Plan:
    """What leads from `shelf` to the wished links, with `keep` unused environments left over, the last used first."""
    used = set(links.values()) | set(wanted)
    spare = [name for name in shelf.environments if name not in used]
    return Plan(
        build=[name for name in wanted if name not in shelf.environments],
        link={name: target for name, target in sorted(links.items()) if shelf.links.get(name) != target},
        unlink=sorted(set(shelf.links) - set(links)),
        remove=spare[keep:],
    )


def switch(folder: str, plan: Plan) -> None:
    """Set and remove links, each in one step, and drop environments that nobody keeps."""
    links_folder = os.path.join(folder, LINKS)
    if plan.link:
        os.makedirs(links_folder, mode=0o755, exist_ok=True)
    for name, target in plan.link.items():
        staged = os.path.join(links_folder, f".{name}.new")
        if os.path.lexists(staged):
            os.unlink(staged)
        os.symlink(os.path.join("..", target), staged)
        os.replace(staged, os.path.join(links_folder, name))
        # The last used one stays longest.
        os.utime(os.path.join(folder, target, MARK))
    for name in plan.unlink:
        os.unlink(os.path.join(links_folder, name))
    for name in plan.remove:
        discard(folder, name)


def discard(folder: str, name: str) -> None:
    """Take an environment away: out of sight in one step, then its files."""
    hidden = os.path.join(folder, BUILD, f"{name}.removed")
    os.makedirs(os.path.dirname(hidden), mode=0o755, exist_ok=True)
    shutil.rmtree(hidden, ignore_errors=True)
    os.rename(os.path.join(folder, name), hidden)
    shutil.rmtree(hidden)


def tidy(folder: str) -> None:
    """Clear what builds left, once none is wanted any more."""
    shutil.rmtree(os.path.join(folder, BUILD), ignore_errors=True)


def remove_all(folder: str) -> list[str]:
    """Remove all that these functions made; returns the paths that were there and are not ours."""
    for name in _names(os.path.join(folder, LINKS)):
        path = os.path.join(folder, LINKS, name)
        if os.path.islink(path):
            os.unlink(path)
    for name in _names(folder):
        if os.path.isfile(os.path.join(folder, name, MARK)):
            shutil.rmtree(os.path.join(folder, name))
    tidy(folder)
    for path in (os.path.join(folder, LINKS), folder):
        if os.path.isdir(path) and not os.listdir(path):
            os.rmdir(path)
    return [os.path.join(folder, name) for name in _names(folder)]
