"""What a driver's packages hold on every distribution: the kernel modules' source for DKMS, and the programs."""

from __future__ import annotations

from lab.packages import units
from lab.packages.package import File
from lab.paths import LAB

OPEN, PROPRIETARY = "Dual MIT/GPL", "NVIDIA"
# What is installed of the last branch whose cards need the proprietary modules; later ones have no such package.
BRANCHES_WITH_PROPRIETARY = ("580",)

MODULES = ("nvidia", "nvidia-uvm", "nvidia-modeset", "nvidia-drm", "nvidia-peermem")
LOADER = "usr/lib/nvidia-lab/kernel-module"

_STANDINS = LAB / "standins"


def branch(version: str) -> str:
    """580.95.05 -> 580"""
    return version.split(".")[0]


def has_proprietary(version: str) -> bool:
    return branch(version) in BRANCHES_WITH_PROPRIETARY


def kernel_source(version: str, licence: str, *, broken: bool = False) -> dict[str, File]:
    """/usr/src/nvidia-<version>, as DKMS wants it, and what lets modprobe load the modules on a machine of the lab."""
    source = f"usr/src/nvidia-{version}"
    found = {
        f"{source}/dkms.conf": File(_dkms_conf(version, licence).encode()),
        f"{source}/compile.py": program("compile.py"),
        f"{source}/elf.py": File((_STANDINS / "elf.py").read_bytes()),
        "etc/modprobe.d/nvidia-lab.conf": File(_modprobe_conf().encode()),
        LOADER: program("kernel_module.py"),
    }
    if broken:
        found[f"{source}/error"] = File((_STANDINS / "compile_error.txt").read_bytes())
    return found


def program(name: str, version: str = "") -> File:
    """One of the stand-in programs."""
    return File((_STANDINS / name).read_text().replace("@VERSION@", version).encode(), 0o755)


def persistenced(version: str, unit_folder: str) -> dict[str, File]:
    return {
        "usr/bin/nvidia-persistenced": program("daemon.py", version),
        f"{unit_folder}/nvidia-persistenced.service": File(units.PERSISTENCED.encode()),
    }


def fabric_manager(version: str, unit_folder: str) -> dict[str, File]:
    config = "LOG_LEVEL=4\nLOG_FILE_NAME=/var/log/fabricmanager.log\nDAEMONIZE=1\nFABRIC_MODE=0\n"
    return {
        "usr/bin/nv-fabricmanager": program("daemon.py", version),
        "usr/share/nvidia/nvswitch/fabricmanager.cfg": File(config.encode(), config=True),
        f"{unit_folder}/nvidia-fabricmanager.service": File(units.FABRIC_MANAGER.encode()),
    }


def library(name: str, version: str) -> bytes:
    """Something in the place of a shared library; nothing on the lab's machines calls into it."""
    return f"{name}.so.{version}: a stand-in of the lab, not a library\n".encode()


def _dkms_conf(version: str, licence: str) -> str:
    lines = [
        'PACKAGE_NAME="nvidia"',
        f'PACKAGE_VERSION="{version}"',
        f"MAKE[0]=\"python3 ./compile.py ${{kernelver}} {version} '{licence}'\"",
        'CLEAN="true"',
        'AUTOINSTALL="yes"',
    ]
    for number, name in enumerate(MODULES):
        lines += [
            f'BUILT_MODULE_NAME[{number}]="{name}"',
            f'DEST_MODULE_LOCATION[{number}]="/kernel/drivers/video"',
            f'STRIP[{number}]="no"',
        ]
    return "".join(f"{line}\n" for line in lines)


def _modprobe_conf() -> str:
    lines = ["# No kernel takes the lab's modules: this program does what the kernel would."]
    for module in MODULES:
        name = module.replace("-", "_")
        lines += [f"install {name} /{LOADER} load {name}", f"remove {name} /{LOADER} unload {name}"]
    return "".join(f"{line}\n" for line in lines)
