# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""NVIDIA's kernel module on disk, for each kernel: read from the file itself, so that no kernel has to run for it."""

from __future__ import annotations

import gzip
import lzma
import os
import re
import zlib
from typing import Any, Iterator

from .programs import Asker
from .roots import Roots, data

# nvidia.ko; Debian's own packages call it nvidia-current.ko, and the open one nvidia-current-open.ko.
_NAME = re.compile(r"nvidia(-current|-tesla)?(-\d+)?(-open)?\.ko(\.(xz|zst|gz))?")
# depmod's order of search: what lies in updates/ wins over extra/, and that over what came with the kernel.
_PLACES = ("updates", "extra", "weak-updates", "kernel")
_SIGNED = b"~Module signature appended~\n"
_MODINFO_SECONDS = 10.0


def on_disk(roots: Roots, kernels: list[str], ask: Asker) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """{kernel: {version, open, signed, path}} and what could not be read."""
    found: dict[str, dict[str, Any]] = {}
    unknown = []
    for kernel in kernels:
        paths = sorted(_files(roots.path("lib/modules", kernel)), key=_rank)
        if not paths:
            continue
        facts = _read(roots, paths[0], ask)
        if facts is None:
            unknown.append(f"module for {kernel}: {paths[0]} cannot be read")
            continue
        found[kernel] = facts
        if len(paths) > 1:
            unknown.append(f"module for {kernel}: there are several ({', '.join(paths)}); the first one was looked at")
    return found, unknown


def _files(folder: str) -> Iterator[str]:
    for place in _PLACES:
        for current, folders, files in os.walk(os.path.join(folder, place), followlinks=False):
            if current == os.path.join(folder, "kernel"):
                # Prebuilt modules lie in a folder of their own; the thousands of the kernel's need not be looked at.
                folders[:] = [name for name in folders if name.startswith("nvidia")]
            yield from (os.path.join(current, name) for name in sorted(files) if _NAME.fullmatch(name))


def _rank(path: str) -> tuple[int, bool, str]:
    parts = path.split("/")
    place = next(number for number, name in enumerate(_PLACES) if name in parts)
    return place, not os.path.basename(path).startswith("nvidia.ko"), path


def _read(roots: Roots, path: str, ask: Asker) -> dict[str, Any] | None:
    content = unpacked(path, data(roots.followed(path)))
    if content is None:
        told = ask(["modinfo", path], _MODINFO_SECONDS)
        info, signed = parse_modinfo(told or ""), "\nsig_id:" in (told or "")
    else:
        info, signed = embedded_info(content), content.endswith(_SIGNED)
    if not info.get("version"):
        return None
    # The proprietary one says `NVIDIA`.
    return {"version": info["version"], "open": "GPL" in info.get("license", ""), "signed": signed, "path": path}


def unpacked(path: str, content: bytes) -> bytes | None:
    """A module's bytes; None where the standard library cannot unpack them (zstd) or they are damaged."""
    try:
        if path.endswith(".xz"):
            return lzma.decompress(content)
        if path.endswith(".gz"):
            return gzip.decompress(content)
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        return None
    return None if path.endswith(".zst") else content


def embedded_info(content: bytes) -> dict[str, str]:
    """The `key=value` strings of the section .modinfo, which stand in the file between NULs."""
    version = re.search(rb"(?<![A-Za-z_])version=(\d[\d.]+)\0", content)
    licence = re.search(rb"(?<![A-Za-z_])license=([\x20-\x7e]+)\0", content)
    found = {"version": version, "license": licence}
    return {key: match.group(1).decode("ascii") for key, match in found.items() if match}


def parse_modinfo(output: str) -> dict[str, str]:
    """The lines `version:        580.95.05` of modinfo."""
    return dict(re.findall(r"^(version|license):\s+(\S.*)$", output, re.MULTILINE))
