# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Which TCP ports are listened on: read from /proc/net, since a bare host may have neither ss nor lsof."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

_LISTEN = "0A"


@dataclass(frozen=True)
class Listener:
    """A listening socket. `inode` names it in /proc/PID/fd."""

    address: Address
    port: int
    inode: int


def listeners(proc: Path = Path("/proc")) -> list[Listener]:
    """All listening TCP sockets of this network namespace."""
    found = []
    for name in ("tcp", "tcp6"):
        try:
            found += parse_table((proc / "net" / name).read_text())
        except OSError:  # a kernel without IPv6 has no tcp6
            continue
    return found


def parse_table(text: str) -> list[Listener]:
    """The listening sockets of a /proc/net/tcp or tcp6 table (proc_net_tcp in the kernel's documentation)."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTEN:
            address, port = fields[1].split(":")
            found.append(Listener(_address(address), int(port, 16), int(fields[9])))
    return found


def _address(text: str) -> Address:
    # Groups of 32 bits, each in the byte order of the host; every system that gpufleet supports is little-endian.
    words = (text[start : start + 8] for start in range(0, len(text), 8))
    address = ipaddress.ip_address(b"".join(int(word, 16).to_bytes(4, "little") for word in words))
    return getattr(address, "ipv4_mapped", None) or address


def conflicting(found: Iterable[Listener], address: str, port: int) -> list[Listener]:
    """Those that keep a program from listening on `address`:`port`.

    A wildcard collides with every address. `::` is taken to cover IPv4 too, as it does unless a program asks otherwise.
    An address that is not numeric is taken for a wildcard, `localhost` for both loopbacks.
    """
    wanted = _wanted(address)
    return [one for one in found if one.port == port and any(_collide(one.address, each) for each in wanted)]


def _wanted(address: str) -> list[Address]:
    if address == "localhost":
        return [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]
    try:
        return [ipaddress.ip_address(address.strip("[]"))]
    except ValueError:
        return [ipaddress.ip_address("::")]


def _collide(one: Address, other: Address) -> bool:
    if one.version == other.version:
        return one == other or one.is_unspecified or other.is_unspecified
    six = one if one.version == 6 else other
    return six.is_unspecified
