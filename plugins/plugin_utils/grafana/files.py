"""Dashboards as files on the controller."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class DashboardFileError(Exception):
    """A file or folder that cannot be read, or has nothing in it."""


def read_files(paths: Iterable[Path]) -> list[dict[str, str]]:
    """`name` and `content` of every dashboard file, folders by their *.json in the order of their names.

    Raises:
        DashboardFileError: one cannot be read, or a folder has no *.json.
    """
    found: list[dict[str, str]] = []
    for path in paths:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise DashboardFileError(f"src: {path}: has no *.json; an empty set is surely not meant")
        for file in files:
            try:
                found.append({"name": file.name, "content": file.read_text(encoding="utf-8")})
            except (OSError, UnicodeDecodeError) as error:
                raise DashboardFileError(f"src: {file}: {error}") from error
    return found
