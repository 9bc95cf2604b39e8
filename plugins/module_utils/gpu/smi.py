# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What nvidia-smi says of the cards, when the driver runs and it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .programs import Asker

# It answers in under a second per healthy card; without persistence mode it starts each one first.
SECONDS = 20.0
_QUERY = ("nvidia-smi", "--query-gpu=pci.bus_id,name,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Card:
    name: str | None
    memory_mib: int | None


def ask_cards(ask: Asker) -> dict[str, Card] | None:
    """The cards by their address as sysfs writes it; None where nvidia-smi does not answer."""
    output = ask(_QUERY, SECONDS)
    return None if output is None else parse_cards(output)


def parse_cards(output: str) -> dict[str, Card]:
    """The lines `00000000:3B:00.0, NVIDIA A100 80GB PCIe, 81920`; what a sick card does not tell is `[N/A]`."""
    found = {}
    for row in output.splitlines():
        fields = [field.strip() for field in row.split(",")]
        address = sysfs_address(fields[0])
        if len(fields) != 3 or not address:
            continue
        name = None if fields[1].startswith("[") else fields[1]
        found[address] = Card(name, int(fields[2]) if fields[2].isdigit() else None)
    return found


def sysfs_address(bus_id: str) -> str | None:
    """`00000000:3B:00.0` as sysfs spells it: small letters, and a domain of at least four digits."""
    match = re.fullmatch(r"([0-9A-Fa-f]{4,8}):([0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7])", bus_id)
    return f"{int(match.group(1), 16):04x}:{match.group(2).lower()}" if match else None
