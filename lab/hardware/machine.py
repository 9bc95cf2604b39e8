"""What a machine with GPUs gets beyond any other: folders that lie over the kernel's own, and files on its disk."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

from lab.errors import LabError
from lab.hardware import kernel, pci
from lab.hardware.gpus import Gpus
from lab.mirror.manifest import recipe_digest
from lab.paths import LAB, STATE

# The first process, which becomes systemd.
BOOT = "/usr/lib/gpufleet-lab/boot"

_STANDINS = LAB / "standins"
_PROGRAMS = {
    "usr/lib/gpufleet-lab/boot": "boot.sh",
    "usr/lib/gpufleet-lab/kernel-module": "kernel_module.py",
    "usr/local/sbin/rmmod": "rmmod.sh",
}
_INITRAMFS = {"debian": ("usr/sbin/update-initramfs",), "rocky": ("usr/bin/dracut",)}
_OVER = {"devices": "/sys/bus/pci/devices", "module": "/sys/module", "driver": "/proc/driver"}


def label(gpus: Gpus | None) -> str:
    """Changes whenever another machine would have to be made; empty for one without GPUs."""
    if gpus is None:
        return ""
    programs = [(_STANDINS / name).read_text() for name in (*_PROGRAMS.values(), "initramfs.sh")]
    return recipe_digest([asdict(gpus), kernel.release(), programs])


def lay(lab: str, name: str, gpus: Gpus) -> list[str]:
    """Make the machine's folders below the lab's state; podman's options that lay them over the kernel's."""
    for place in _OVER.values():
        if not Path(place).is_dir():
            raise LabError(f"{name}: this machine's kernel has no {place}, over which the cards could be laid")
    base = STATE / lab / "hardware" / name
    shutil.rmtree(base, ignore_errors=True)
    for function in pci.functions(gpus, name):
        folder = base / "devices" / function.address
        folder.mkdir(parents=True)
        for file, content in pci.files(function).items():
            (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
        for link, target in pci.links(function).items():
            (folder / link).symlink_to(target)
    for module in Path("/sys/module").iterdir():
        (base / "module" / module.name).mkdir(parents=True)
    (base / "driver").mkdir()
    return [f"--volume={base / folder}:{place}" for folder, place in _OVER.items()]


def own_files(gpus: Gpus, os: str) -> dict[str, tuple[bytes, int]]:
    """Path on the machine -> content and mode."""
    found = {path: ((_STANDINS / file).read_bytes(), 0o755) for path, file in _PROGRAMS.items()}
    found |= {path: (content, 0o644) for path, content in kernel.files(gpus).items()}
    if gpus.kernel:
        kind = "rocky" if os.startswith("rocky") else "debian"
        found |= {path: ((_STANDINS / "initramfs.sh").read_bytes(), 0o755) for path in _INITRAMFS[kind]}
    return found
