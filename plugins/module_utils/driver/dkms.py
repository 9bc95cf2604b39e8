# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What DKMS has built, and why it could not."""

from __future__ import annotations

import glob
import os
import re

from ..gpu.dkms import dkms as read_dkms
from ..gpu.module_files import on_disk
from ..gpu.programs import ask
from ..gpu.roots import Roots
from . import make_log
from .command import Run
from .errors import BuildError

# The driver's own modules by DKMS's names: NVIDIA's, Ubuntu's and Debian's. Not nvidia-fs, nor gdrdrv.
_OURS = re.compile(r"nvidia(-open|-srv|-srv-open|-current|-current-open|-tesla-\d+|-legacy-\w+|-\d+)*")


def ensure_built(run: Run, dkms: str | None, root: str, kernel: str, version: str | None) -> bool:
    """Have the driver's module of this version in place for a kernel; True when it had to be built.

    Args:
        dkms: path of the program; None where there is none.
        root: where var/lib/dkms and lib/modules lie.
        version: the driver's version; None for whichever is there.

    Raises:
        BuildError: it cannot be built.
    """
    if _in_place(root, kernel, version):
        return False
    entries = [entry for entry in known(root) if version in (None, entry["version"])]
    if not entries or dkms is None:
        lacking = (
            "the program dkms is not installed" if dkms is None else f"DKMS has no source of {version or 'the driver'}"
        )
        raise BuildError(
            f"There is no nvidia module {version or ''} for the kernel {kernel}, and {lacking}".replace("  ", " ")
        )
    one = entries[0]
    status, out, err = run([dkms, "install", "-m", one["module"], "-v", one["version"], "-k", kernel, "--force"])
    if status != 0:
        raise BuildError(report(last_failure(root, 0.0), one["module"], one["version"], kernel, out + err))
    return True


def known(root: str) -> list[dict]:
    """The driver's modules in DKMS's tree: [{module, version, kernel, state}]."""
    return [entry for entry in read_dkms(Roots(root=root)) if _OURS.fullmatch(entry["module"])]


def _in_place(root: str, kernel: str, version: str | None) -> bool:
    found, _unknown = on_disk(Roots(root=root), [kernel], ask)
    return bool(found) and version in (None, found[kernel]["version"])


def last_failure(root: str, since: float) -> tuple[str, str] | None:
    """Path and text of the newest make.log of a build of the driver that failed at or after a time, or None.

    A log beside a built module (in .../<kernel>/<arch>/log) is one of success.
    """
    logs = []
    for path in glob.glob(os.path.join(root, "var/lib/dkms/*/*/build/make.log")):
        if _OURS.fullmatch(path.split(os.sep)[-4]) and os.path.getmtime(path) >= since:
            logs.append((os.path.getmtime(path), path))
    if not logs:
        return None
    path = max(logs)[1]
    with open(path, encoding="utf-8", errors="replace") as file:
        return path, file.read()


def report(log: tuple[str, str] | None, module: str, version: str, kernel: str, output: str) -> str:
    """One sentence: which module, which kernel, the first error of the compiler."""
    told = make_log.parse(log[1]) if log else None
    error = str(told) if told else (output.strip().splitlines() or ["DKMS said nothing"])[-1]
    compiler = f" (compiler: {told.compiler})" if told and told.compiler else ""
    if told:
        module, version, kernel = told.module or module, told.version or version, told.kernel or kernel
    return f"The kernel module {module} {version} could not be built for the kernel {kernel}{compiler}: {error}"
