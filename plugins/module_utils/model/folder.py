# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""A model's folder on disk: which of its files are the locked ones, and how the rest gets into it.

<path>/                 the model, complete from the moment it is there
<path>/.gpufleet-model  what was checked: file -> sha256, size, modification time
<path>.part/            what has come so far; survives a run that was killed
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import dataclass

from .errors import BadRequestError

MARK = ".gpufleet-model"
_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Folder:
    """One model: where it belongs, and its files with their digests."""

    path: str
    files: dict[str, str]

    @property
    def part(self) -> str:
        return f"{self.path}.part"

    def check(self) -> None:
        """Raises BadRequestError: a name would lead out of the folder, or a digest is none."""
        for name, digest in self.files.items():
            words = name.split("/")
            if name.startswith("/") or any(word in ("", ".", "..") for word in words) or not name.isprintable():
                raise BadRequestError(f"files: {name!r} is no relative path of a file")
            if len(digest) != 64 or any(character not in "0123456789abcdef" for character in digest):
                raise BadRequestError(f"files: {digest!r} for {name} is no sha256; expected 64 hexadecimal digits")

    def missing(self) -> list[str]:
        """Files that are not there as they were checked. Sizes and times are compared, not 100 GB read again."""
        noted = self._noted()
        return [name for name, digest in sorted(self.files.items()) if not self._as_noted(name, digest, noted)]

    def to_fetch(self, missing: list[str]) -> list[str]:
        """Those of `missing` that did not come whole in an earlier run."""
        return [name for name in missing if not os.path.isfile(os.path.join(self.part, name))]

    def _noted(self) -> dict:
        try:
            with open(os.path.join(self.path, MARK), encoding="utf-8") as file:
                return dict(json.load(file))
        except (OSError, ValueError):
            return {}

    def _as_noted(self, name: str, digest: str, noted: dict) -> bool:
        try:
            found = os.lstat(os.path.join(self.path, name))
        except OSError:
            return False
        return noted.get(name) == [digest, found.st_size, found.st_mtime_ns]

    def staged(self, name: str) -> str:
        """Where the bytes of a file are gathered; its folder is made."""
        path = os.path.join(self.part, f"{name}.incomplete")
        make_folders(os.path.dirname(path))
        return path

    def accept(self, name: str) -> bool:
        """Take a gathered file for whole if its digest is right; drop it and say False if not."""
        path = self.staged(name)
        if digest_of(path) != self.files[name]:
            os.unlink(path)
            return False
        os.chmod(path, 0o644)
        os.replace(path, os.path.join(self.part, name))
        return True

    def land(self, missing: list[str]) -> None:
        """Put what came into place: a whole model by one rename, a repaired file by one each."""
        if not os.path.isdir(self.path):
            os.rename(self.part, self.path)
        else:
            for name in missing:
                target = os.path.join(self.path, name)
                make_folders(os.path.dirname(target))
                os.replace(os.path.join(self.part, name), target)
            shutil.rmtree(self.part)
        for name in set(self._noted()) - set(self.files):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.path, name))
        self._note()

    def _note(self) -> None:
        noted = {}
        for name, digest in self.files.items():
            found = os.lstat(os.path.join(self.path, name))
            noted[name] = [digest, found.st_size, found.st_mtime_ns]
        staged = os.path.join(self.path, f"{MARK}.new")
        with open(staged, "w", encoding="utf-8") as file:
            json.dump(noted, file, indent=1, sort_keys=True)
        os.chmod(staged, 0o644)
        os.replace(staged, os.path.join(self.path, MARK))


def make_folders(path: str) -> None:
    """Like `mkdir -p`, readable for all whatever the umask: the service is another user."""
    if not os.path.isdir(path):
        make_folders(os.path.dirname(path))
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
            os.chmod(path, 0o755)  # noqa: S103 - that is the purpose


def digest_of(path: str) -> str:
    """sha256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            block = file.read(_CHUNK)
            if not block:
                return digest.hexdigest()
            digest.update(block)
