# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The commands of systemd that are needed here."""

from __future__ import annotations

from typing import Callable

from .errors import CommandError
from .state import PROPERTIES, UnitState, parse_show

# (arguments) -> (exit status, stdout, stderr)
Run = Callable[[list[str]], "tuple[int, str, str]"]


class Systemd:
    """systemctl and journalctl by way of `run`."""

    def __init__(self, run: Run):
        self._run = run

    def show(self, name: str) -> UnitState:
        """The unit's state now; one that systemd does not know has load_state `not-found`."""
        return parse_show(name, self.call("show", name, f"--property={','.join(PROPERTIES)}"))

    def call(self, *arguments: str) -> str:
        """What `systemctl ...` printed.

        Raises:
            CommandError: it refused.
        """
        status, out, err = self._run(["systemctl", "--no-pager", "--no-ask-password", *arguments])
        if status:
            raise CommandError(f"`systemctl {' '.join(arguments)}` fails: {(err or out).strip()}")
        return out

    def instances(self, template: str) -> list[str]:
        """Names of the instances of `x@.service` that systemd has in memory."""
        pattern = template.replace("@.", "@*.")
        listed = self.call("list-units", "--all", "--plain", "--no-legend", pattern)
        return [line.split()[0] for line in listed.splitlines() if line.split()]

    def journal(self, count: int, *filters: str) -> list[str]:
        """The last lines that match, oldest first; none where there is no journal."""
        _, out, _ = self._run(
            ["journalctl", "--quiet", "--no-pager", "--output=cat", f"--lines={count}", "--all", *filters]
        )
        return [line.rstrip() for line in out.split("\n") if line.strip()]

    def sync_journal(self) -> None:
        """Wait until journald has taken in what was written so far."""
        self._run(["journalctl", "--sync"])
