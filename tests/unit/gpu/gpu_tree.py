"""Builds the files of a machine from a short description, shaped as the kernel, dpkg and DKMS shape them."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path
from typing import Any

from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.roots import Roots

_DRIVERS = ("nvidia", "nouveau")


def build(folder: Path, spec: dict[str, Any]) -> Roots:
    """Everything below `folder`: sys, proc, boot and root."""
    tree = _Tree(folder)
    for key, value in spec.items():
        getattr(tree, key)(value)
    return Roots(*(str(folder / name) for name in ("sys", "proc", "boot", "root")))


class _Tree:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("sys", "proc", "boot", "root"):
            (folder / name).mkdir(exist_ok=True)

    def files(self, wanted: dict[str, str]) -> None:
        for path, content in wanted.items():
            self._put(path, content)

    def links(self, wanted: dict[str, str]) -> None:
        for path, target in wanted.items():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target)

    def pci(self, devices: list[dict[str, str]]) -> None:
        for one in devices:
            address = one["address"]
            real = f"sys/devices/pci{address[:7]}/{address}"
            for name in ("vendor", "device", "class", "subsystem_vendor", "subsystem_device"):
                self._put(f"{real}/{name}", one.get(name, "0x10de") + "\n")
            if "driver" in one:
                self._put(f"sys/bus/pci/drivers/{one['driver']}/bind", "")
                self.links({f"{real}/driver": f"../../../bus/pci/drivers/{one['driver']}"})
            self.links({f"sys/bus/pci/devices/{address}": f"../../../devices/pci{address[:7]}/{address}"})

    def kernels(self, wanted: dict[str, Any]) -> None:
        self._put("proc/sys/kernel/osrelease", wanted["running"] + "\n")
        for release in wanted.get("installed", []):
            self._put(f"boot/vmlinuz-{release}", "MZ")
            self._put(f"root/lib/modules/{release}/modules.dep", "")
        for release in wanted.get("headers", []):
            self._put(f"root/usr/src/linux-headers-{release}/Makefile", "include /usr/src/common/Makefile\n")
            self.links({f"root/lib/modules/{release}/build": f"/usr/src/linux-headers-{release}"})
        for release in wanted.get("dangling", []):
            self.links({f"root/lib/modules/{release}/build": f"/usr/src/kernels/{release}"})

    def modules(self, wanted: list[dict[str, Any]]) -> None:
        for one in wanted:
            self._put(f"root/lib/modules/{one['kernel']}/{one['path']}", module_file(one))

    def loaded(self, wanted: dict[str, Any]) -> None:
        version, kind = wanted["version"], wanted["banner"]
        self._put("sys/module/nvidia/version", version + "\n")
        self._put("proc/driver/nvidia/version", BANNERS[kind].format(version=version))
        for module, (count, holders) in wanted.get("references", {"nvidia": [0, []]}).items():
            self._put(f"sys/module/{module}/refcnt", f"{count}\n")
            for holder in holders:
                self._put(f"sys/module/{module}/holders/{holder}/refcnt", "0\n")

    def processes(self, wanted: list[dict[str, Any]]) -> None:
        for one in wanted:
            self._put(f"proc/{one['pid']}/comm", one["comm"] + "\n")
            self._put(f"proc/{one['pid']}/cgroup", f"0::/system.slice/{one['unit']}\n" if "unit" in one else "0::/\n")
            for number, target in enumerate(one["open"]):
                self.links({f"proc/{one['pid']}/fd/{number}": target})

    def dpkg(self, wanted: list[dict[str, str]]) -> None:
        self._put("root/var/lib/dpkg/status", "\n".join(_stanza(one) for one in wanted))

    def dkms(self, wanted: list[dict[str, Any]]) -> None:
        for one in wanted:
            module, version = one["module"], one["version"]
            folder = f"root/var/lib/dkms/{module}/{version}"
            if not one.get("source_lost"):
                self._put(f"root/usr/src/{module}-{version}/dkms.conf", f'PACKAGE_NAME="{module}"\n')
            self.links({f"{folder}/source": f"/usr/src/{module}-{version}"})
            if "log" in one:
                self._put(f"{folder}/build/make.log", one["log"])
            for kernel in one.get("built", []):
                self._put(f"{folder}/{kernel}/x86_64/module/nvidia.ko", "")
                self._put(f"{folder}/{kernel}/x86_64/log/make.log", "")
            for kernel in one.get("installed", []):
                link = f"root/var/lib/dkms/{module}/kernel-{kernel}-x86_64"
                self.links({link: f"{version}/{kernel}/x86_64"})

    def efi(self, wanted: dict[str, int]) -> None:
        (self.folder / "sys/firmware/efi/efivars").mkdir(parents=True)
        for name, value in wanted.items():
            self._put(f"sys/firmware/efi/efivars/{name}", bytes([6, 0, 0, 0, value]))

    def _put(self, path: str, content: str | bytes) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)


BANNERS = {
    "open": "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {version}  Release Build  "
    "(dvs-builder@U16-A24-9-2)  Thu Oct 10 12:15:00 UTC 2024\n"
    "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14+deb12u1)\n",
    "proprietary": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {version}  Tue Sep 23 00:50:42 UTC 2025\n"
    "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14+deb12u1)\n",
}


def module_file(one: dict[str, Any]) -> bytes:
    """A module as far as it is looked at: an ELF head, .modinfo's strings, and the mark of a signature."""
    info = [
        "version=" + one["version"],
        "supported=external",
        "license=" + one["license"],
        "srcversion=0BEEF580",
        "depends=",
    ]
    content = b"\x7fELF\x02\x01\x01" + bytes(57) + "\0".join(info).encode() + b"\0" + bytes(32)
    if one.get("signed"):
        content += b"PKCS#7" + bytes(12) + b"~Module signature appended~\n"
    pack = {"xz": lzma.compress, "gz": gzip.compress}.get(one["path"].rsplit(".", 1)[1], bytes)
    return pack(content)


def _stanza(one: dict[str, str]) -> str:
    return (
        f"Package: {one['package']}\n"
        f"Status: {one.get('status', 'install ok installed')}\n"
        "Priority: optional\nSection: non-free/libs\nInstalled-Size: 100\n"
        f"Maintainer: {one.get('maintainer', 'NVIDIA <cudatools@nvidia.com>')}\n"
        f"Architecture: amd64\nVersion: {one['version']}\n"
        "Depends: libc6 (>= 2.36),\n libnvidia-ml1\n"
        "Description: NVIDIA's driver\n Version: 1.0 of this text is no field.\n .\n The end.\n"
    )
