# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""All facts of one machine, put together. What one of them cannot know does not keep the others from being told."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any, Callable

from ..host.system import os_release
from . import dkms, dpkg, kernels, loaded, module_files, nouveau, pci, reboot, rpm, secure_boot, smi, userland
from .programs import Asker
from .roots import Roots


def gather(roots: Roots, ask: Asker) -> dict[str, Any]:
    """The facts, in the shape that the module gpu_facts documents.

    Args:
        ask: runs programs of the machine whose files these are.
    """
    return _Gathering(roots, ask).all()


class _Gathering:
    """Catches whatever a probe raises: an odd machine is described as far as it can be."""

    def __init__(self, roots: Roots, ask: Asker) -> None:
        self.roots = roots
        self.ask = ask
        self.unknown: list[str] = []
        self.release: dict[str, str] = self._guarded("operating system", lambda: os_release(Path(roots.root)), {})

    def all(self) -> dict[str, Any]:
        devices = self._guarded("devices", lambda: pci.devices(self.roots), [])
        kernel = self._guarded("kernels", lambda: kernels.kernels(self.roots), _NO_KERNEL)
        module = self._module(kernel)
        installed, packages = self._packages()
        enabled = self._noting("secure boot", lambda: secure_boot.secure_boot(self.roots), None)
        return {
            "os": self._os(),
            "devices": self._devices(devices, module),
            "kernel": kernel,
            "module": module,
            "userland": self._noting("user space", lambda: userland.userland(self.roots, installed), _NO_USERLAND),
            "dkms": self._guarded("dkms", lambda: dkms.dkms(self.roots), []),
            "secure_boot": enabled,
            "mok": self._noting("machine owner keys", lambda: secure_boot.mok(self.roots, self.ask, enabled), _NO_KEYS),
            "nouveau": self._guarded("nouveau", lambda: nouveau.nouveau(self.roots, devices), _NO_NOUVEAU),
            "packages": packages,
            "reboot": self._guarded("reboot", lambda: reboot.reboot(self.roots, kernel, module), _NO_REBOOT),
            "unknown": self.unknown,
        }

    def _guarded(self, what: str, find: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return find()
        except Exception as error:
            self.unknown.append(f"{what}: cannot be found out ({type(error).__name__}: {error})")
            return otherwise

    def _noting(self, what: str, find: Callable[[], tuple], otherwise: Any) -> Any:
        """For what also tells which parts of it could not be found out."""
        found, unknown = self._guarded(what, find, (otherwise, []))
        self.unknown += unknown
        return found

    def _module(self, kernel: dict[str, Any]) -> dict[str, Any]:
        running = self._guarded("loaded module", lambda: loaded.loaded(self.roots), _NO_MODULE)
        if running["used_by"] is None:
            self.unknown.append("users of the GPUs: no process can be looked into; is this root?")
        found = self._noting(
            "modules on disk", lambda: module_files.on_disk(self.roots, kernel["installed"], self.ask), {}
        )
        return {**running, "on_disk": found}

    def _devices(self, devices: list, module: dict[str, Any]) -> list[dict[str, Any]]:
        told = {}
        # Where the module is not loaded, nvidia-smi would try to load it.
        if devices and module["loaded"]:
            told = self._guarded("nvidia-smi", lambda: smi.ask_cards(self.ask), None)
        if told is None:
            self.unknown.append(
                "memory of the GPUs: nvidia-smi is not there, fails or hangs; only known cards are told"
            )
        return self._noting("devices", lambda: pci.described(devices, self.roots, told or {}), [])

    def _packages(self) -> tuple[dict, dict[str, Any]]:
        nothing: tuple = ({}, _NO_PACKAGES)
        if self._is_rpm():
            return self._noting("packages", lambda: rpm.read_rpm(self.roots, self.ask), nothing)
        if os.path.isfile(self.roots.path("var/lib/dpkg/status")):
            return self._guarded("packages", lambda: dpkg.read_dpkg(self.roots, self.ask), nothing)
        self.unknown.append("packages: neither dpkg's nor rpm's database is there")
        return nothing

    def _is_rpm(self) -> bool:
        system = self._os()
        return any(name in ("rhel", "fedora", "centos") for name in (system["id"], *system["like"]))

    def _os(self) -> dict[str, Any]:
        return {
            "id": self.release.get("ID", ""),
            "version": self.release.get("VERSION_ID", ""),
            "like": self.release.get("ID_LIKE", "").split(),
            "architecture": platform.machine(),
        }


_NO_KERNEL: dict[str, Any] = {"running": "", "newest": None, "installed": [], "headers": {}}
_NO_MODULE: dict[str, Any] = {"loaded": None, "open": None, "used_by": [], "references": 0}
_NO_USERLAND: dict[str, Any] = {"version": None, "packages": {}, "source": None, "sources": {}}
_NO_KEYS: dict[str, Any] = {"enrolled": None, "dkms_key": None, "dkms_key_enrolled": None}
_NO_NOUVEAU: dict[str, Any] = {"loaded": False, "bound": [], "blocked": False}
_NO_PACKAGES: dict[str, Any] = {"manager": None, "held": [], "half_configured": []}
_NO_REBOOT: dict[str, Any] = {"pending": False, "reasons": []}
