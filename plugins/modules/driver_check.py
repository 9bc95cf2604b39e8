#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: driver_check
short_description: Check that the NVIDIA driver is the wished one and runs
description:
  - Looks whether all GPUs are there and held by the driver, whether user space and loaded module are of the same and
    the wished version, whether the kernel that the next boot takes has its module, whether the driver's services are
    active, and whether C(nvidia-smi) shows every GPU.
author: The gpufleet maintainers
extends_documentation_fragment: [gpufleet.serving.check]
options:
  branch:
    description: Branch of the driver. Empty means any.
    type: str
    default: ""
  version:
    description: NVIDIA's version of the driver. Empty means any of the branch.
    type: str
    default: ""
  gpus:
    description: How many GPUs there must be at least. Left out, one.
    type: int
  without_gpu:
    description: Whether a host without any GPU is in order (V(skip)) or not (V(refuse)), where O(gpus) does not say.
    type: str
    choices: [skip, refuse]
    default: skip
  persistenced:
    description: Whether nvidia-persistenced must be active.
    type: bool
    default: true
  fabric_manager:
    description: V(auto) means where there are NVSwitches; else V(true) or V(false).
    type: str
    default: auto
  running:
    description: V(false) looks at what is installed alone, for a host that still needs a reboot.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Check the driver
  gpufleet.serving.driver_check:
    branch: "580"
    gpus: 8
"""

RETURN = r"""
passed:
  description: Whether all is in order.
  type: bool
  returned: always
problems:
  description: What is not, a sentence each.
  type: list
  elements: str
  returned: always
detail:
  description: Version, kind of modules and number of GPUs, where all is in order.
  type: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils.driver import verify
from ..module_utils.gpu.facts import gather
from ..module_utils.gpu.programs import ask
from ..module_utils.gpu.roots import Roots
from ..module_utils.verdict import Verdict, check_spec, keep_trying

CHECK = "driver"
ARGUMENT_SPEC = {
    **check_spec(),
    "branch": {"type": "str", "default": ""},
    "version": {"type": "str", "default": ""},
    "gpus": {"type": "int"},
    "without_gpu": {"type": "str", "choices": ["skip", "refuse"], "default": "skip"},
    "persistenced": {"type": "bool", "default": True},
    "fabric_manager": {"type": "str", "default": "auto"},
    "running": {"type": "bool", "default": True},
}
_SMI = ["nvidia-smi", "--query-gpu=pci.bus_id", "--format=csv,noheader"]


def look(module: AnsibleModule, expected: verify.Expected) -> Verdict:
    """One look at the host."""
    facts = gather(Roots(), ask)
    if not verify.needs_driver(facts, expected):
        return Verdict(CHECK, "nvidia", detail="no NVIDIA GPU, so no driver is needed")
    active, smi = {}, None
    if expected.running:
        active = {
            unit: module.run_command(["systemctl", "is-active", unit])[1].strip() or "unknown"
            for unit in verify.units(facts, expected)
        }
        # It would try to load the module, and may hang where a GPU is sick.
        if facts["module"]["loaded"]:
            answer = ask(_SMI, 30.0)
            smi = (0, answer) if answer is not None else (1, "it fails, hangs or is not installed")
    found = verify.problems(facts, expected, active, smi)
    if found and module.check_mode and not facts["userland"]["version"]:
        return Verdict(CHECK, "nvidia", detail="not checked: no driver yet (check mode)", checked=False)
    return Verdict(CHECK, "nvidia", problems=found, detail="" if found else verify.detail(facts))


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    fabric = params["fabric_manager"]
    expected = verify.Expected(
        branch=params["branch"],
        version=params["version"],
        gpus=params["gpus"],
        without_gpu=params["without_gpu"],
        persistenced=params["persistenced"],
        fabric=None if fabric == "auto" else boolean(fabric),
        running=params["running"],
    )
    verdict = keep_trying(lambda: look(module, expected), params["deadline"], params["interval"])
    module.exit_json(**verdict.as_result(params["on_problem"]))


if __name__ == "__main__":
    main()
