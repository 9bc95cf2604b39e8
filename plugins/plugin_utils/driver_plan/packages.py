"""What has to happen to the packages."""

from __future__ import annotations

from dataclasses import dataclass

from .machine import Machine, are, is_kernel_side
from .versions import branch_of, key, newest
from .wishes import Wishes


@dataclass(frozen=True)
class Change:
    """`kind` is empty where the packages are as wished, else install, upgrade or branch_change.

    `target` is the driver's version afterwards; None where the source decides. `replaces` says whether the kernel
    module becomes another one.
    """

    kind: str
    why: str
    install: tuple[str, ...]
    remove: tuple[str, ...]
    target: str | None
    replaces: bool


def wanted_packages(machine: Machine, wishes: Wishes, flavour: str) -> tuple[str, ...]:
    """All packages that the host should have, without the branch pin."""
    names = [*driver_packages(machine, wishes, flavour), *wishes.sets["persistenced"]]
    if wants_fabric_manager(machine, wishes):
        names += wishes.sets["fabricmanager"]
    return tuple(dict.fromkeys(names))


def driver_packages(machine: Machine, wishes: Wishes, flavour: str) -> list[str]:
    """User space and module; prebuilt modules come in a package for each kernel."""
    kernels = [kernel for kernel in dict.fromkeys([machine.running, machine.newest]) if kernel in machine.kernels]
    return [
        expanded
        for name in wishes.sets[flavour]
        for expanded in ([name.replace("{kernel}", kernel) for kernel in kernels] if "{kernel}" in name else [name])
    ]


def wants_fabric_manager(machine: Machine, wishes: Wishes) -> bool:
    return bool(machine.switches) if wishes.fabric_manager is None else wishes.fabric_manager


def assess(machine: Machine, wishes: Wishes, flavour: str) -> Change:
    """What the packages lack of what is wished; the first finding decides."""
    wanted = wanted_packages(machine, wishes, flavour)
    everything = tuple(sorted(machine.packages))
    target = wishes.version or newest(wishes.offered or (), wishes.branch)
    if not machine.version:
        parts = tuple(name for name in everything if name not in wishes.sets["pinning"])
        why = f"only parts of a driver are installed ({', '.join(parts)})" if parts else "no NVIDIA driver is installed"
        return Change("install", why, wanted, parts, target, True)
    if machine.source not in (None, *wishes.origins):
        kind = "upgrade" if wishes.matches(machine.version) else "branch_change"
        return Change(kind, _other_source(machine, wishes), wanted, everything, target, True)
    if wishes.branch not in (None, branch_of(machine.version)):
        why = f"branch {branch_of(machine.version)} is installed ({machine.version}), and {wishes} is wished"
        return Change("branch_change", why, wanted, everything, target, True)
    # The two kinds of modules exclude each other, so all goes before the other kind comes.
    other = _other_flavour(machine, wishes, flavour)
    remove = everything if other else ()
    if not wishes.matches(machine.version):
        older = key(wishes.version or "") < key(machine.version)
        why = f"{machine.version} is installed, and {'the older ' if older else ''}{wishes.version} is wished"
        return Change("upgrade", why, wanted, remove, target, True)
    if other:
        why = f"{are(other, 'brings', 'bring')} the other kind of kernel modules, and the {flavour} ones are wished"
        return Change("upgrade", why, wanted, remove, target or machine.version, True)
    split = {name: version for name, version in machine.kernel_packages.items() if version != machine.version}
    if split:
        best = target or max(filter(wishes.matches, [machine.version, *split.values()]), key=key)
        why = f"the user space is {machine.version}, and " + ", ".join(f"{n} is {v}" for n, v in sorted(split.items()))
        return Change("upgrade", why, wanted, (), best, True)
    return _completed(machine, wishes, wanted) or _prebuilt(machine, wishes, flavour)


def _completed(machine: Machine, wishes: Wishes, wanted: tuple[str, ...]) -> Change | None:
    """The packages that are missing, broken, or of another version than the rest, which must be the very same."""
    broken = [name for name in wanted if name in machine.half_configured]
    absent = [name for name in (*wanted, *wishes.sets["pinning"]) if not machine.packaged([name])]
    fabric = [
        name
        for name in set(wanted) & set(wishes.sets["fabricmanager"])
        if machine.packaged([name]) and not _same_version(machine, name)
    ]
    reasons = [
        *([f"{are(absent)} missing"] if absent else []),
        *([f"{are(broken)} only half configured"] if broken else []),
        *([f"{', '.join(fabric)} must be of the driver's version {machine.version}"] if fabric else []),
    ]
    pinning = set(wishes.sets["pinning"])
    install = tuple(name for name in dict.fromkeys([*absent, *broken, *fabric]) if name not in pinning)
    if not reasons:
        return None
    newer = newest(wishes.offered or (), wishes.branch)
    if install and wishes.offered and not wishes.version and newer and not _offers(wishes, machine.version):
        why = f"{'; '.join(reasons)}, and {machine.version} is not offered any more"
        return Change("upgrade", why, wanted, (), newer, True)
    # A module that lies there without its package, or with a broken one, is not relied on.
    replaces = any(map(is_kernel_side, install))
    return Change("install", "; ".join(reasons), install, (), machine.version, replaces)


def _prebuilt(machine: Machine, wishes: Wishes, flavour: str) -> Change:
    """Where nothing is built on the host, a module that is not there can only be installed again."""
    if wishes.builds or machine.on_disk(machine.newest):
        return Change("", "", (), (), machine.version, False)
    why = f"the prebuilt module for {machine.newest} is not on disk"
    return Change("install", why, tuple(driver_packages(machine, wishes, flavour)), (), machine.version, True)


def _offers(wishes: Wishes, version: str | None) -> bool:
    return any(newest([offer], None) == version for offer in wishes.offered or ())


def _same_version(machine: Machine, name: str) -> bool:
    installed = (machine.part("userland").get("packages") or {}).get(name)
    return newest([installed or ""], None) == machine.version


def _other_flavour(machine: Machine, wishes: Wishes, flavour: str) -> list[str]:
    other = "proprietary" if flavour == "open" else "open"
    wanted = driver_packages(machine, wishes, flavour)
    return machine.packaged(name for name in driver_packages(machine, wishes, other) if name not in wanted)


def _other_source(machine: Machine, wishes: Wishes) -> str:
    if machine.source == "mixed":
        return f"packages of several sources are mixed, which never works for long; all will come from {wishes.source}"
    return f"the packages come from {machine.source}, and {wishes.source} is wished: the two must not be mixed"


def not_offered(change: Change, wishes: Wishes) -> str:
    """Why the source cannot bring what is wished, or nothing."""
    if not (change.kind and change.install) or wishes.offered is None:
        return ""
    target = change.target
    if not change.replaces and not wishes.version:
        return ""
    if target and _offers(wishes, target):
        return ""
    branches = sorted({branch_of(offer) for offer in wishes.offered} - {None})
    if not branches:
        return f"the source {wishes.source} offers no driver for this system; choose another nvidia_driver_source"
    same = sorted({newest([o], None) for o in wishes.offered if branch_of(o) == wishes.branch} - {None}, key=key)
    listed = ", ".join(same) or "the branches " + ", ".join(map(str, branches))
    return (
        f"the source {wishes.source} does not offer {target or wishes}; it has {listed}: set nvidia_driver_version "
        "or nvidia_driver_branch to one of these, or choose another nvidia_driver_source"
    )
