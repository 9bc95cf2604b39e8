"""The inventory of a lab: a folder that Ansible reads like any other, written when the machines are up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from lab import keys
from lab.files import write_atomically
from lab.machines import Lab
from lab.paths import STATE

_HEADER = "---\n# Written by lab/lab; git does not keep it.\n"


def hosts(lab: Lab, addresses: Mapping[str, str], mirror: str) -> dict[str, Any]:
    """The content of hosts.yml. Paths are absolute: tools that read it do not all know Ansible's variables."""
    ssh = {
        "UserKnownHostsFile": str(STATE / lab.name / "known_hosts"),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
    }
    common = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(keys.CLIENT_KEY),
        "ansible_ssh_common_args": " ".join(f"-o '{name}={value}'" for name, value in ssh.items()),
        "ansible_python_interpreter": "/usr/bin/python3",
        "gpufleet_mirror": mirror,
    }
    groups: dict[str, Any] = {}
    for machine in lab.machines:
        for group in machine.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][machine.name] = None
    return {
        "all": {
            "vars": common,
            "hosts": {name: {"ansible_host": address} for name, address in addresses.items()},
            "children": groups,
        }
    }


def write(lab: Lab, addresses: Mapping[str, str], mirror: str, lock: Mapping[str, str]) -> None:
    """Write hosts.yml, and beside it the digests of the mirror's archives."""
    _write_yaml(lab, "hosts.yml", hosts(lab, addresses, mirror))
    _write_yaml(lab, "group_vars/all/gpufleet_lock.yml", {"gpufleet_lock": dict(sorted(lock.items()))})


def remove(lab: Lab) -> None:
    """Take away what `write` wrote, and the folder if nothing else is in it."""
    for name in ("hosts.yml", "group_vars/all/gpufleet_lock.yml"):
        (lab.inventory / name).unlink(missing_ok=True)
    for name in ("group_vars/all", "group_vars", "."):
        folder = lab.inventory / name
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _write_yaml(lab: Lab, name: str, content: Any) -> None:
    text = yaml.safe_dump(content, sort_keys=False, width=1000)
    write_atomically(lab.inventory / name, f"{_HEADER}{text}")
