# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Whether a unit can have its port."""

from __future__ import annotations

from pathlib import Path

from .processes import PROC, Process, holders
from .sockets import conflicting, listeners


def port_holders(address: str, port: int, proc: Path = PROC, first: int = 0) -> tuple[bool, list[Process]]:
    """Whether somebody listens there, and the processes that do, as far as they can be seen from here."""
    taken = conflicting(listeners(proc), address, port)
    return bool(taken), holders((one.inode for one in taken), proc, first) if taken else []


def port_problem(address: str, port: int, owner_unit: str | None, proc: Path = PROC) -> str | None:
    """Why `owner_unit` cannot listen on `address`:`port`, or None."""
    taken, found = port_holders(address, port, proc)
    others = [process for process in found if owner_unit is None or owner_unit not in process.units]
    if not taken or (found and not others):
        return None
    if not found:
        return (
            f"port {port} on {address} is taken by a process that cannot be seen from here, perhaps one in another "
            "container; choose another port or stop it"
        )
    names = ", ".join(str(process) for process in others)
    units = sorted({process.units[-1] for process in others if process.units and process.units[-1].endswith("service")})
    remedy = f"`systemctl disable --now {units[0]}`" if units else f"end process {others[0].pid}"
    return f"port {port} on {address} is taken by {names}; choose another port, or {remedy}"
