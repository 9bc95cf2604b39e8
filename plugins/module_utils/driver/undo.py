# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What a host was before its driver was changed, and the way back to that."""

from __future__ import annotations

from typing import Protocol

from .command import Run
from .pins import APT_FILE, LOCK_FILE, STREAM_FILE, Files
from .verify import FABRIC_MANAGER, PERSISTENCED
from .versions import upstream


class Restoring(Protocol):
    """A package manager, as far as it is needed here."""

    def installed(self) -> dict[str, str]:
        """Name -> version."""

    def restore(self, before: dict[str, str]) -> list[str]:
        """Sentences about what could not be brought back."""


class Before:
    """Packages, pins and services as they were when this was made."""

    def __init__(self, run: Run, manager: Restoring, root: str) -> None:
        self._run, self._manager = run, manager
        self._packages = manager.installed()
        self._files = Files(root, [APT_FILE, LOCK_FILE, STREAM_FILE])
        units = (PERSISTENCED, FABRIC_MANAGER)
        self._enabled = [unit for unit in units if run(["systemctl", "is-enabled", "--quiet", unit])[0] == 0]
        self._active = [unit for unit in units if run(["systemctl", "is-active", "--quiet", unit])[0] == 0]

    def restore(self) -> str:
        """Bring all back; one sentence about what is there now."""
        self._files.restore()
        left = [*self._manager.restore(self._packages), *self._services()]
        if left:
            return f"Not all is what it was: {'; '.join(left)}"
        named = (item for item in self._packages.items() if "nvidia" in item[0] and "pinning" not in item[0])
        drivers = sorted({version for version in (upstream(full) for _name, full in named) if version})
        state = (
            f"the driver {', '.join(drivers)} is installed as before"
            if drivers
            else "no driver is installed, as before"
        )
        return f"The package manager is in order, and {state}."

    def _services(self) -> list[str]:
        """Removing a package stops its service and takes its links away; installing it again brings neither back."""
        if self._enabled or self._active:
            self._run(["systemctl", "daemon-reload"])
        lost = [unit for unit in self._enabled if self._run(["systemctl", "enable", "--quiet", unit])[0] != 0]
        down = [unit for unit in self._active if self._run(["systemctl", "start", unit])[0] != 0]
        return [
            *(f"{unit} could not be enabled again" for unit in lost),
            *(f"{unit} could not be started again; `journalctl -u {unit}` tells why" for unit in down),
        ]
