#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: driver_steps
short_description: Carry out the steps of an NVIDIA driver's plan
description:
  - Does what the filter C(gpufleet.serving.driver_plan) has decided, in that order and in one remote call.
    What it decides, and why, is not this module's business.
  - When a kernel module cannot be built, the first error of the compiler is reported together with kernel and driver
    versions, the log is kept in C(/var/log/gpufleet-driver-build.log), and packages, pins and locks are put back to
    what they were, so that the package manager is usable and an old driver goes on working.
  - The steps C(add_repository), C(services) and C(reboot) are left to other modules and must not be given.
author: The gpufleet maintainers
options:
  steps:
    description:
      - The steps, each with C(do) and what that step needs, such as C(packages), C(kernels), C(version) and C(stop).
    type: list
    elements: dict
    required: true
  manager:
    description: The host's package manager.
    type: str
    choices: [apt, dnf]
    required: true
  source:
    description: Where the packages come from; the driver's packages of other sources are not taken.
    type: str
    choices: [cuda_repo, distribution, mirror]
    default: cuda_repo
  stream:
    description: With dnf, the module stream of C(nvidia-driver) to enable. Empty where the repository has none.
    type: str
    default: ""
  pin_version:
    description:
      - Whether the very version that is installed is pinned, so that nothing but the next plan changes it. Otherwise
        only the branch is, as prebuilt modules need it that follow the kernel.
    type: bool
    default: true
  root:
    description: Where the host's files are.
    type: path
    default: /
  sys_root:
    description: Where the kernel's sysfs is.
    type: path
    default: /sys
attributes:
  check_mode: {description: Does nothing and reports the steps as changes., support: full}
  diff_mode: {description: Lists the steps., support: full}
seealso:
  - module: gpufleet.serving.gpu_facts
"""

EXAMPLES = r"""
- name: Carry out the plan
  gpufleet.serving.driver_steps:
    steps: "{{ plan.steps | rejectattr('do', 'in', ['add_repository', 'services', 'reboot']) }}"
    manager: "{{ facts.gpu.packages.manager }}"
"""

RETURN = r"""
done:
  description: The steps that were carried out.
  type: list
  elements: str
  returned: success
reboot:
  description: Why a reboot is needed although none was planned; empty where it is not.
  type: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.driver.apt import Apt
from ..module_utils.driver.dnf import Dnf
from ..module_utils.driver.errors import DriverError
from ..module_utils.driver.steps import KNOWN, Host, carry_out

ARGUMENT_SPEC = {
    "steps": {"type": "list", "elements": "dict", "required": True},
    "manager": {"type": "str", "choices": ["apt", "dnf"], "required": True},
    "source": {"type": "str", "choices": ["cuda_repo", "distribution", "mirror"], "default": "cuda_repo"},
    "stream": {"type": "str", "default": ""},
    "pin_version": {"type": "bool", "default": True},
    "root": {"type": "path", "default": "/"},
    "sys_root": {"type": "path", "default": "/sys"},
}
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    # Services are started by the plan, and nobody is there to be asked which others to restart.
    "NEEDRESTART_MODE": "l",
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    names = [step.get("do") for step in params["steps"]]
    unknown = sorted({str(name) for name in names if name not in KNOWN})
    if unknown:
        module.fail_json(f"steps: {', '.join(unknown)} is none of {', '.join(KNOWN)}")
    diff = {"before": "", "after": "".join(f"{name}\n" for name in names)}
    if module.check_mode:
        module.exit_json(changed=bool(names), done=names, reboot="", diff=diff)

    def run(argv: list) -> tuple:
        return module.run_command(argv, environ_update=_ENVIRONMENT)

    host = Host(
        run=run,
        which=module.get_bin_path,
        manager=Apt(run) if params["manager"] == "apt" else Dnf(run),
        root=params["root"],
        sys_root=params["sys_root"],
        source=params["source"],
        stream=params["stream"],
        pin_version=params["pin_version"],
    )
    try:
        outcome = carry_out(host, params["steps"])
    except DriverError as error:
        module.fail_json(str(error))
    module.exit_json(changed=outcome.changed, done=outcome.done, reboot=outcome.reboot, diff=diff)


if __name__ == "__main__":
    main()
