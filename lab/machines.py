"""The machines file: which machines a lab has.

lab: demo                     # its name; machines of two labs may bear the same name
inventory: inventory/lab      # optional: where its inventory is written (else .gpufleet/lab/<lab>)
mirror: lab/mirror-drivers.yml  # optional: further packages that its machines can install
machines:
  - name: gpu1
    os: debian12              # or debian13, rocky9
    groups: [vllm]            # the inventory groups it is in
    gpus:                     # optional: NVIDIA's cards that it shows on its PCI bus
      model: a100-80gb
      count: 2
      nvswitch: 0             # optional: so many NVSwitches
      nouveau: false          # optional: whether its kernel brings nouveau, which takes the cards at boot until blocked
      kernel: true            # optional: whether the running kernel lies in /lib/modules and /boot, as on a host
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError
from lab.hardware import gpus
from lab.hardware.gpus import Gpus
from lab.paths import ROOT, STATE

# Debian's, with the suite that each is; and what is derived from one of them.
SUITES = {"debian12": "bookworm", "debian13": "trixie"}
DERIVED = {"rocky9": "debian12"}
SYSTEMS = (*SUITES, *DERIVED)

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_GROUP = re.compile(r"[a-z][a-z0-9_]*")
_LAB = re.compile(r"[a-z][a-z0-9_-]{0,30}")


class MachinesFileError(LabError):
    """The machines file says something that cannot be built; the message lists every such thing."""

    def __init__(self, file: Path, problems: list[str]) -> None:
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


@dataclass(frozen=True)
class Machine:
    """One machine, as the file describes it."""

    name: str
    os: str
    groups: tuple[str, ...] = ()
    gpus: Gpus | None = None


@dataclass(frozen=True)
class Lab:
    """A named set of machines, the folder that its inventory goes to, and a file with more content for the mirror."""

    name: str
    machines: tuple[Machine, ...]
    inventory: Path
    mirror: Path | None = None

    def machine(self, name: str) -> Machine:
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise LabError(f"{name}: no such machine in lab {self.name}; it has {_listed(m.name for m in self.machines)}")


def load(file: Path) -> Lab:
    """Read and check a machines file."""
    try:
        document = yaml.safe_load(file.read_text())
    except OSError as error:
        raise LabError(f"{file}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise MachinesFileError(file, [f"no valid YAML: {' '.join(str(error).split())}"]) from None
    problems = list(_problems(document))
    if problems:
        raise MachinesFileError(file, problems)
    name = document["lab"]
    machines = tuple(_machine(entry) for entry in document["machines"])
    inventory = ROOT / document["inventory"] if "inventory" in document else STATE / name
    mirror = ROOT / document["mirror"] if "mirror" in document else None
    return Lab(name, machines, inventory, mirror)


def _machine(entry: Mapping[str, Any]) -> Machine:
    cards = Gpus(**entry["gpus"]) if "gpus" in entry else None
    return Machine(entry["name"], entry["os"], tuple(entry.get("groups", ())), cards)


def _problems(document: Any) -> Iterable[str]:
    if not isinstance(document, Mapping):
        yield "must be a mapping with `lab` and `machines`"
        return
    yield from _unknown_keys(document, {"lab", "inventory", "machines", "mirror"}, "the file")
    yield from _bad_word(document.get("lab"), _LAB, "lab")
    for key, what in (("inventory", "folder"), ("mirror", "file")):
        path = document.get(key, "")
        if not isinstance(path, str) or ".." in path.split("/") or path.startswith("/"):
            yield f"{key}: must be a {what} below the repository"
    machines = document.get("machines")
    if not isinstance(machines, list) or not machines:
        yield "machines: must be a list of at least one machine"
        return
    for number, machine in enumerate(machines, start=1):
        yield from _machine_problems(machine, f"machine {number}")
    names = [machine.get("name") for machine in machines if isinstance(machine, Mapping)]
    for name in sorted({name for name in names if isinstance(name, str) and names.count(name) > 1}):
        yield f"machines: the name {name} is given twice"


def _machine_problems(machine: Any, where: str) -> Iterable[str]:
    if not isinstance(machine, Mapping):
        yield f"{where}: must be a mapping with name, os and groups"
        return
    yield from _unknown_keys(machine, {"name", "os", "groups", "gpus"}, where)
    yield from _bad_word(machine.get("name"), _NAME, f"{where}: name")
    if machine.get("os") not in SYSTEMS:
        yield f"{where}: os: must be one of {_listed(SYSTEMS)}, not {machine.get('os')!r}"
    if "gpus" in machine:
        yield from gpus.problems(machine["gpus"], f"{where}: gpus")
    groups = machine.get("groups", [])
    if not isinstance(groups, list):
        yield f"{where}: groups: must be a list"
        return
    for group in groups:
        yield from _bad_word(group, _GROUP, f"{where}: groups")


def _unknown_keys(found: Mapping[Any, Any], known: set[str], where: str) -> Iterable[str]:
    for key in found:
        if key not in known:
            yield f"{where}: unknown key {key!r}; known are {_listed(sorted(known))}"


def _bad_word(value: Any, pattern: re.Pattern[str], where: str) -> Iterable[str]:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        yield f"{where}: must look like {pattern.pattern}, not {value!r}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
