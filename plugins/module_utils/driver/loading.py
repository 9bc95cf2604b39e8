# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Getting the driver's module out of the running kernel and into it."""

from __future__ import annotations

import glob
import os

from .command import Run, output_of
from .errors import DriverError

# Each needs the ones behind it.
_ORDER = ("nvidia_peermem", "nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia")
_HINTS = [
    ("Key was rejected", "Secure Boot refuses the module: its signing key is not enrolled (see docs/drivers.md)"),
    (
        "Required key not available",
        "Secure Boot refuses the module: its signing key is not enrolled (see docs/drivers.md)",
    ),
    (
        "No such device",
        "the module knows none of the GPUs: too old or too new a driver, or the open modules on an old GPU",
    ),
    ("Exec format error", "the module was built for another kernel"),
    ("Invalid argument", "the module was built for another kernel"),
]


def loaded_version(sys_root: str) -> str | None:
    """The version of the loaded module."""
    try:
        with open(os.path.join(sys_root, "module/nvidia/version"), encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def unload(run: Run, sys_root: str, stop: list[str]) -> list[str]:
    """Stop units and unload the module with those that stand on it; the units that ran before.

    Raises:
        CommandError: something holds it. The units run again then.
    """
    running = [unit for unit in stop if run(["systemctl", "is-active", "--quiet", unit])[0] == 0]
    if running:
        output_of(run, ["systemctl", "stop", *running], "stopping what uses the GPUs")
    try:
        for module in _ORDER:
            if os.path.isdir(os.path.join(sys_root, "module", module)):
                output_of(run, ["modprobe", "-r", module], f"unloading the module {module}")
    except DriverError:
        start(run, running)
        raise
    return running


def load(run: Run, root: str, sys_root: str, kernel: str, version: str | None) -> None:
    """Load the module, and the one for CUDA's memory where there is one.

    Raises:
        DriverError: the kernel refuses it, or has another version of it afterwards.
    """
    status, out, err = run(["modprobe", "nvidia"])
    if status != 0:
        said = (out + err).strip()
        hint = next((f"; {hint}" for sign, hint in _HINTS if sign in said), "")
        raise DriverError(f"The module nvidia could not be loaded: {said}{hint}.{_kernel_log(run)}")
    if glob.glob(os.path.join(root, "lib/modules", kernel, "**", "nvidia*-uvm.ko*"), recursive=True):
        output_of(run, ["modprobe", "nvidia-uvm"], "loading the module nvidia-uvm")
    found = loaded_version(sys_root)
    if found is None or version not in (None, found):
        raise DriverError(
            f"modprobe succeeded, but the kernel runs the module {found or 'of no version'} where {version or 'one'} "
            "was expected; look for a second nvidia module below /lib/modules (`modinfo -n nvidia`)"
        )


def start(run: Run, units: list[str]) -> None:
    """Start units again.

    Raises:
        CommandError: one of them does not.
    """
    if units:
        output_of(run, ["systemctl", "start", *units], "starting again what uses the GPUs")


def _kernel_log(run: Run) -> str:
    status, out, _err = run(["dmesg"])
    lines = [line for line in out.splitlines() if "NVRM" in line or "nvidia" in line] if status == 0 else []
    return " The kernel says:\n" + "\n".join(lines[-4:]) if lines else ""
