#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: host_preflight
short_description: Check in one call what a component needs of its host
description:
  - Looks at architecture, operating system, systemd, clock, memory, ports, disks, programs and files, and reports every
    problem at once, each with what is wrong and what to do.
  - Reads only, and does the same in check mode.
options:
  arch:
    description: Architectures, as C(uname -m) spells them. Empty means any.
    type: list
    elements: str
    default: []
  os:
    description: Operating systems. Empty means any.
    type: list
    elements: dict
    default: []
    suboptions:
      distribution:
        description: C(ID) of os-release, or one of its C(ID_LIKE), such as V(debian) or V(rhel).
        type: str
        required: true
      versions:
        description: Values of C(VERSION_ID); V("9") means every 9.x. Empty means any.
        type: list
        elements: str
        default: []
  systemd_min_version:
    description: The oldest systemd that will do. That systemd is the init is always checked.
    type: int
    default: 0
  memory_mb:
    description: Total memory in MiB.
    type: int
    default: 0
  ports:
    description: TCP ports that must be free, or held by the unit that is to own them.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: The port.
        type: int
        required: true
      address:
        description: The address that will be listened on. An empty one means all.
        type: str
        default: "0.0.0.0"
      owner_unit:
        description: Full name of the unit that may hold it already.
        type: str
  disk:
    description:
      - Free space. What several paths need of the same file system is added up.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where it is needed; the nearest existing parent is looked at.
        type: path
        required: true
      need_mb:
        description: How much, in MiB.
        type: int
        required: true
      unless_exists:
        description: Nothing is needed where this path exists, such as the version that would be unpacked.
        type: path
  readable:
    description: Files and directories that a service's user must be able to read. It is really tried, as that user.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      user:
        description: The user. One that does not exist yet is taken for nobody.
        type: str
        required: true
      groups:
        description: Groups that the service has beside the user's own.
        type: list
        elements: str
        default: []
      kind:
        description: >-
          V(dir) must be listable, in V(tree) every file must be readable, V(any) is a file or a tree.
        type: str
        choices: [any, file, dir, tree]
        default: any
  executables:
    description: Programs, as names to be found on PATH or as absolute paths.
    type: list
    elements: str
    default: []
    aliases: [commands]
  reference_time:
    description: >-
      The right time in seconds since the epoch, such as the controller's C(now(utc=true).timestamp()). The host's clock
      may differ from it by O(max_clock_skew).
    type: float
  max_clock_skew:
    description: Seconds.
    type: float
    default: 300
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
author: The gpufleet maintainers
"""

EXAMPLES = r"""
- name: Check what Prometheus needs of the host
  gpufleet.serving.host_preflight:
    arch: [x86_64, aarch64]
    os:
      - {distribution: debian, versions: ["12", "13"]}
      - {distribution: rhel, versions: ["9"]}
    systemd_min_version: 239
    ports:
      - {port: 9090, address: 127.0.0.1, owner_unit: prometheus.service}
    disk:
      - {path: /opt, need_mb: 600, unless_exists: /opt/prometheus/3.5.3}

- name: Check that the model can be read
  gpufleet.serving.host_preflight:
    readable:
      - {path: /srv/models/llama, user: vllm, groups: [render], kind: tree}
"""

RETURN = r"""
host:
  description: What the host is.
  type: dict
  returned: always
  contains:
    architecture:
      description: As C(uname -m) spells it.
      type: str
    os_id:
      description: C(ID) of os-release.
      type: str
    os_version:
      description: C(VERSION_ID) of os-release.
      type: str
    os_like:
      description: C(ID_LIKE) of os-release.
      type: list
      elements: str
    systemd:
      description: Version of systemd; 0 where it is not the init.
      type: int
    python:
      description: Version of the Python that runs the module.
      type: str
    memory_mb:
      description: Total memory in MiB.
      type: int
problems:
  description: Every problem, as a sentence.
  type: list
  elements: str
  returned: always
"""

import os
import shutil
import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.host.access import access_problems
from ..module_utils.host.clock import clock_problem
from ..module_utils.host.disks import Need, disk_problems
from ..module_utils.host.ports import port_problem
from ..module_utils.host.system import Host, host_problems, read_host

ARGUMENT_SPEC = {
    "arch": {"type": "list", "elements": "str", "default": []},
    "os": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "distribution": {"type": "str", "required": True},
            "versions": {"type": "list", "elements": "str", "default": []},
        },
    },
    "systemd_min_version": {"type": "int", "default": 0},
    "memory_mb": {"type": "int", "default": 0},
    "ports": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "port": {"type": "int", "required": True},
            "address": {"type": "str", "default": "0.0.0.0"},  # noqa: S104 - compared with, never bound
            "owner_unit": {"type": "str"},
        },
    },
    "disk": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "need_mb": {"type": "int", "required": True},
            "unless_exists": {"type": "path"},
        },
    },
    "readable": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "user": {"type": "str", "required": True},
            "groups": {"type": "list", "elements": "str", "default": []},
            "kind": {"type": "str", "choices": ["any", "file", "dir", "tree"], "default": "any"},
        },
    },
    "executables": {"type": "list", "elements": "str", "default": [], "aliases": ["commands"]},
    "reference_time": {"type": "float"},
    "max_clock_skew": {"type": "float", "default": 300},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    host = read_host(_systemctl_version(module))
    problems = find_problems(module.params, host)
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems)
        module.fail_json(f"This host is not ready:\n{listed}", problems=problems, host=host.facts())
    module.exit_json(changed=False, problems=[], host=host.facts())


def _systemctl_version(module: AnsibleModule) -> str:
    systemctl = module.get_bin_path("systemctl")
    return module.run_command([systemctl, "--version"])[1] if systemctl else ""


def find_problems(params: dict, host: Host) -> list:
    """Every problem, as a sentence."""
    problems = host_problems(host, params["arch"], params["os"], params["systemd_min_version"], params["memory_mb"])
    problems += [clock_problem(time.time(), params["reference_time"], params["max_clock_skew"])]
    problems += [port_problem(item["address"], item["port"], item["owner_unit"]) for item in params["ports"]]
    problems += disk_problems(
        Need(item["path"], item["need_mb"])
        for item in params["disk"]
        if not (item["unless_exists"] and os.path.exists(item["unless_exists"]))
    )
    problems += [
        f"the program {name} is not there; install the package that brings it"
        for name in params["executables"]
        if not shutil.which(name)
    ]
    for item in params["readable"]:
        problems += access_problems(item["path"], item["user"], item["kind"], item["groups"])
    return [problem for problem in problems if problem]


if __name__ == "__main__":
    main()
