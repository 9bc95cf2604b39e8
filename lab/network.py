"""The one network of all labs: a bridge with addresses that answer from this machine and with no way out."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network

from lab.errors import LabError
from lab.files import write_atomically
from lab.paths import CHECKOUT, NETWORKS
from lab.run import capture

NAME = "gpufleet"
_BRIDGE = f"gf-{CHECKOUT}"
_FILE = NETWORKS / f"{NAME}.json"
_MIRROR = 2
_FIRST_MACHINE = 10


def ensure() -> IPv4Network:
    """Make the network's definition if there is none; its subnet."""
    if not _FILE.is_file():
        _define(free_subnet(_subnets_in_use()))
    return IPv4Network(json.loads(_FILE.read_text())["subnets"][0]["subnet"])


def mirror_address() -> IPv4Address:
    return ensure()[_MIRROR]


def machine_addresses() -> Iterator[IPv4Address]:
    """The addresses that machines may have, lowest first."""
    network = ensure()
    return (network[number] for number in range(_FIRST_MACHINE, network.num_addresses - 1))


def remove() -> None:
    """Forget the network, and take its bridge away if podman left it."""
    _FILE.unlink(missing_ok=True)
    if any(link["ifname"] == _BRIDGE for link in json.loads(capture(["ip", "-j", "link"]))):
        capture(["ip", "link", "delete", _BRIDGE])


def free_subnet(used: list[IPv4Network]) -> IPv4Network:
    """The first /24 between 10.64.0.0 and 10.127.255.0 that meets none in use; each checkout begins elsewhere."""
    candidates = list(IPv4Network("10.64.0.0/10").subnets(new_prefix=24))
    start = int(CHECKOUT, 16) % len(candidates)
    for candidate in candidates[start:] + candidates[:start]:
        if not any(candidate.overlaps(other) for other in used):
            return candidate
    raise LabError("every subnet of 10.64.0.0/10 is in use on this machine; the lab needs one /24 of it")


def _subnets_in_use() -> list[IPv4Network]:
    routes = json.loads(capture(["ip", "-j", "-4", "route", "show", "table", "all"]) or "[]")
    found = [route["dst"] for route in routes if route["dst"] != "default"]
    return [ipaddress.IPv4Network(destination, strict=False) for destination in found]


def _define(subnet: IPv4Network) -> None:
    # Written here and not by `podman network create`, which in older releases cannot name the bridge.
    definition = {
        "name": NAME,
        "id": hashlib.sha256(f"{CHECKOUT}{NAME}".encode()).hexdigest(),
        "driver": "bridge",
        "network_interface": _BRIDGE,
        "created": datetime.now(UTC).isoformat(),
        "subnets": [{"subnet": str(subnet), "gateway": str(subnet[1])}],
        "ipv6_enabled": False,
        "internal": True,
        "dns_enabled": False,
        "ipam_options": {"driver": "host-local"},
    }
    write_atomically(_FILE, json.dumps(definition, indent=1) + "\n")
