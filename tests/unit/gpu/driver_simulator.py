"""What the steps of a plan make of a machine: facts in, facts out, as a role that does exactly these steps would."""

from __future__ import annotations

import copy
from typing import Any

Facts = dict[str, Any]


def carried_out(facts: Facts, plan: dict[str, Any]) -> Facts:
    """The facts after all steps of `plan`."""
    after = copy.deepcopy(facts)
    for step in plan["steps"]:
        _DO[step["do"]](after, step)
    return after


def _repair(facts: Facts, step: dict[str, Any]) -> None:
    _take_off(facts, step["remove"])
    facts["packages"]["half_configured"] = []


def _unhold(facts: Facts, step: dict[str, Any]) -> None:
    facts["packages"]["held"] = [name for name in facts["packages"]["held"] if name not in step["packages"]]


def _headers(facts: Facts, step: dict[str, Any]) -> None:
    facts["kernel"]["headers"].update(dict.fromkeys(step["kernels"], True))


def _remove(facts: Facts, step: dict[str, Any]) -> None:
    _take_off(facts, step["packages"])


def _take_off(facts: Facts, names: list[str]) -> None:
    packages = facts["userland"]["packages"]
    for name in names:
        packages.pop(name, None)
        if "dkms" in name:
            facts["module"]["on_disk"], facts["dkms"] = {}, []
    if not any("cuda" in name for name in packages):
        facts["userland"].update(version=None, source=facts["userland"]["source"] if packages else None)


def _pin(facts: Facts, step: dict[str, Any]) -> None:
    facts["userland"]["packages"].update(dict.fromkeys(step["packages"], f"{step['branch']}-1"))


def _install(facts: Facts, step: dict[str, Any]) -> None:
    version = step["version"] or f"{step['branch']}.95.05"
    packages = facts["userland"]["packages"]
    drivers = [name for name in packages if "pinning" not in name] if step["replaces"] else []
    packages.update(dict.fromkeys([*step["packages"], *drivers], f"{version}-1"))
    facts["userland"].update(version=version, source="cuda_repo")
    if any("dkms" in name for name in step["packages"]):
        # As dkms does: what has headers is built, what it had built before goes.
        kernel = facts["kernel"]
        able = [name for name in kernel["installed"] if kernel["headers"].get(name)]
        facts["module"]["on_disk"] = {name: _built(version, step["modules"]) for name in able}


def _built(version: str, flavour: str) -> dict[str, Any]:
    return {"version": version, "open": flavour == "open", "signed": True}


def _block_nouveau(facts: Facts, step: dict[str, Any]) -> None:
    facts["nouveau"]["blocked"] = True


def _rebuild(facts: Facts, step: dict[str, Any]) -> None:
    version = facts["userland"]["version"]
    kind = "open" if "nvidia-kernel-open-dkms" in facts["userland"]["packages"] else "proprietary"
    for kernel in step["kernels"]:
        assert facts["kernel"]["headers"].get(kernel), "nothing is built without headers"
        facts["module"]["on_disk"][kernel] = _built(version, kind)


def _load(facts: Facts, step: dict[str, Any]) -> None:
    found = facts["module"]["on_disk"][facts["kernel"]["running"]]
    assert not facts["nouveau"]["bound"], "nouveau has the GPUs"
    assert not facts["module"]["references"] or not facts["module"]["loaded"], "it is in use"
    facts["module"].update(loaded=found["version"], open=found["open"])


def _reboot(facts: Facts, step: dict[str, Any]) -> None:
    facts["kernel"]["running"] = facts["kernel"]["newest"]
    found = facts["module"]["on_disk"].get(facts["kernel"]["newest"], {})
    facts["module"].update(loaded=found.get("version"), open=found.get("open"), used_by=[], references=0)
    assert facts["nouveau"]["blocked"], "nouveau would be back"
    facts["nouveau"].update(loaded=False, bound=[])


def _nothing(facts: Facts, step: dict[str, Any]) -> None:
    """A repository and running services are no facts."""


_DO = {
    "repair_packages": _repair,
    "unhold": _unhold,
    "add_repository": _nothing,
    "headers": _headers,
    "remove": _remove,
    "pin": _pin,
    "install": _install,
    "block_nouveau": _block_nouveau,
    "rebuild": _rebuild,
    "load_module": _load,
    "services": _nothing,
    "reboot": _reboot,
}
