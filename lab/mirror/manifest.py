"""MANIFEST.json: what the mirror holds.

{"files": {"<path below the mirror>": {"sha256": hex, "size": bytes, "source": where it comes from,
                                       "recipe": digest of what it was made by, if it was made here}}}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lab.files import write_atomically

Entry = dict[str, Any]


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recipe_digest(recipe: Any) -> str:
    """A short digest of the JSON-able description of how something is made."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]


class Manifest:
    """The list beside the files; every change is on disk when the call returns."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._file = root / "MANIFEST.json"
        self.files: dict[str, Entry] = {}
        if self._file.is_file():
            self.files = json.loads(self._file.read_text())["files"]

    def holds(self, path: str, recipe: str) -> bool:
        """Whether the file is there, whole, and made by this recipe."""
        entry = self.files.get(path)
        file = self.root / path
        return (
            entry is not None
            and entry.get("recipe") == recipe
            and file.is_file()
            and file.stat().st_size == entry["size"]
        )

    def add(self, path: str, *, source: str, recipe: str) -> None:
        """Record a file that is now in its place."""
        file = self.root / path
        self.replace({}, {path: self.entry(file, digest_of(file), source=source, recipe=recipe)})

    def entry(self, file: Path, digest: str, *, source: str, recipe: str) -> Entry:
        """What is recorded of a file with this sha256."""
        return {"sha256": digest, "size": file.stat().st_size, "source": source, "recipe": recipe}

    def below(self, folder: str) -> dict[str, Entry]:
        """The files recorded below one folder."""
        return {path: entry for path, entry in self.files.items() if path.startswith(f"{folder.rstrip('/')}/")}

    def put_folder(self, old: Mapping[str, Entry], files: Iterable[Path], *, source: str, recipe: str) -> None:
        """Record these files in place of the entries `old`."""
        new = {
            str(file.relative_to(self.root)): self.entry(file, digest_of(file), source=source, recipe=recipe)
            for file in files
        }
        self.replace(old, new)

    def replace(self, old: Mapping[str, Entry], new: Mapping[str, Entry]) -> None:
        """Forget the entries `old` and record `new`."""
        kept = {path: entry for path, entry in self.files.items() if path not in old}
        self.files = dict(sorted({**kept, **new}.items()))
        write_atomically(self._file, json.dumps({"files": self.files}, indent=1) + "\n")
