"""Builds the mirror from lab/mirror.yml; whatever is there already and made by the same recipe stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from lab.errors import LabError
from lab.mirror import (
    apt_repository,
    debian_archives,
    grafana_repository,
    model,
    nvidia_repository,
    python_archive,
    rpm_repository,
    uv_archive,
    wheels,
)
from lab.mirror.manifest import Manifest
from lab.mirror.urls import archive_path
from lab.paths import LAB, MIRROR

_FILE = LAB / "mirror.yml"


@dataclass(frozen=True)
class Content:
    """What lab/mirror.yml asks for."""

    debian_archives: list[debian_archives.DebianArchive]
    uv: uv_archive.UvArchive
    python: python_archive.PythonArchive
    wheels: list[wheels.WheelFolder]
    model: model.Model
    apt: dict[str, list[str]]

    @property
    def urls(self) -> list[str]:
        """The publishers' URLs of all archives."""
        return [*(archive.url for archive in self.debian_archives), self.uv.url, self.python.url]


def load() -> Content:
    """Read lab/mirror.yml."""
    document: dict[str, Any] = yaml.safe_load(_FILE.read_text())
    try:
        return Content(
            debian_archives=debian_archives.parse(document["debian_archives"]),
            uv=uv_archive.parse(document["uv"]),
            python=python_archive.parse(document["python"]),
            wheels=wheels.parse(document["wheels"]),
            model=model.Model(**document["model"]),
            apt=apt_repository.parse(document["apt"]),
        )
    except KeyError as error:
        raise LabError(f"lab/mirror.yml: {error} is missing") from None


def build_tools() -> None:
    """Only the archives from Debian, and the tools for the controller that come out of them."""
    debian_archives.make(load().debian_archives, Manifest(MIRROR))


def build() -> None:
    """All of lab/mirror.yml."""
    content, manifest = load(), Manifest(MIRROR)
    debian_archives.make(content.debian_archives, manifest)
    uv_archive.make(content.uv, manifest)
    python_archive.make(content.python, manifest)
    model.make(content.model, manifest)
    for suite, packages in content.apt.items():
        apt_repository.make(suite, packages, manifest)
    rpm_repository.make(manifest)
    nvidia_repository.make(manifest)
    grafana_repository.make(manifest)
    for folder in content.wheels:
        wheels.make(folder, manifest)


def key_urls() -> list[str]:
    """The publishers' URLs of the keys that sign their repositories."""
    return [*nvidia_repository.key_urls(), *grafana_repository.key_urls()]


def lock() -> dict[str, str]:
    """The digest of each archive, each key and each file of the model: publisher's URL -> sha256."""
    content, manifest = load(), Manifest(MIRROR)
    digests = {url: manifest.files[archive_path(url)]["sha256"] for url in [*content.urls, *key_urls()]}
    for path, entry in manifest.below(content.model.path).items():
        digests[content.model.url + path.removeprefix(content.model.path)] = entry["sha256"]
    return digests
