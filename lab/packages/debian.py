"""NVIDIA's packages for Debian: the driver, the pins of its branches, and what has a unit."""

from __future__ import annotations

from collections.abc import Sequence

from lab.packages import driver, units
from lab.packages.package import File, Package

UNITS = "usr/lib/systemd/system"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_DKMS_POSTINST = """\
if [ "$1" = configure ]; then
    /usr/lib/dkms/common.postinst nvidia {version} "" "" "$2"
fi
"""
_DKMS_PRERM = """\
case "$1" in
    remove|upgrade|deconfigure)
        if [ "$(dkms status -m nvidia -v {version})" ]; then
            dkms remove -m nvidia -v {version} --all
        fi ;;
esac
"""


def driver_packages(version: str, *, broken: bool = False) -> list[Package]:
    """One release of the driver. `broken`: its modules do not compile."""
    full = f"{version}-1"
    same = f"(= {full}+lab)"
    kernels = [_kernel("nvidia-kernel-open-dkms", version, driver.OPEN, "nvidia-kernel-dkms", broken=broken)]
    if driver.has_proprietary(version):
        kernels.append(_kernel("nvidia-kernel-dkms", version, driver.PROPRIETARY, "nvidia-kernel-open-dkms"))
    choice = " | ".join(f"{package.name} {same}" for package in kernels)
    return [
        *kernels,
        Package(
            "nvidia-driver-cuda",
            full,
            "NVIDIA driver for computing, without a display",
            depends=[f"libcuda1 {same}", f"nvidia-smi {same}", choice],
            recommends=[f"nvidia-persistenced {same}"],
        ),
        Package(
            "libcuda1",
            full,
            "NVIDIA CUDA driver library",
            files={f"{_LIBRARIES}/libcuda.so.{version}": File(driver.library("libcuda", version))},
            links={f"{_LIBRARIES}/libcuda.so.1": f"libcuda.so.{version}", f"{_LIBRARIES}/libcuda.so": "libcuda.so.1"},
            provides=[f"libcuda-12.0-1 {same}"],
        ),
        Package(
            "nvidia-smi",
            full,
            "NVIDIA System Management Interface",
            files={"usr/bin/nvidia-smi": driver.program("nvidia_smi.py", version)},
            depends=["python3"],
        ),
        _with_unit(
            "nvidia-persistenced", full, "NVIDIA persistence daemon", driver.persistenced(version, UNITS), start=True
        ),
        _with_unit("nvidia-fabricmanager", full, "Fabric manager for NVSwitch", driver.fabric_manager(version, UNITS)),
    ]


def pinning(branch: str, versions: Sequence[str]) -> Package:
    """Keeps every package of the driver on one branch."""
    names = sorted({package.name for version in versions for package in driver_packages(version)})
    text = f"Package: {' '.join(names)}\nPin: version {branch}.*\nPin-Priority: 1001\n"
    return Package(
        f"nvidia-driver-pinning-{branch}",
        f"{versions[-1]}-1",
        f"Holds the NVIDIA driver on branch {branch}",
        files={f"etc/apt/preferences.d/nvidia-driver-pinning-{branch}": File(text.encode())},
        provides=["nvidia-driver-pinning"],
        conflicts=["nvidia-driver-pinning"],
    )


def _kernel(name: str, version: str, licence: str, other: str, *, broken: bool = False) -> Package:
    kind = "open kernel modules" if licence == driver.OPEN else "proprietary kernel modules"
    return Package(
        name,
        f"{version}-1",
        f"NVIDIA {kind}, built by DKMS",
        files=driver.kernel_source(version, licence, broken=broken),
        scripts={"postinst": _DKMS_POSTINST.format(version=version), "prerm": _DKMS_PRERM.format(version=version)},
        depends=["dkms", "kmod", "python3"],
        provides=[f"nvidia-kernel-{version}"],
        conflicts=[other],
    )


def _with_unit(name: str, version: str, summary: str, files: dict[str, File], *, start: bool = False) -> Package:
    unit = f"{name}.service"
    return Package(
        name,
        version,
        summary,
        files=files,
        scripts={
            "postinst": units.ENABLE_AND_START.format(unit=unit) if start else units.RELOAD,
            "prerm": units.STOP.format(unit=unit),
            "postrm": units.FORGET.format(unit=unit),
        },
        depends=["python3", "init-system-helpers"],
    )


def vendor_package(name: str, version: str, summary: str, files: dict[str, File], **relations: list[str]) -> Package:
    """A package whose unit, if it has one, is for others to enable."""
    unit = next((path.rsplit("/", 1)[-1] for path in files if path.startswith(UNITS)), None)
    scripts = (
        {
            "postinst": units.RELOAD,
            "prerm": units.STOP.format(unit=unit),
            "postrm": units.FORGET.format(unit=unit),
        }
        if unit
        else {}
    )
    return Package(name, version, summary, files=files, scripts=scripts, epoch=1, **relations)
