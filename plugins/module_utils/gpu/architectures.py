# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Which generation a GPU belongs to, by its PCI device id.

NVIDIA gives each chip a block of ids, aligned to 64 or 128. The blocks are those that the chips in pci.ids
(version 2026.08.22, https://pci-ids.ucw.cz) fall into, one by one, and for Blackwell those of NVIDIA's gpu-admin-tools
(gpu/devid_chips.py) as well. Ids of other functions (audio, USB, NVSwitch) lie in between and have another PCI class.
An id outside of the blocks is unknown: newer than this table, or older than Kepler.
"""

from __future__ import annotations

# (first, last, generation), ascending and disjoint.
BLOCKS = (
    (0x0FC0, 0x103F, "kepler"),  # GK107, GK110
    (0x1180, 0x11FF, "kepler"),  # GK104, GK106
    (0x1280, 0x12BF, "kepler"),  # GK208
    (0x1340, 0x13BF, "maxwell"),  # GM108, GM107 (and two of GM204)
    (0x13C0, 0x143F, "maxwell"),  # GM204, GM206
    (0x15C0, 0x15FF, "pascal"),  # GP100
    (0x1600, 0x167F, "maxwell"),  # GM204
    (0x1700, 0x173F, "pascal"),  # GP100
    (0x1740, 0x17FF, "maxwell"),  # GM108, GM107, GM200
    (0x1B00, 0x1D7F, "pascal"),  # GP102, GP104, GP106, GP107, GP108
    (0x1D80, 0x1DFF, "volta"),  # GV100
    (0x1E00, 0x1FFF, "turing"),  # TU102, TU104, TU106, TU117
    (0x2080, 0x20FF, "ampere"),  # GA100
    (0x2180, 0x21FF, "turing"),  # TU116
    (0x2200, 0x227F, "ampere"),  # GA102
    (0x2300, 0x23FF, "hopper"),  # GH100
    (0x2400, 0x25FF, "ampere"),  # GA103, GA104, GA106, GA107
    (0x2680, 0x28FF, "ada"),  # AD102, AD103, AD104, AD106, AD107
    (0x2900, 0x29FF, "blackwell"),  # GB100, GB102
    (0x2B00, 0x2B3F, "blackwell"),  # GB10B
    (0x2B80, 0x2C7F, "blackwell"),  # GB202, GB203
    (0x2D00, 0x2DFF, "blackwell"),  # GB206, GB207
    (0x2E00, 0x2E3F, "blackwell"),  # GB20B
    (0x2F00, 0x2F94, "blackwell"),  # GB205 (0x2f95 to 0x2f98 are CPUs)
    (0x3000, 0x30FF, "rubin"),  # GR100, GR102
    (0x3180, 0x327F, "blackwell"),  # GB110, GB112
    (0x3340, 0x337F, "blackwell"),  # GB120
)

# The table of NVIDIA's open-gpu-kernel-modules begins with Turing, at 0x1e02.
_WITHOUT_OPEN_MODULES = ("kepler", "maxwell", "pascal", "volta")


def architecture(device: int) -> str | None:
    """The generation of a GPU, in small letters; None where the id is not known."""
    return next((name for first, last, name in BLOCKS if first <= device <= last), None)


def open_modules(generation: str | None) -> bool | None:
    """Whether the open kernel modules drive a generation; None where it is not known."""
    return None if generation is None else generation not in _WITHOUT_OPEN_MODULES
