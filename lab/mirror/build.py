"""Builds the mirror from lab/mirror.yml; whatever is there already and made by the same recipe stays."""

from __future__ import annotations

from typing import Any

import yaml

from lab.errors import LabError
from lab.mirror import debian_archives
from lab.mirror.manifest import Manifest
from lab.paths import LAB, MIRROR


def load() -> dict[str, Any]:
    """lab/mirror.yml."""
    document = yaml.safe_load((LAB / "mirror.yml").read_text())
    if not isinstance(document, dict):
        raise LabError("lab/mirror.yml is no mapping")
    return document


def build_tools() -> None:
    """Only the archives from Debian, and the tools for the controller that come out of them."""
    debian_archives.make(debian_archives.parse(load()["debian_archives"]), Manifest(MIRROR))


def build() -> None:
    """All of lab/mirror.yml."""
    build_tools()


def lock() -> dict[str, str]:
    """The digest of each archive: publisher's URL -> sha256."""
    files = Manifest(MIRROR).files
    archives = debian_archives.parse(load()["debian_archives"])
    return {archive.url: files[archive.path]["sha256"] for archive in archives}
