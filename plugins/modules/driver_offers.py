#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: driver_offers
short_description: Ask the package repositories which drivers and which kernel headers they have
description:
  - Tells the versions of the NVIDIA driver and the kernels whose headers the host's repositories offer, in the shape
    that the filter C(gpufleet.serving.driver_plan) takes as C(available).
  - Changes nothing but the package manager's lists, which it fetches anew where it is asked to.
author: The gpufleet maintainers
options:
  manager:
    description: The host's package manager.
    type: str
    choices: [apt, dnf]
    required: true
  packages:
    description: The driver's packages. A version counts when all of those that carry the driver's version have it.
    type: list
    elements: str
    required: true
  headers:
    description: Names of the packages with a kernel's headers; C({kernel}) stands for the kernel.
    type: list
    elements: str
    default: []
  kernels:
    description: Kernels, as C(uname -r) spells them.
    type: list
    elements: str
    default: []
  stream:
    description: With dnf, the module stream of C(nvidia-driver) to look into; without it the stream that is enabled.
    type: str
    default: ""
  refresh:
    description: Whether to fetch the lists first. Never done in check mode.
    type: bool
    default: true
attributes:
  check_mode: {description: Answers from the lists that are there., support: full}
  diff_mode: {description: Changes nothing., support: none}
"""

EXAMPLES = r"""
- name: Ask what there is
  gpufleet.serving.driver_offers:
    manager: apt
    packages: [nvidia-driver-cuda, nvidia-kernel-open-dkms]
    headers: ["linux-headers-{kernel}"]
    kernels: [6.1.0-40-amd64]
"""

RETURN = r"""
available:
  description: >-
    C(driver) lists versions such as 580.95.05, and C(headers) those of O(kernels) whose headers are offered. In check
    mode either is null instead of empty, since the lists are then as they were before.
  type: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.driver.apt import Apt
from ..module_utils.driver.dnf import Dnf
from ..module_utils.driver.errors import DriverError
from ..module_utils.driver.offers import available

ARGUMENT_SPEC = {
    "manager": {"type": "str", "choices": ["apt", "dnf"], "required": True},
    "packages": {"type": "list", "elements": "str", "required": True},
    "headers": {"type": "list", "elements": "str", "default": []},
    "kernels": {"type": "list", "elements": "str", "default": []},
    "stream": {"type": "str", "default": ""},
    "refresh": {"type": "bool", "default": True},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params

    def run(argv: list) -> tuple:
        return module.run_command(argv, environ_update={"LC_ALL": "C.UTF-8"})

    manager = Apt(run) if params["manager"] == "apt" else Dnf(run, params["stream"])
    try:
        if params["refresh"] and not module.check_mode:
            manager.refresh()
        found = available(manager, params["packages"], params["headers"], params["kernels"])
    except DriverError as error:
        module.fail_json(str(error))
    if module.check_mode:
        # The lists may be old, or of before the repository was there: what they lack says nothing.
        found = {what: offers or None for what, offers in found.items()}
    module.exit_json(changed=False, available=found)


if __name__ == "__main__":
    main()
