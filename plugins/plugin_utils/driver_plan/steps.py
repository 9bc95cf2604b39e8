"""The steps of a plan, in the order in which they are done.

What can fail without harm (the repository, the headers) stands before what takes the old driver off.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .kernels import Kernels
from .loading import Loading
from .machine import Machine, are
from .packages import Change, wants_fabric_manager
from .wishes import Wishes

Step = dict[str, Any]


def before_loading(machine: Machine, wishes: Wishes, change: Change, kernels: Kernels, flavour: str) -> Iterator[Step]:
    """Everything up to the module on disk."""
    yield from _repair(machine, change, kernels)
    held = [name for name in machine.part("packages").get("held") or () if name in (*machine.packages, *change.install)]
    if change.kind and held:
        yield {"do": "unhold", "why": "held packages would make this change impossible", "packages": held}
    if change.kind:
        yield {"do": "add_repository", "why": f"the packages come from {wishes.source}", "source": wishes.source}
    if kernels.headers:
        yield {
            "do": "headers",
            "why": f"the module is built against the headers of {', '.join(kernels.headers)}, which are not installed",
            "kernels": list(kernels.headers),
            "packages": _expanded(wishes.sets["headers"], kernels.headers),
        }
    yield from _packages(machine, wishes, change, flavour)
    nouveau = machine.part("nouveau")
    if not nouveau.get("blocked"):
        loaded = "is loaded" if nouveau.get("loaded") else "would take the GPUs at the next boot"
        yield {"do": "block_nouveau", "why": f"nouveau {loaded}; the initramfs must not bring it either"}
    rebuilt = [kernel for kernel in kernels.build if wishes.builds]
    if rebuilt:
        yield {
            "do": "rebuild",
            "why": f"{are(rebuilt, 'has', 'have')} no module that belongs to the user space",
            "kernels": rebuilt,
            "version": change.target,
        }


def _repair(machine: Machine, change: Change, kernels: Kernels) -> Iterator[Step]:
    broken = list(machine.half_configured)
    # Broken packages of others only matter where the package manager is needed.
    if not broken or not (change.kind or kernels.headers):
        return
    ours = [name for name in broken if name in machine.packages]
    why = f"{are(broken)} half configured, so the package manager refuses all work"
    if ours:
        why += "; a module that could not be built is taken off and comes again once it can be"
    yield {"do": "repair_packages", "why": why, "packages": broken, "remove": ours}


def _packages(machine: Machine, wishes: Wishes, change: Change, flavour: str) -> Iterator[Step]:
    if not change.kind:
        return
    if change.remove:
        yield {"do": "remove", "why": change.why, "packages": list(change.remove)}
    why = f"so that an unattended upgrade cannot leave {wishes} and split user space from module"
    pin = {"do": "pin", "why": why, "packages": list(wishes.sets["pinning"]), "branch": wishes.branch}
    yield {**pin, "version": wishes.version}
    if change.install:
        fabric = set(wishes.sets["fabricmanager"])
        yield {
            "do": "install",
            "why": change.why,
            "packages": list(change.install),
            "version": _common_version(wishes, change),
            "branch": wishes.branch,
            "modules": flavour,
            "replaces": change.replaces,
            # The fabric manager refuses a driver of any other version than its own.
            "same_version": [name for name in change.install if name in fabric],
        }


def _common_version(wishes: Wishes, change: Change) -> str | None:
    """The version that all packages of the step have; a distribution gives its helpers versions of their own."""
    own = wishes.source == "distribution" and set(change.install) <= set(wishes.sets["persistenced"])
    return None if own else change.target


def after_loading(
    machine: Machine, wishes: Wishes, load: Loading, version: str | None, reboot_why: str
) -> Iterator[Step]:
    """From the module on disk to the running driver. A reboot loads the module, so nothing is loaded before one."""
    if load.way == "load" and not reboot_why:
        load_step = {"do": "load_module", "why": load.why, "version": version, "kernels": [machine.running]}
        yield {**load_step, "unload": load.unload, "stop": list(load.stop)}
    units = [
        *(["nvidia-persistenced.service"] if wishes.sets["persistenced"] else []),
        *(["nvidia-fabricmanager.service"] if wants_fabric_manager(machine, wishes) else []),
    ]
    if units:
        why = "they belong to the driver and start anew with it"
        yield {"do": "services", "why": why, "units": units, "start": not reboot_why and load.way != "reboot"}
    if reboot_why:
        yield {"do": "reboot", "why": reboot_why}


def _expanded(names: tuple[str, ...], kernels: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(name.replace("{kernel}", kernel) for kernel in kernels for name in names))
