"""NVIDIA's cards, as they show on the bus and as the driver describes them.

Ids are those of pci.ids; names and memory those of nvidia-smi (open-gpu-kernel-modules, README.md).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """One model. `memory` (MiB) and `power` (W) are what nvidia-smi shows; `gsp`: open modules can drive it."""

    name: str
    device: int
    subsystem: tuple[int, int]
    pci_class: int
    memory: int
    power: int
    vbios: str
    gsp: bool = True
    audio: int | None = None

    def rom(self, serial: str) -> dict[str, object]:
        """What the card itself knows, for the stand-in driver to read; `serial` tells one card from the other."""
        return {
            "name": self.name,
            "uuid": f"GPU-{uuid.uuid5(uuid.NAMESPACE_DNS, serial)}",
            "vbios": self.vbios,
            "memory_mib": self.memory,
            "power_w": self.power,
            "gsp": self.gsp,
        }


_VGA, _3D = 0x030000, 0x030200

CARDS = {
    "rtx-3060": Card(
        "NVIDIA GeForce RTX 3060", 0x2504, (0x1462, 0x397D), _VGA, 12288, 170, "94.06.2F.00.99", audio=0x228E
    ),
    "l4": Card("NVIDIA L4", 0x27B8, (0x10DE, 0x16CA), _3D, 23034, 72, "95.04.65.00.01"),
    "l40s": Card("NVIDIA L40S", 0x26B9, (0x10DE, 0x1851), _3D, 46068, 350, "95.02.66.00.02"),
    "a100-80gb": Card("NVIDIA A100 80GB PCIe", 0x20B5, (0x10DE, 0x1533), _3D, 81920, 300, "92.00.A0.00.05"),
    "a100-sxm-80gb": Card("NVIDIA A100-SXM4-80GB", 0x20B2, (0x10DE, 0x1463), _3D, 81920, 400, "92.00.45.00.03"),
    "h100-sxm": Card("NVIDIA H100 80GB HBM3", 0x2330, (0x10DE, 0x16C1), _3D, 81559, 700, "96.00.99.00.01"),
    "v100": Card("Tesla V100-PCIE-32GB", 0x1DB6, (0x10DE, 0x124A), _3D, 32768, 250, "88.00.41.00.01", gsp=False),
    "t4": Card("Tesla T4", 0x1EB8, (0x10DE, 0x12A2), _3D, 15360, 70, "90.04.38.00.03"),
}

# NVSwitches are bridges of class 0x0680; which ones there are goes with the cards.
_NVSWITCH_OF = {"a100-sxm-80gb": 0x1AF1}
_NVSWITCH = 0x22A3


def nvswitch(model: str) -> int:
    """The PCI id of the NVSwitches that connect cards of this model."""
    return _NVSWITCH_OF.get(model, _NVSWITCH)
