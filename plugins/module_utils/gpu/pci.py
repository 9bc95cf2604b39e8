# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""NVIDIA's devices on the PCI bus, by vendor and class, as the driver itself takes them (its nv-pci-table.c)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from . import architectures, cards
from .roots import Roots, line, link_name, names, text
from .smi import Card

_VENDOR = "0x10de"
# VGA controllers and 3D controllers are GPUs; of bridges only NVSwitches have this class.
_KINDS = {"0x0300": "gpu", "0x0302": "gpu", "0x0680": "nvswitch"}
_IDS = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids")


@dataclass(frozen=True)
class Device:
    """`address` as sysfs writes it, `device` the PCI device id, `driver` what it is bound to."""

    address: str
    device: int
    kind: str
    driver: str | None


def devices(roots: Roots) -> list[Device]:
    """NVIDIA's GPUs and NVSwitches in the order of the bus, which is that of CUDA_DEVICE_ORDER=PCI_BUS_ID."""
    folder = os.path.join(roots.sys, "bus/pci/devices")
    found = (_device(os.path.join(folder, address), address) for address in names(folder))
    return sorted((one for one in found if one), key=lambda one: _place(one.address))


def _device(folder: str, address: str) -> Device | None:
    if line(os.path.join(folder, "vendor")).lower() != _VENDOR:
        return None
    kind = _KINDS.get(line(os.path.join(folder, "class")).lower()[:6])
    if kind is None:
        return None
    try:
        number = int(line(os.path.join(folder, "device")), 16)
    except ValueError:
        number = 0
    return Device(address, number, kind, link_name(os.path.join(folder, "driver")))


def _place(address: str) -> tuple[int, ...]:
    """Domains can have more than four digits (VMD, Azure), so text does not sort."""
    return tuple(int(part, 16) for part in re.split("[:.]", address) if re.fullmatch("[0-9a-fA-F]+", part))


def described(found: list[Device], roots: Roots, told: dict[str, Card]) -> tuple[list[dict[str, Any]], list[str]]:
    """The devices as facts, and what could not be found out.

    Args:
        told: what nvidia-smi says, by address.
    """
    facts, unknown = [], []
    names_on_host = _names_on_host(found, roots)
    index = 0
    for one in found:
        generation = architectures.architecture(one.device) if one.kind == "gpu" else None
        card = told.get(one.address)
        if one.kind == "gpu" and generation is None:
            unknown.append(
                f"architecture of {one.address}: the PCI id 10de:{one.device:04x} is not in the table, so whether the "
                "open modules drive it is not known"
            )
        facts.append(
            {
                "address": one.address,
                "id": f"10de:{one.device:04x}",
                "kind": one.kind,
                "name": _model(roots, one.address)
                or (card.name if card else None)
                or cards.name_of(one.device)
                or names_on_host.get(one.device),
                "architecture": generation,
                "open_modules": architectures.open_modules(generation),
                "memory_mib": card.memory_mib if card and card.memory_mib else cards.memory_of(one.device),
                "index": index if one.kind == "gpu" else None,
                "driver": one.driver,
            }
        )
        index += one.kind == "gpu"
    return facts, unknown


def _model(roots: Roots, address: str) -> str | None:
    information = text(os.path.join(roots.proc, "driver/nvidia/gpus", address, "information"))
    found = re.search(r"^Model:\s*(\S.*?)\s*$", information, re.MULTILINE)
    return found.group(1) if found and "unknown" not in found.group(1).lower() else None


def _names_on_host(found: list[Device], roots: Roots) -> dict[int, str]:
    """Names from the host's own pci.ids, for the devices that are there."""
    wanted = {one.device for one in found}
    content = (
        next((text(roots.path(place)) for place in _IDS if os.path.isfile(roots.path(place))), "") if found else ""
    )
    section = re.search(r"^10de  .*?(?=^[0-9a-f]{4}  |\Z)", content, re.MULTILINE | re.DOTALL)
    pairs = re.findall(r"^\t([0-9a-f]{4})  (.+)$", section.group(0), re.MULTILINE) if section else []
    return {int(number, 16): f"NVIDIA {name}" for number, name in pairs if int(number, 16) in wanted}
