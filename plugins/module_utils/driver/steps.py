# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Carrying out a plan's steps on this host, one after the other; what fails is undone as far as it can be."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Union

from . import dkms, loading, nouveau, pins
from .apt import Apt
from .command import Run, Which
from .dnf import Dnf
from .errors import BuildError, CommandError, DriverError
from .undo import Before

Manager = Union[Apt, Dnf]
Step = Mapping[str, Any]

KEPT_LOG = "var/log/gpufleet-driver-build.log"
# What these do to packages is undone when a later one fails.
_UNDONE = ("unhold", "remove", "pin", "install", "rebuild")


@dataclass
class Host:
    """The host as the steps see it. `stream` is dnf's module stream.

    `pin_version` pins the version that is installed, not only the branch: a newer user space beside the old module in
    the running kernel is of no use to anybody, so upgrades wait for a plan. Prebuilt modules are another matter: those
    of the next kernel may be of the next version.
    """

    run: Run
    which: Which
    manager: Manager
    root: str = "/"
    sys_root: str = "/sys"
    source: str = "cuda_repo"
    stream: str = ""
    pin_version: bool = True
    exact: str | None = None


@dataclass
class Outcome:
    """`done`: what was carried out. `reboot`: why a reboot is needed after all. `stopped`: units to start again."""

    done: list[str] = field(default_factory=list)
    changed: bool = False
    reboot: str = ""
    stopped: list[str] = field(default_factory=list)


def carry_out(host: Host, steps: list[Step]) -> Outcome:
    """Do the steps in their order.

    Raises:
        DriverError: one failed. Packages, pins and services are what they were before, or the text says what is not.
    """
    outcome = Outcome()
    before: Before | None = None
    began = time.time()
    host.exact = _version_to_pin(host, steps)
    if any(step["do"] in ("headers", "pin", "install") for step in steps):
        _repair_first(host, steps, outcome)
        host.manager.refresh()
    for step in steps:
        if step["do"] == "repair_packages":
            continue
        if step["do"] in _UNDONE and before is None:
            before = Before(host.run, host.manager, host.root)
        try:
            _DO[step["do"]](host, step, outcome)
        except DriverError as error:
            said = _explained(host, step, error, began)
            if before and step["do"] in _UNDONE:
                said = f"{said}\n{before.restore()}"
            raise DriverError(said) from error
        outcome.done.append(step["do"])
    if outcome.stopped:
        loading.start(host.run, outcome.stopped)
    return outcome


def _version_to_pin(host: Host, steps: list[Step]) -> str | None:
    """What the inventory pins, else what will be installed; None for the branch."""
    asked = [step.get("version") for step in steps if step["do"] == "pin"]
    coming = [step.get("version") for step in steps if step["do"] == "install"] if host.pin_version else []
    return next((version for version in [*asked, *coming] if version), None)


def _repair_first(host: Host, steps: list[Step], outcome: Outcome) -> None:
    for step in steps:
        if step["do"] == "repair_packages":
            host.manager.repair(list(step.get("remove", ())))
            outcome.done.append("repair_packages")
            outcome.changed = True


def _explained(host: Host, step: Step, error: DriverError, began: float) -> str:
    """A failed build is told by the compiler's first error, whether DKMS was called by us or by a package."""
    log = dkms.last_failure(host.root, began - 1)
    if log is None or not isinstance(error, (CommandError, BuildError)):
        return str(error)
    kept = os.path.join(host.root, KEPT_LOG)
    pins.write(kept, log[1])
    text = str(error)
    if isinstance(error, CommandError):
        text = dkms.report(log, "nvidia", str(step.get("version") or ""), "", error.output)
    return (
        f"{text}\nThe whole log of the build is kept in {kept}. Set nvidia_driver_version or nvidia_driver_branch to a "
        "driver that knows this kernel, or boot a kernel that this driver knows."
    )


def _unhold(host: Host, step: Step, outcome: Outcome) -> None:
    host.manager.unhold(list(step["packages"]))
    outcome.changed = True


def _install_headers(host: Host, step: Step, outcome: Outcome) -> None:
    host.manager.install(list(step["packages"]), None, None)
    outcome.changed = True


def _remove(host: Host, step: Step, outcome: Outcome) -> None:
    host.manager.remove(list(step["packages"]))
    outcome.changed = True


def _pin(host: Host, step: Step, outcome: Outcome) -> None:
    if host.manager.name == "apt":
        branch = step.get("branch")
        content = pins.apt_preferences(host.source, None if branch is None else str(branch), host.exact)
        outcome.changed |= pins.write(os.path.join(host.root, pins.APT_FILE), content)
    else:
        pins.lock(host.root, {}, None)
        if host.stream:
            pins.use_stream(host.run, host.stream)
        pins.need_lock_plugin(host.run, host.root)
    if step.get("packages"):
        host.manager.install(list(step["packages"]), None, None)
    outcome.changed = True


def _install(host: Host, step: Step, outcome: Outcome) -> None:
    branch = step.get("branch")
    host.manager.install(list(step["packages"]), step.get("version"), None if branch is None else str(branch))
    if host.manager.name == "dnf":
        ours = {name: evr for name, evr in host.manager.installed().items() if "nvidia" in name}
        pins.lock(host.root, ours, host.exact)
    outcome.changed = True


def _block_nouveau(host: Host, step: Step, outcome: Outcome) -> None:
    outcome.changed |= nouveau.block(host.root, host.run, host.which)


def _unblock_nouveau(host: Host, step: Step, outcome: Outcome) -> None:
    outcome.changed |= nouveau.unblock(host.root, host.run, host.which)


def _rebuild(host: Host, step: Step, outcome: Outcome) -> None:
    for kernel in step["kernels"]:
        outcome.changed |= dkms.ensure_built(host.run, host.which("dkms"), host.root, kernel, step.get("version"))


def _load(host: Host, step: Step, outcome: Outcome) -> None:
    if step.get("unload"):
        try:
            outcome.stopped = loading.unload(host.run, host.sys_root, list(step.get("stop", ())))
        except CommandError as error:
            outcome.reboot = f"the old module cannot be unloaded: {error}"
            outcome.changed = True
            return
    loading.load(host.run, host.root, host.sys_root, step["kernels"][0], step.get("version"))
    outcome.changed = True


def _unload(host: Host, step: Step, outcome: Outcome) -> None:
    """Take the module out where nothing holds it; where something does, it goes with the next reboot."""
    try:
        loading.unload(host.run, host.sys_root, list(step.get("stop", ())))
    except CommandError as error:
        outcome.reboot = f"the module stays loaded until the next reboot: {error}"
    outcome.changed = True


def _purge(host: Host, step: Step, outcome: Outcome) -> None:
    """Take the driver off with its configuration, its pins and its locks."""
    if step["packages"]:
        for unit in step.get("units", ()):
            # Not every package takes its units' links away; a unit that is not there is none of them.
            host.run(["systemctl", "disable", unit])
        host.manager.purge(list(step["packages"]))
        outcome.changed = True
    for name in (pins.APT_FILE, pins.STREAM_FILE, KEPT_LOG):
        outcome.changed |= pins.write(os.path.join(host.root, name), None)
    outcome.changed |= pins.lock(host.root, {}, None)


_DO: dict[str, Callable[[Host, Step, Outcome], None]] = {
    "unhold": _unhold,
    "headers": _install_headers,
    "remove": _remove,
    "pin": _pin,
    "install": _install,
    "block_nouveau": _block_nouveau,
    "unblock_nouveau": _unblock_nouveau,
    "rebuild": _rebuild,
    "load_module": _load,
    "unload": _unload,
    "purge": _purge,
}
KNOWN = ("repair_packages", *_DO)
