"""NVIDIA's packages for RHEL and its likes, and the few that such a system brings itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.packages import dkms, driver, headers
from lab.packages.package import File, Package

UNITS = "usr/lib/systemd/system"
_EPOCH = 3

_RELOAD = "systemctl daemon-reload >/dev/null 2>&1 || :\n"
_STOP = "if [ $1 -eq 0 ]; then systemctl --no-reload disable --now {unit} >/dev/null 2>&1 || :; fi\n"
# As NVIDIA's: what fails here fails silently, and the module is for the running kernel only.
_DKMS_POST = """\
dkms add -m nvidia -v {version} -q || :
dkms build -m nvidia -v {version} -q || :
dkms install -m nvidia -v {version} -q --force || :
"""
_DKMS_PREUN = "dkms remove -m nvidia -v {version} -q --all || :\n"

# What the packages lean on and the machines have, though no RPM brought it.
BASE = [
    "/bin/sh", "/usr/bin/python3", "bash", "kmod", "python3", "redhat-release", "system-release = 9.6",
    "system-release(releasever) = 9", "rocky-release = 9.6", "base-module(platform:el9)", "systemd",
]  # fmt: skip


def driver_packages(version: str) -> list[Package]:
    """One release of the driver."""
    same = f"= {_EPOCH}:{version}"
    full = f"{version}-1"
    kernels = [_kernel("kmod-nvidia-open-dkms", version, driver.OPEN, "kmod-nvidia-latest-dkms")]
    if driver.has_proprietary(version):
        kernels.append(_kernel("kmod-nvidia-latest-dkms", version, driver.PROPRIETARY, "kmod-nvidia-open-dkms"))
    return [
        *kernels,
        Package(
            "nvidia-open",
            full,
            "NVIDIA driver with open kernel modules",
            depends=[f"nvidia-driver-cuda {same}", f"kmod-nvidia-open-dkms {same}"],
            epoch=_EPOCH,
        ),
        Package(
            "nvidia-driver-cuda",
            full,
            "NVIDIA driver for computing, without a display",
            files={"usr/bin/nvidia-smi": driver.program("nvidia_smi.py", version)},
            depends=[f"nvidia-driver-cuda-libs {same}", f"nvidia-persistenced {same}", f"nvidia-kmod {same}"],
            epoch=_EPOCH,
        ),
        Package(
            "nvidia-driver-cuda-libs",
            full,
            "NVIDIA CUDA driver library",
            files={f"usr/lib64/libcuda.so.{version}": File(driver.library("libcuda", version))},
            links={"usr/lib64/libcuda.so.1": f"libcuda.so.{version}"},
            epoch=_EPOCH,
        ),
        _with_unit("nvidia-persistenced", full, "NVIDIA persistence daemon", driver.persistenced(version, UNITS), 3),
        _with_unit("nvidia-fabric-manager", full, "Fabric manager for NVSwitch", driver.fabric_manager(version, UNITS)),
    ]


def streams(versions: Sequence[str]) -> dict[str, list[Package]]:
    """The streams of the module nvidia-driver, each with the packages of its branch and kind of modules."""
    found: dict[str, list[Package]] = {}
    for version in versions:
        for stream, left_out in _kinds(version).items():
            packages = [package for package in driver_packages(version) if package.name not in left_out.split()]
            found.setdefault(stream, []).extend(packages)
    return found


def vendor_package(
    name: str, version: str, summary: str, files: Mapping[str, File], depends: Sequence[str] = ()
) -> Package:
    """A package of DCGM: its unit, if it has one, is for others to enable."""
    return _with_unit(name, version, summary, files, 1, depends)


def base_packages(release: str, original_dkms: Path) -> list[Package]:
    """What a Rocky Linux brings itself, or EPEL for it: headers, DKMS and dnf's lock, whose code the image has."""
    base = f"usr/src/kernels/{release}"
    return [
        Package(
            # A name that holds the release: the lab's kernel is no Red Hat kernel, whose releases can be parsed.
            f"kernel-devel-{release}",
            "1-1",
            f"Header files of Linux {release}",
            files=headers.files(base, release),
            links={f"lib/modules/{release}/build": f"/{base}"},
            provides=["kernel-devel", f"kernel-devel-uname-r = {release.replace('-', '_')}"],
        ),
        Package("dkms", "3.0.10-1", "Dynamic Kernel Module System", files=dkms.program_files(original_dkms)),
        Package("python3-dnf-plugin-versionlock", "4.3.1-1", "Version lock plugin of dnf"),
    ]


def release_package() -> Package:
    """Tells dnf what system it is on, and what is there without an RPM."""
    return Package("rocky-release", "9.6-1", "Rocky Linux release files", provides=BASE)


def _kinds(version: str) -> dict[str, str]:
    """Stream -> the package of kernel modules that is not in it."""
    branch = driver.branch(version)
    found = {f"{branch}-open": "kmod-nvidia-latest-dkms"}
    if driver.has_proprietary(version):
        found[f"{branch}-dkms"] = "kmod-nvidia-open-dkms nvidia-open"
    return found


def _kernel(name: str, version: str, licence: str, other: str) -> Package:
    kind = "open kernel modules" if licence == driver.OPEN else "proprietary kernel modules"
    return Package(
        name,
        f"{version}-1",
        f"NVIDIA {kind}, built by DKMS",
        files=driver.kernel_source(version, licence),
        scripts={"postinst": _DKMS_POST.format(version=version), "prerm": _DKMS_PREUN.format(version=version)},
        depends=["dkms", "kmod", "python3"],
        provides=[f"nvidia-kmod = {_EPOCH}:{version}"],
        conflicts=[other],
        epoch=_EPOCH,
    )


def _with_unit(
    name: str,
    version: str,
    summary: str,
    files: Mapping[str, File],
    epoch: int | None = None,
    depends: Sequence[str] = (),
) -> Package:
    unit = next((path.rsplit("/", 1)[-1] for path in files if path.startswith(UNITS)), None)
    scripts = {"postinst": _RELOAD, "prerm": _STOP.format(unit=unit), "postrm": _RELOAD} if unit else {}
    return Package(name, version, summary, files=files, scripts=scripts, depends=depends, epoch=epoch)
