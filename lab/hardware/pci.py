"""A PCI bus as the kernel shows it below /sys/bus/pci/devices: one folder per function, a file per property."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.hardware.cards import CARDS, nvswitch
from lab.hardware.gpus import MOST_NVSWITCHES, Gpus

NVIDIA = 0x10DE

# Where servers have their cards: behind one root port each.
_GPU_BUSES = (0x3B, 0x5E, 0x86, 0xAF, 0xB8, 0xC1, 0xD8, 0xE7)
_NVSWITCH_BUSES = tuple(range(0x05, 0x05 + MOST_NVSWITCHES))


@dataclass(frozen=True)
class Function:
    """One function of a device. `regions`: sizes in bytes of its memory regions, by number."""

    address: str
    vendor: int
    device: int
    pci_class: int
    subsystem: tuple[int, int]
    revision: int = 0xA1
    driver: str | None = None
    regions: dict[int, int] = field(default_factory=dict)
    rom: str | None = None


# What stands beside the cards in any server, so that nobody takes the first VGA controller for a GPU of NVIDIA's.
_OTHERS = (
    Function("0000:00:00.0", 0x8086, 0x2020, 0x060000, (0x15D9, 0x095A), 0x07),
    Function("0000:02:00.0", 0x8086, 0x1563, 0x020000, (0x15D9, 0x1563), 0x01, "ixgbe", {0: 4 << 20}),
    Function("0000:03:00.0", 0x1A03, 0x2000, 0x030000, (0x15D9, 0x095A), 0x41, "ast", {0: 16 << 20}),
    Function("0000:04:00.0", 0x144D, 0xA808, 0x010802, (0x144D, 0xA801), 0x00, "nvme", {0: 16 << 10}),
)


def functions(gpus: Gpus, machine: str) -> list[Function]:
    """All that is on the bus of a machine with these cards; the machine's name makes their serial numbers."""
    card = CARDS[gpus.model]
    found = list(_OTHERS)
    for number in range(gpus.nvswitch):
        address = f"0000:{_NVSWITCH_BUSES[number]:02x}:00.0"
        found.append(Function(address, NVIDIA, nvswitch(gpus.model), 0x068000, (NVIDIA, 0x1796), regions={0: 32 << 20}))
    for number in range(gpus.count):
        bus = f"0000:{_GPU_BUSES[number]:02x}:00"
        regions = {0: 16 << 20, 1: 256 << 20 if card.audio else _power_of_two(card.memory << 20), 3: 32 << 20}
        rom = json.dumps(card.rom(f"{machine}/{number}"))
        found.append(
            Function(f"{bus}.0", NVIDIA, card.device, card.pci_class, card.subsystem, regions=regions, rom=rom)
        )
        if card.audio:
            sound = Function(f"{bus}.1", NVIDIA, card.audio, 0x040300, card.subsystem, driver="snd_hda_intel")
            found.append(sound)
    return sorted(found, key=lambda function: function.address)


def files(function: Function) -> dict[str, str | bytes]:
    """The files in the folder of one function, as the kernel writes them."""
    vendor, device = function.subsystem
    kind = f"{function.pci_class:06x}"
    modalias = (
        f"pci:v{function.vendor:08X}d{function.device:08X}sv{vendor:08X}sd{device:08X}"
        f"bc{kind[:2].upper()}sc{kind[2:4].upper()}i{kind[4:].upper()}"
    )
    uevent = {
        **({"DRIVER": function.driver} if function.driver else {}),
        "PCI_CLASS": f"{function.pci_class:X}",
        "PCI_ID": f"{function.vendor:04X}:{function.device:04X}",
        "PCI_SUBSYS_ID": f"{vendor:04X}:{device:04X}",
        "PCI_SLOT_NAME": function.address,
        "MODALIAS": modalias,
    }
    found: dict[str, str | bytes] = {
        "vendor": f"0x{function.vendor:04x}\n",
        "device": f"0x{function.device:04x}\n",
        "class": f"0x{kind}\n",
        "revision": f"0x{function.revision:02x}\n",
        "subsystem_vendor": f"0x{vendor:04x}\n",
        "subsystem_device": f"0x{device:04x}\n",
        "modalias": f"{modalias}\n",
        "uevent": "".join(f"{key}={value}\n" for key, value in uevent.items()),
        "resource": "".join(_resource(function)),
        "config": _config(function),
        "driver_override": "(null)\n",
        "enable": f"{int(function.driver is not None)}\n",
        "irq": "16\n",
        "numa_node": "0\n",
        "power_state": "D0\n",
        "current_link_speed": "16.0 GT/s PCIe\n",
        "current_link_width": "16\n",
        "max_link_speed": "16.0 GT/s PCIe\n",
        "max_link_width": "16\n",
    }
    if function.pci_class >> 8 == 0x0300:
        found["boot_vga"] = f"{int(function.vendor != NVIDIA)}\n"
    if function.rom:
        found["rom"] = f"{function.rom}\n"
    return found


def links(function: Function) -> dict[str, str]:
    """The links in that folder. The driver's folder does not exist; readers want the link's last part."""
    found = {"subsystem": "../../../../bus/pci"}
    if function.driver:
        found["driver"] = f"../../../../bus/pci/drivers/{function.driver}"
    return found


def _resource(function: Function) -> Iterator[str]:
    """Start, end and flags of the six regions and the rom; 0x14220c is 64-bit prefetchable memory."""
    start = 0x2000_0000_0000 + (int(function.address[5:7], 16) << 40)
    for number in range(7):
        size = function.regions.get(number, 0)
        flags = 0x40200 if number == 0 else 0x14220C
        yield (
            f"0x{start:016x} 0x{start + size - 1:016x} 0x{flags:016x}\n"
            if size
            else f"0x{0:016x} " * 2 + f"0x{0:016x}\n"
        )
        start += size


def _config(function: Function) -> bytes:
    """The first 64 bytes of the configuration space: what lspci shows without being root."""
    command = 0x0002 if function.driver else 0x0000
    head = struct.pack("<HHHHB", function.vendor, function.device, command, 0x0010, function.revision)
    kind = struct.pack("<I", function.pci_class)[:3]
    rest = struct.pack("<BBBB", 0, 0, 0, 0) + bytes(28) + struct.pack("<HH", *function.subsystem)
    return (head + kind + rest).ljust(64, b"\0")


def _power_of_two(size: int) -> int:
    return 1 << (size - 1).bit_length()
