"""How the right module gets into the running kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .kernels import Kernels
from .machine import Machine
from .packages import Change

# These hold the GPUs open and belong to the driver or to its monitoring: they may be stopped and started again.
OWN_UNITS = (
    "nvidia-persistenced.service",
    "nvidia-fabricmanager.service",
    "nvidia-dcgm.service",
    "dcgm.service",
    "nvidia-dcgm-exporter.service",
    "dcgm-exporter.service",
)
_MOST_NAMED = 3


@dataclass(frozen=True)
class Loading:
    """`way` is empty where the right module runs, else `load` or `reboot`. `stop` are units to stop for it."""

    way: str
    why: str
    unload: bool = False
    stop: tuple[str, ...] = ()


def loading(machine: Machine, kernels: Kernels, change: Change, flavour: str) -> Loading:
    """Whether the module is loaded, must be, and can be without a reboot."""
    wanted = change.target
    if _runs(machine, wanted, flavour) and not (change.replaces and wanted is None):
        return Loading("", "")
    if machine.running not in kernels.serve:
        return Loading("reboot", f"the module is for the kernel {machine.newest}, and {machine.running} runs")
    bound = machine.part("nouveau").get("bound") or []
    if bound:
        return Loading("reboot", f"nouveau holds {', '.join(bound)} and cannot be sent away safely while it does")
    if not machine.loaded:
        return Loading("load", f"the module {wanted or ''} is not loaded".replace("  ", " "))
    kind = "open" if machine.loaded_open else "proprietary"
    stale = f"the loaded module is {machine.loaded} ({kind}), and {wanted or 'the new one'} ({flavour}) is wanted"
    strangers = [user for user in machine.users if user.get("unit") not in OWN_UNITS]
    if strangers:
        return Loading("reboot", f"{stale}; it cannot be unloaded, since it is used by {_named(strangers)}")
    if machine.references:
        return Loading("reboot", f"{stale}; it cannot be unloaded, since the kernel itself uses it, as for a console")
    stop = tuple(dict.fromkeys(user["unit"] for user in machine.users))
    return Loading("load", f"{stale}; nothing uses the GPUs", unload=True, stop=stop)


def _runs(machine: Machine, wanted: str | None, flavour: str) -> bool:
    if not machine.loaded or machine.loaded != (wanted or machine.loaded):
        return False
    return machine.loaded_open in (None, flavour == "open")


def _named(users: list[Mapping[str, Any]]) -> str:
    names = [f"{user.get('comm')} ({user.get('unit') or 'pid ' + str(user.get('pid'))})" for user in users]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
