# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Keeping nouveau away from the GPUs: a file for modprobe, and an initramfs that holds it too."""

from __future__ import annotations

import os

from .command import Run, Which, output_of

FILE = "etc/modprobe.d/gpufleet-nouveau.conf"
CONTENT = """\
# Managed by Ansible (gpufleet.serving.nvidia_driver); changes made here are lost.
blacklist nouveau
options nouveau modeset=0
"""


def block(root: str, run: Run, which: Which) -> bool:
    """Write the file and rebuild the initramfs; False when nouveau was blocked by it already."""
    path = os.path.join(root, FILE)
    if _read(path) == CONTENT:
        return False
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(CONTENT)
    os.replace(f"{path}.new", path)
    rebuild_initramfs(run, which)
    return True


def unblock(root: str, run: Run, which: Which) -> bool:
    """Take the file away again; False when it was not there."""
    path = os.path.join(root, FILE)
    if not os.path.exists(path):
        return False
    os.unlink(path)
    rebuild_initramfs(run, which)
    return True


def rebuild_initramfs(run: Run, which: Which) -> None:
    """Rebuild the initramfs of every kernel, where the host has a program that makes one.

    Raises:
        CommandError: that program failed.
    """
    debians, dracut = which("update-initramfs"), which("dracut")
    if debians:
        output_of(run, [debians, "-u", "-k", "all"], "rebuilding the initramfs")
    elif dracut:
        output_of(run, [dracut, "--force", "--regenerate-all"], "rebuilding the initramfs")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""
