#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_facts
short_description: Tell what GPUs a host has, and the state of their driver
description:
  - Reads the files of kernel, package manager and DKMS. Programs (C(nvidia-smi), C(apt-cache), C(rpm), C(modinfo),
    C(mokutil)) are asked only for what no file tells, each with a time-out, and each may be missing.
  - Never fails on an odd machine. What it cannot know is null, with a sentence in RV(gpu.unknown).
  - Reads only, and does the same in check mode. Needs root to see who uses the GPUs.
options:
  sys_root:
    description: Where sysfs is mounted.
    type: path
    default: /sys
  proc_root:
    description: Where procfs is mounted.
    type: path
    default: /proc
  boot_root:
    description: Where the kernels' images lie.
    type: path
    default: /boot
  root:
    description:
      - Where C(etc), C(lib/modules), C(usr) and C(var) lie. With any other than V(/) no program is asked, since this
        machine's programs know nothing of another one's files.
    type: path
    default: /
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
author: The gpufleet maintainers
seealso:
  - name: PCI ids
    description: The device ids by which a GPU's generation is told.
    link: https://pci-ids.ucw.cz/read/PC/10de
"""

EXAMPLES = r"""
- name: Look at the GPUs and their driver
  gpufleet.serving.gpu_facts:
  register: found

- name: Say what would be done to the driver
  ansible.builtin.debug:
    msg: "{{ found['gpu'] | gpufleet.serving.driver_plan(wishes) | gpufleet.serving.driver_plan_text }}"
"""

RETURN = r"""
gpu:
  description: GPUs and driver of the host.
  type: dict
  returned: always
  contains:
    os:
      description: C(id), C(version), C(like) (a list) as in os-release, and C(architecture) as C(uname -m) spells it.
      type: dict
    devices:
      description: GPUs and NVSwitches in the order of the bus.
      type: list
      elements: dict
      contains:
        address:
          description: PCI address, as sysfs writes it.
          type: str
        id:
          description: Vendor and device, such as V(10de:20b5).
          type: str
        kind:
          description: V(gpu) or V(nvswitch).
          type: str
        name:
          description: What the driver, or else a table, calls it.
          type: str
        architecture:
          description: Generation in small letters, such as V(hopper); null for an id that is in no known block.
          type: str
        open_modules:
          description: Whether the open kernel modules drive it; null where that is not known.
          type: bool
        memory_mib:
          description: Memory in MiB from nvidia-smi, else for well-known cards from a table, else null.
          type: int
        index:
          description: Number of a GPU as nvidia-smi and C(CUDA_DEVICE_ORDER=PCI_BUS_ID) count.
          type: int
        driver:
          description: What it is bound to, such as V(nvidia), V(nouveau) or V(vfio-pci).
          type: str
    kernel:
      description: >-
        C(running); C(newest), which the next boot takes; C(installed); C(headers), whether modules can be built for
        each.
      type: dict
    module:
      description: >-
        The nvidia module: C(loaded) version and whether it is the C(open) one; C(on_disk) by kernel (C(version),
        C(open), C(signed), C(path)); C(used_by), the processes (C(pid), C(comm), C(unit)) that hold a GPU open, null
        where they cannot be seen; C(references) to it that no process explains.
      type: dict
    userland:
      description: >-
        C(version) as NVIDIA counts; C(packages) with their versions; C(source) is V(cuda_repo), V(distribution),
        V(runfile), V(mixed) or null; C(sources) tells it for each package.
      type: dict
    dkms:
      description: >-
        C(module), C(version), C(kernel), C(state) (V(added), V(built), V(installed) or V(broken)) and the C(log) of the
        last build if it failed.
      type: list
      elements: dict
    secure_boot:
      description: Whether the kernel will ask for signatures because of Secure Boot; null where it cannot be known.
      type: bool
    mok:
      description: >-
        C(enrolled), the names of the enrolled owner keys; C(dkms_key), the public key that DKMS signs with; and
        C(dkms_key_enrolled).
      type: dict
    nouveau:
      description: Whether it is C(loaded), the addresses that it has C(bound), and whether it is C(blocked).
      type: dict
    packages:
      description: C(manager) (V(apt) or V(dnf)), and the names of C(held) and of C(half_configured) packages.
      type: dict
    reboot:
      description: Whether a reboot is C(pending), and the C(reasons).
      type: dict
    unknown:
      description: What could not be found out, as sentences.
      type: list
      elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.gpu.facts import gather
from ..module_utils.gpu.programs import ask, ask_nobody
from ..module_utils.gpu.roots import Roots

ARGUMENT_SPEC = {
    "sys_root": {"type": "path", "default": "/sys"},
    "proc_root": {"type": "path", "default": "/proc"},
    "boot_root": {"type": "path", "default": "/boot"},
    "root": {"type": "path", "default": "/"},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    given = module.params
    roots = Roots(given["sys_root"], given["proc_root"], given["boot_root"], given["root"])
    module.exit_json(changed=False, gpu=gather(roots, ask if roots.root == "/" else ask_nobody))


if __name__ == "__main__":
    main()
