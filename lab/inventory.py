"""The inventory of a lab: a folder that Ansible reads like any other, written when the machines are up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from lab import keys
from lab.files import write_atomically
from lab.machines import Lab
from lab.paths import STATE

_NOTE = "inventory_folder"
_HEADER = "---\n# Written by lab/lab; git does not keep it.\n"


def hosts(lab: Lab, addresses: Mapping[str, str], mirror: str, variables: Mapping[str, Any]) -> dict[str, Any]:
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
        **variables,
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


def write(
    lab: Lab,
    addresses: Mapping[str, str],
    mirror: str,
    lock: Mapping[str, str],
    variables: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write hosts.yml, and beside it the digests of the mirror's archives; `variables` are set for every host."""
    write_atomically(STATE / lab.name / _NOTE, str(lab.inventory))
    _write_yaml(lab, "hosts.yml", hosts(lab, addresses, mirror, variables))
    _write_yaml(lab, "group_vars/all/gpufleet_lock.yml", {"gpufleet_lock": dict(sorted(lock.items()))})


def folders() -> list[Path]:
    """Where the labs of this checkout have their inventories."""
    return [Path(note.read_text()) for note in sorted(STATE.glob(f"*/{_NOTE}"))]


def remove(folder: Path) -> None:
    """Take away what `write` wrote, and the folders if nothing else is in them."""
    for name in ("hosts.yml", "group_vars/all/gpufleet_lock.yml"):
        (folder / name).unlink(missing_ok=True)
    for name in ("group_vars/all", "group_vars", "."):
        if (folder / name).is_dir() and not any((folder / name).iterdir()):
            (folder / name).rmdir()


def _write_yaml(lab: Lab, name: str, content: Any) -> None:
    text = yaml.safe_dump(content, sort_keys=False, width=1000)
    write_atomically(lab.inventory / name, f"{_HEADER}{text}")
