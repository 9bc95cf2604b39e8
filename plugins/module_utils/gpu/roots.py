# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Where a machine's files are read from, and how: what is missing reads as nothing, and that is no error."""

from __future__ import annotations

import os
from dataclasses import dataclass

# The proprietary nvidia.ko has some 100 MB.
_MOST_BYTES = 256 * 1024 * 1024
_MOST_LINKS = 20


@dataclass(frozen=True)
class Roots:
    """Four folders of the machine; `root` is where etc, lib, usr and var lie."""

    sys: str = "/sys"
    proc: str = "/proc"
    boot: str = "/boot"
    root: str = "/"

    def path(self, *parts: str) -> str:
        """A path below `root`."""
        return os.path.join(self.root, *(part.lstrip("/") for part in parts))

    def followed(self, path: str) -> str:
        """What `path` leads to, where absolute links start anew at `root`, as they do for the machine itself."""
        for _ in range(_MOST_LINKS):
            if not os.path.islink(path):
                return path
            target = os.readlink(path)
            path = self.path(target) if target.startswith("/") else os.path.join(os.path.dirname(path), target)
        return path


def text(path: str) -> str:
    """A file's text; empty where there is none or it may not be read."""
    return data(path).decode("utf-8", "replace")


def data(path: str) -> bytes:
    """A file's bytes; empty where there is none or it may not be read."""
    try:
        with open(path, "rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return b""


def line(path: str) -> str:
    """A file of one line, without white space around it."""
    return text(path).strip()


def names(path: str) -> list[str]:
    """What a folder holds, sorted; nothing where it is not there."""
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def link_name(path: str) -> str | None:
    """The last part of what a link points to, as sysfs names drivers and modules."""
    try:
        return os.path.basename(os.readlink(path))
    except OSError:
        return None
