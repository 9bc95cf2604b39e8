"""Kernel objects that hold nothing but the section .modinfo, which is what modinfo, depmod and DKMS look at.

Runs on the lab's machines too, where it stands in for the compiler: Python 3.9 and its standard library.
"""

from __future__ import annotations

import struct

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_IDENT = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
_RELOCATABLE, _X86_64, _AARCH64 = 1, 62, 183
_PROGBITS, _STRTAB, _ALLOC = 1, 3, 2


def kernel_object(name: str, info: dict[str, str], release: str, machine: str = "x86_64") -> bytes:
    """The module `name` for the kernel `release`. `info`: further fields, such as version and license."""
    fields = {**info, "name": name, "retpoline": "Y", "vermagic": f"{release} SMP preempt mod_unload modversions "}
    modinfo = b"".join(f"{key}={value}\0".encode() for key, value in fields.items())
    names = b"\0.modinfo\0.shstrtab\0"
    start = _HEADER.size
    table = (start + len(modinfo) + len(names) + 7) & ~7
    kind = _AARCH64 if machine == "aarch64" else _X86_64
    header = _HEADER.pack(_IDENT, _RELOCATABLE, kind, 1, 0, 0, table, 0, _HEADER.size, 0, 0, _SECTION.size, 3, 2)
    sections = [
        _SECTION.pack(0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        _SECTION.pack(1, _PROGBITS, _ALLOC, 0, start, len(modinfo), 0, 0, 1, 0),
        _SECTION.pack(10, _STRTAB, 0, 0, start + len(modinfo), len(names), 0, 0, 1, 0),
    ]
    return (header + modinfo + names).ljust(table, b"\0") + b"".join(sections)
