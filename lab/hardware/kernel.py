"""A kernel on the disk of a machine, as its package lays it: without headers, which are a package of their own."""

from __future__ import annotations

import platform

from lab.hardware.gpus import Gpus
from lab.standins.elf import kernel_object

_NOUVEAU = "kernel/drivers/gpu/drm/nouveau/nouveau.ko"
_LOADER = "/usr/lib/gpufleet-lab/kernel-module"


def release() -> str:
    """What `uname -r` says, here and in every machine."""
    return platform.release()


def files(gpus: Gpus) -> dict[str, bytes]:
    """Path on the machine -> content, for a machine that has a kernel of its own on its disk."""
    if not gpus.kernel:
        return {}
    name = release()
    modules = f"lib/modules/{name}"
    found = {
        f"boot/vmlinuz-{name}": f"The lab's machines run on the kernel of the machine below them, {name}.\n".encode(),
        f"boot/config-{name}": b"CONFIG_MODULES=y\nCONFIG_MODULE_UNLOAD=y\n# CONFIG_MODULE_SIG is not set\n",
        f"boot/System.map-{name}": b"",
        f"{modules}/modules.builtin": b"kernel/fs/ext4/ext4.ko\n",
        f"{modules}/modules.builtin.modinfo": b"",
        f"{modules}/modules.order": f"{_NOUVEAU}\n".encode() if gpus.nouveau else b"",
    }
    if gpus.nouveau:
        found[f"{modules}/{_NOUVEAU}"] = kernel_object("nouveau", {"license": "GPL and additional rights"}, name)
        commands = f"install nouveau {_LOADER} load nouveau\nremove nouveau {_LOADER} unload nouveau\n"
        found["lib/modprobe.d/lab-kernel.conf"] = commands.encode()
    return found
