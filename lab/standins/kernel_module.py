#!/usr/bin/python3
"""Stands in for the kernel where NVIDIA's modules, or nouveau, are loaded on a machine of the lab.

kernel-module load NAME     what `install NAME` of modprobe.d runs: takes the cards and shows the module
kernel-module unload NAME   what `remove NAME` runs; refuses while something uses the module
kernel-module forget        as after a reboot: nothing is loaded, no card has a driver

The module's version and licence come from its file below /lib/modules, the cards from the PCI bus and from what each
one's `rom` says. Texts are those of the kernel, of kmod and of NVIDIA's driver. Python 3.9 and its standard library.
"""

import json
import os
import re
import shutil
import stat
import sys
import time
from pathlib import Path

# A module, and those that must be loaded before it.
NEEDS = {
    "nvidia": [],
    "nvidia_uvm": ["nvidia"],
    "nvidia_modeset": ["nvidia"],
    "nvidia_drm": ["nvidia_modeset"],
    "nvidia_peermem": ["nvidia"],
    "nouveau": [],
}
PLACES = ("updates/dkms", "updates", "extra", "weak-updates", "kernel/drivers/gpu/drm/nouveau")
INFORMATION = """\
Model: \t\t {name}
IRQ:   \t\t {irq}
GPU UUID: \t {uuid}
Video BIOS: \t {vbios}
Bus Type: \t PCIe
DMA Size: \t 47 bits
DMA Mask: \t 0x7fffffffffff
Bus Location: \t {address}
Device Minor: \t {minor}
GPU Firmware: \t {firmware}
GPU Excluded:\t No
"""


class RefusedError(Exception):
    """The kernel does not do it; the text is what kmod prints."""


class Machine:
    """The places that the kernel fills, below `root`."""

    def __init__(self, root="/", release=None):
        self.root = Path(root)
        self.release = release or os.uname().release
        self.modules = self.root / "sys/module"
        self.bus = self.root / "sys/bus/pci/devices"
        self.driver = self.root / "proc/driver/nvidia"
        self.dev = self.root / "dev"

    def load(self, name):
        if (self.modules / name).is_dir():
            return
        for needed in NEEDS[name]:
            self.load(needed)
        facts = self._module_file(name)
        if name == "nouveau":
            self._bind(self._cards(), "nouveau")
        elif name == "nvidia":
            self._start_driver(facts)
        elif name == "nvidia_uvm":
            self._node("nvidia-uvm")
        self._show(name, facts)

    def unload(self, name):
        folder = self.modules / name
        if not folder.is_dir():
            return
        holders = [one.name for one in (folder / "holders").iterdir()]
        if holders:
            raise RefusedError(f"modprobe: FATAL: Module {name} is in use by: {' '.join(sorted(holders))}")
        if int((folder / "refcnt").read_text()) > 0 or self._users(name):
            raise RefusedError(f"modprobe: FATAL: Module {name} is in use.")
        if name == "nvidia":
            shutil.rmtree(self.driver, ignore_errors=True)
        if name in ("nvidia", "nouveau"):
            self._bind(self._cards(bound=name), None)
        for node in self._nodes(name):
            node.unlink()
        shutil.rmtree(folder)
        for needed in NEEDS[name]:
            (self.modules / needed / "holders" / name).unlink()
            self._count(needed)

    def forget(self):
        for name in NEEDS:
            shutil.rmtree(self.modules / name, ignore_errors=True)
        shutil.rmtree(self.driver, ignore_errors=True)
        self._bind(self._cards(bound="nvidia") + self._cards(bound="nouveau"), None)

    def _module_file(self, name):
        folder = self.root / "lib/modules" / self.release
        for place in PLACES:
            for file in (folder / place / f"{name.replace('_', '-')}.ko", folder / place / f"{name}.ko"):
                if file.is_file():
                    content = file.read_bytes().decode("latin-1")
                    found = dict(re.findall(r"(?:^|\0)(version|license|srcversion)=([\x20-\x7e]+)(?=\0|$)", content))
                    return {"version": "", "license": "", "srcversion": "", **found}
        raise RefusedError(f"modprobe: FATAL: Module {name} not found in directory {folder}")

    def _start_driver(self, facts):
        """Take the cards and the switches, or say what the driver says when it gets none."""
        is_open = "GPL" in facts["license"]
        cards = self._cards()
        if not cards:
            raise RefusedError(_NO_DEVICE)
        if any((folder / "driver").is_symlink() for folder in cards):
            raise RefusedError(f"NVRM: GPU {cards[0].name} is already bound to nouveau.\n{_NO_DEVICE}")
        usable = [folder for folder in cards if self._rom(folder)["gsp"] or not is_open]
        if not usable:
            raise RefusedError(
                f"NVRM: The NVIDIA GPU {cards[0].name} installed in this system is not supported by open nvidia.ko "
                f"because it does not include the required GPU System Processor (GSP).\n{_NO_DEVICE}"
            )
        self._bind(usable, "nvidia")
        switches = self._cards(pci_class="0x0680")
        self._bind(switches, "nvidia-nvswitch")
        self.driver.mkdir()
        (self.driver / "version").write_text(_banner(facts["version"], is_open))
        (self.driver / "params").write_text("ResmanDebugLevel: 4294967295\nModifyDeviceFiles: 1\n")
        for minor, folder in enumerate(usable):
            self._describe(folder, minor, facts["version"])
            self._node(f"nvidia{minor}")
        for minor, _ in enumerate(switches):
            self._node(f"nvidia-nvswitch{minor}")
        self._node("nvidiactl")

    def _describe(self, folder, minor, version):
        rom = self._rom(folder)
        text = INFORMATION.format(
            name=rom["name"],
            uuid=rom["uuid"],
            vbios=rom["vbios"].lower(),
            irq=(folder / "irq").read_text().strip(),
            address=folder.name,
            minor=minor,
            firmware=version if rom["gsp"] else "N/A",
        )
        (self.driver / "gpus" / folder.name).mkdir(parents=True)
        (self.driver / "gpus" / folder.name / "information").write_text(text)

    def _show(self, name, facts):
        folder = self.modules / name
        (folder / "holders").mkdir(parents=True)
        (folder / "parameters").mkdir()
        values = {"refcnt": "0", "initstate": "live", "coresize": "16777216", "taint": "OE", **facts}
        for file in ("refcnt", "initstate", "coresize", "taint", "version", "srcversion"):
            if values[file]:
                (folder / file).write_text(f"{values[file]}\n")
        for needed in NEEDS[name]:
            (self.modules / needed / "holders" / name).symlink_to(f"../../{name}")
            self._count(needed)

    def _count(self, name):
        """References beyond the modules that hold it are of someone's own making, and stay."""
        folder = self.modules / name
        (folder / "refcnt").write_text(f"{len(list((folder / 'holders').iterdir()))}\n")

    def _cards(self, bound=None, pci_class="0x03"):
        """The folders of NVIDIA's cards on the bus, of those with a certain driver if one is named."""
        found = []
        for folder in sorted(self.bus.iterdir()) if self.bus.is_dir() else []:
            vendor, kind = ((folder / name).read_text().strip() for name in ("vendor", "class"))
            driver = folder / "driver"
            if bound:
                if vendor == "0x10de" and driver.is_symlink() and driver.readlink().name.startswith(bound):
                    found.append(folder)
            elif vendor == "0x10de" and kind.startswith(pci_class):
                found.append(folder)
        return found

    def _bind(self, folders, driver):
        for folder in folders:
            link, uevent = folder / "driver", folder / "uevent"
            lines = [line for line in uevent.read_text().splitlines() if not line.startswith("DRIVER=")]
            if link.is_symlink():
                link.unlink()
            if driver:
                link.symlink_to(f"../../../../bus/pci/drivers/{driver}")
                lines.insert(0, f"DRIVER={driver}")
            uevent.write_text("".join(f"{line}\n" for line in lines))
            (folder / "enable").write_text(f"{int(bool(driver))}\n")

    def _rom(self, folder):
        return json.loads((folder / "rom").read_text())

    def _node(self, name):
        """A device file that can be opened: of /dev/null's kind, since NVIDIA's has nobody behind it."""
        path = self.dev / name
        path.unlink(missing_ok=True)
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        path.chmod(0o666)

    def _nodes(self, name):
        if name == "nvidia_uvm":
            return list(self.dev.glob("nvidia-uvm*"))
        return list(self.dev.glob("nvidia*")) if name == "nvidia" else []

    def _users(self, name):
        """Whether some process has a device file of this module open."""
        nodes = set(self._nodes(name))
        for process in self.root.glob("proc/[0-9]*"):
            try:
                if any(file.readlink() in nodes for file in (process / "fd").iterdir()):
                    return True
            except OSError:
                continue
        return False


_NO_DEVICE = "modprobe: ERROR: could not insert 'nvidia': No such device"


def _banner(version, is_open):
    built = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(1_760_000_000))
    if is_open:
        kind = f"NVIDIA UNIX Open Kernel Module for x86_64  {version}  Release Build  (root@lab)  {built}"
    else:
        kind = f"NVIDIA UNIX x86_64 Kernel Module  {version}  {built}"
    return f"NVRM version: {kind}\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14+deb12u1)\n"


def main(arguments):
    machine = Machine(os.environ.get("KERNEL_MODULE_ROOT", "/"))
    try:
        if arguments == ["forget"]:
            machine.forget()
        elif len(arguments) == 2 and arguments[0] in ("load", "unload") and arguments[1].replace("-", "_") in NEEDS:
            getattr(machine, arguments[0])(arguments[1].replace("-", "_"))
        else:
            print(f"usage: kernel-module load|unload {'|'.join(NEEDS)}, or forget", file=sys.stderr)
            return 2
    except RefusedError as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
