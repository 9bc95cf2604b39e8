# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Names and memory of well-known cards, for when no driver is there to ask.

Names as NVIDIA's driver gives them (open-gpu-kernel-modules, README.md, and pci.ids for what is older). Memory in MiB
as nvidia-smi shows it: with ECC on where the card comes so. Cards that come in several sizes under one id are left out.
"""

from __future__ import annotations

CARDS: dict[int, tuple[str, int]] = {
    0x1B38: ("Tesla P40", 24576),
    0x15F8: ("Tesla P100-PCIE-16GB", 16384),
    0x1DB1: ("Tesla V100-SXM2-16GB", 16384),
    0x1DB4: ("Tesla V100-PCIE-16GB", 16384),
    0x1DB5: ("Tesla V100-SXM2-32GB", 32768),
    0x1DB6: ("Tesla V100-PCIE-32GB", 32768),
    0x1EB8: ("Tesla T4", 15360),
    0x20B0: ("NVIDIA A100-SXM4-40GB", 40960),
    0x20B2: ("NVIDIA A100-SXM4-80GB", 81920),
    0x20B5: ("NVIDIA A100 80GB PCIe", 81920),
    0x20B7: ("NVIDIA A30", 24576),
    0x20F1: ("NVIDIA A100-PCIE-40GB", 40960),
    0x2204: ("NVIDIA GeForce RTX 3090", 24576),
    0x2230: ("NVIDIA RTX A6000", 49140),
    0x2235: ("NVIDIA A40", 46068),
    0x2236: ("NVIDIA A10", 23028),
    0x2237: ("NVIDIA A10G", 23028),
    0x2321: ("NVIDIA H100 NVL", 95830),
    0x2330: ("NVIDIA H100 80GB HBM3", 81559),
    0x2331: ("NVIDIA H100 PCIe", 81559),
    0x2335: ("NVIDIA H200", 143771),
    0x233B: ("NVIDIA H200 NVL", 143771),
    0x2503: ("NVIDIA GeForce RTX 3060", 12288),
    0x2504: ("NVIDIA GeForce RTX 3060", 12288),
    0x2684: ("NVIDIA GeForce RTX 4090", 24564),
    0x26B1: ("NVIDIA RTX 6000 Ada Generation", 49140),
    0x26B5: ("NVIDIA L40", 46068),
    0x26B9: ("NVIDIA L40S", 46068),
    0x27B8: ("NVIDIA L4", 23034),
    0x2901: ("NVIDIA B200", 183359),
    0x2B85: ("NVIDIA GeForce RTX 5090", 32607),
    0x2BB1: ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 97887),
    0x2BB5: ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 97887),
}


def name_of(device: int) -> str | None:
    return CARDS[device][0] if device in CARDS else None


def memory_of(device: int) -> int | None:
    """Memory in MiB."""
    return CARDS[device][1] if device in CARDS else None
