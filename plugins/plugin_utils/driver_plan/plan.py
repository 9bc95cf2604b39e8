"""The plan itself: refusals first, then packages, kernels, loading and, if it must be, a reboot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import hardware, host
from .kernels import Kernels, choose
from .loading import Loading, loading
from .machine import Machine, read_machine
from .packages import Change, assess, not_offered
from .steps import Step, after_loading, before_loading
from .wishes import Wishes, read_wishes

Plan = dict[str, Any]


def driver_plan(facts: Mapping[str, Any], wishes: Mapping[str, Any]) -> Plan:
    """What to do to a host's driver.

    Args:
        facts: what the module gpu_facts returns as `gpu`.
        wishes: state, branch, version, source, modules, gpus, without_gpu, reboot, connection, secure_boot_modules,
            fabric_manager, packages (names by set) and available (`driver`: versions, `headers`: kernels, as the
            package sources offer them; left out where nobody has looked).

    Returns:
        action: skip, nothing, install, upgrade, branch_change, rebuild, load, reboot or refuse.
        refused: the reason with its remedy; empty unless the action is refuse.
        summary: one line.
        steps: in order, each with `do` and `why` and what that step needs; none where there is nothing to do.
        modules: open or proprietary.
        version: the driver's version afterwards; None where the source decides within the branch.
        warnings: sentences.
        reboot: {due, allowed, why}: due without allowed means that someone has to do it.

    Raises:
        WishError: the wishes cannot be understood.
    """
    machine, wanted = read_machine(facts), read_wishes(wishes)
    kind = hardware.flavour(machine, wanted)
    if not machine.gpus and not wanted.gpus and (wanted.without_gpu == "skip" or wanted.gpus == 0):
        return _plan("skip", "no NVIDIA GPU on the PCI bus, so no driver is needed", kind)
    reason = (
        _no_gpu(machine, wanted)
        or hardware.missing_gpus(machine, wanted)
        or _version_of_branch(wanted)
        or host.container(machine)
        or hardware.foreign_drivers(machine)
        or hardware.unsupported(machine, wanted)
        or host.runfile(machine)
    )
    return _refused(reason, kind) if reason else _worked_out(machine, wanted, kind)


def _worked_out(machine: Machine, wishes: Wishes, flavour: str) -> Plan:
    change = assess(machine, wishes, flavour)
    kernels = choose(machine, wishes, lambda kernel: _ready(machine, kernel, change, flavour))
    load = loading(machine, kernels, change, flavour)
    reason = (
        not_offered(change, wishes)
        or kernels.refused
        or host.secure_boot(machine, wishes, kernels, will_load=bool(load.way))
    )
    if reason:
        return _refused(reason, flavour)
    first = list(before_loading(machine, wishes, change, kernels, flavour))
    due = _reboot_why(wishes, load, first)
    allowed = wishes.reboot != "never" and wishes.connection != "local"
    if due and allowed and kernels.stranded:
        return _refused(_stranding(due, kernels), flavour)
    last = list(after_loading(machine, wishes, load, change.target, due if allowed else ""))
    steps = first + (last if first or {step["do"] for step in last} - {"services"} else [])
    warnings = [*hardware.warnings(machine, wishes), *host.warnings(machine), *kernels.warnings]
    if due and not allowed and load.way == "reboot":
        warnings.append(_reboot_by_hand(wishes, due))
    action = _action(change, steps)
    plan = _plan(action, _summary(machine, change, kernels, load, action), flavour)
    reboot = {"due": load.way == "reboot" or bool(due and allowed), "allowed": allowed, "why": due}
    return {**plan, "steps": steps, "version": change.target, "warnings": warnings, "reboot": reboot}


def _ready(machine: Machine, kernel: str, change: Change, flavour: str) -> bool:
    found = machine.on_disk(kernel)
    if not found or change.replaces:
        return False
    return found.get("version") == machine.version and found.get("open") in (None, flavour == "open")


def _no_gpu(machine: Machine, wishes: Wishes) -> str:
    if machine.gpus or wishes.gpus:
        return ""
    return (
        "there is no NVIDIA GPU on the PCI bus (`lspci -d 10de:` shows nothing of class VGA or 3D), and "
        "nvidia_driver_without_gpu is refuse; take the host out of the group nvidia_driver, or set it to skip"
    )


def _version_of_branch(wishes: Wishes) -> str:
    if wishes.version is None or wishes.version.startswith(f"{wishes.branch}."):
        return ""
    return (
        f"the version {wishes.version} does not belong to the branch {wishes.branch}; "
        f'set nvidia_driver_branch: "{wishes.version.split(".")[0]}"'
    )


def _reboot_why(wishes: Wishes, load: Loading, steps: list[Step]) -> str:
    if load.way == "reboot":
        return load.why
    if wishes.reboot == "always" and (steps or load.way):
        return "nvidia_driver_reboot is always, and the driver changes"
    return ""


def _stranding(due: str, kernels: Kernels) -> str:
    return (
        f"a reboot is needed ({due}), and it would start the kernel {kernels.stranded}, for which no headers are to be "
        "had and so no module; install its headers, or take that kernel off, and run again"
    )


def _reboot_by_hand(wishes: Wishes, due: str) -> str:
    reason = (
        "over a local connection it would end this very run"
        if wishes.connection == "local"
        else "nvidia_driver_reboot is never"
    )
    return f"A reboot is due and is not done, since {reason}: {due}. Reboot the host, then run again."


def _action(change: Change, steps: list[Step]) -> str:
    done = [step["do"] for step in steps]
    if change.kind:
        return change.kind
    for action, step in (("rebuild", "rebuild"), ("load", "load_module"), ("reboot", "reboot")):
        if step in done:
            return action
    return "install" if set(done) - {"services"} else "nothing"


def _summary(machine: Machine, change: Change, kernels: Kernels, load: Loading, action: str) -> str:
    if change.kind:
        return f"{action.replace('_', ' ')}: {change.why}"
    if action == "rebuild":
        return f"rebuild the module {change.target or ''} for {', '.join(kernels.build)}".replace("  ", " ")
    if load.way:
        return f"{load.way}: {load.why}"
    if action == "install":
        return "block nouveau, which would take the GPUs at the next boot"
    return f"driver {machine.version} is installed, built for {', '.join(kernels.serve)} and loaded"


def _refused(reason: str, flavour: str) -> Plan:
    return {**_plan("refuse", reason, flavour), "refused": reason}


def _plan(action: str, summary: str, flavour: str) -> Plan:
    return {
        "action": action,
        "refused": "",
        "summary": summary,
        "steps": [],
        "modules": flavour,
        "version": None,
        "warnings": [],
        "reboot": {"due": False, "allowed": False, "why": ""},
    }
