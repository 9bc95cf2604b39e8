"""NVIDIA's repositories, at NVIDIA's own paths and in its layout, with stand-ins for its packages.

compute/cuda/repos/<distro>/x86_64/ is a flat apt repository, or an RPM repository with module streams; the key's name
is that of NVIDIA's own.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lab.apt import control_of
from lab.files import replacing, scratch, write_atomically
from lab.mirror import rpm_repository, signing
from lab.mirror.apt_repository import packages_index
from lab.mirror.manifest import Manifest, digest_of, recipe_digest
from lab.mirror.urls import archive_path
from lab.packages import dcgm, deb, debian, driver, modules, red_hat, rpm, sources
from lab.packages.package import Package
from lab.paths import SCRATCH
from lab.progress import Step, step

_BASE = "https://developer.download.nvidia.com/compute/cuda/repos"

VERSIONS = ["580.95.05", "580.105.08", "590.48.01"]
# A release whose modules do not compile, in a repository of its own.
BROKEN = "999.0"


@dataclass(frozen=True)
class Repository:
    """One repository: `distro` as NVIDIA names it, the key's file, and what lays packages and indexes into a folder."""

    distro: str
    key: str
    fill: Callable[[Path, Step], None]

    @property
    def url(self) -> str:
        return f"{_BASE}/{self.distro}/x86_64"

    @property
    def key_url(self) -> str:
        return f"{self.url}/{self.key}"


def make(manifest: Manifest) -> None:
    """Make the repositories whose packages would be others by now."""
    public = signing.NVIDIA.public_key()
    recipe = recipe_digest([sources.vendors(), public, VERSIONS, BROKEN])
    for repository in REPOSITORIES:
        path = archive_path(repository.url)
        before = manifest.below(path)
        if before and all(manifest.holds(file, recipe) for file in before):
            continue
        with step(f"Making NVIDIA's repository {repository.distro}") as current, scratch(SCRATCH) as folder:
            folder.chmod(0o755)
            repository.fill(folder, current)
            write_atomically(folder / repository.key, public)
            with replacing(manifest.root / path) as staged:
                shutil.copytree(folder, staged)
                shutil.rmtree(manifest.root / path, ignore_errors=True)
        files = [file for file in sorted((manifest.root / path).rglob("*")) if file.is_file()]
        source = f"stand-ins for the packages of {repository.url}, made by the lab"
        manifest.put_folder(before, files, source=source, recipe=recipe)


def key_urls() -> list[str]:
    """The keys that whoever uses the repositories has to know beforehand."""
    return [repository.key_url for repository in REPOSITORIES]


def _debian(folder: Path, current: Step) -> None:
    packages = [package for version in VERSIONS for package in debian.driver_packages(version)]
    for branch in dict.fromkeys(map(driver.branch, VERSIONS)):
        packages.append(debian.pinning(branch, [version for version in VERSIONS if driver.branch(version) == branch]))
    for version, (exporter, *_) in dcgm.PAIRS.items():
        packages += _dcgm(version, exporter)
    for package in packages:
        current.at(f"{package.name} {package.version}")
        deb.make(package, folder)
    _index(folder)


def _dcgm(version: str, exporter: str) -> list[Package]:
    same = f"datacenter-gpu-manager-4-core (= 1:{version}-1+lab)"
    return [
        debian.vendor_package(
            "datacenter-gpu-manager-4-core", f"{version}-1", "NVIDIA DCGM", dcgm.core_files(debian.UNITS)
        ),
        debian.vendor_package(
            "datacenter-gpu-manager-4-proprietary", f"{version}-1", "NVIDIA DCGM's profiling", {}, depends=[same]
        ),
        debian.vendor_package(
            "datacenter-gpu-manager-exporter",
            f"{exporter}-1",
            "NVIDIA dcgm-exporter",
            dcgm.exporter_files(version, debian.UNITS),
            depends=["datacenter-gpu-manager-4-core", "python3"],
        ),
    ]


def _debian_broken(folder: Path, current: Step) -> None:
    packages = debian.driver_packages(BROKEN, broken=True)
    for package in [*packages, debian.pinning(driver.branch(BROKEN), [BROKEN])]:
        current.at(f"{package.name} {package.version}")
        deb.make(package, folder)
    _index(folder)


def _index(folder: Path) -> None:
    """Packages, Release and InRelease of a flat repository."""
    packages = packages_index(
        (control_of(file), f"./{file.name}", file.stat().st_size, digest_of(file))
        for file in sorted(folder.glob("*.deb"))
    ).encode()
    files = {"Packages": packages, "Packages.gz": gzip.compress(packages, mtime=0)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "Release").write_text(release(files, datetime.now(UTC)))
    signing.NVIDIA.sign(folder / "Release", folder / "InRelease")
    signing.NVIDIA.sign_beside(folder / "Release", folder / "Release.gpg")


def release(files: Mapping[str, bytes], date: datetime) -> str:
    """The text of Release. The origin is NVIDIA's, since pins name it."""
    fields = {
        "Origin": "NVIDIA",
        "Label": "NVIDIA CUDA",
        "Suite": "",
        "Architectures": "amd64",
        "Date": date.strftime("%a, %d %b %Y %H:%M:%S UTC"),
        "Description": "stand-ins of the lab of gpufleet",
    }
    sums = (f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}\n" for name, content in files.items())
    head = "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
    return f"{head}SHA256:\n{''.join(sums)}"


def _red_hat(folder: Path, current: Step) -> None:
    streams = red_hat.streams(VERSIONS)
    packages = {rpm.file_name(package): package for stream in streams.values() for package in stream}
    for version, (exporter, *_) in dcgm.PAIRS.items():
        packages |= {rpm.file_name(package): package for package in _dcgm_rpms(version, exporter)}
    rpm_repository.fill(folder, packages.values(), signing.NVIDIA, current, modules.metadata(streams))


def _dcgm_rpms(version: str, exporter: str) -> list[Package]:
    core = "datacenter-gpu-manager-4-core"
    return [
        red_hat.vendor_package(core, f"{version}-1", "NVIDIA DCGM", dcgm.core_files(red_hat.UNITS)),
        red_hat.vendor_package(
            "datacenter-gpu-manager-4-proprietary",
            f"{version}-1",
            "NVIDIA DCGM's profiling",
            {},
            [f"{core} = 1:{version}"],
        ),
        red_hat.vendor_package(
            "datacenter-gpu-manager-exporter",
            f"{exporter}-1",
            "NVIDIA dcgm-exporter",
            dcgm.exporter_files(version, red_hat.UNITS),
            [core, "python3"],
        ),
    ]


REPOSITORIES = [
    Repository("debian12", "3bf863cc.pub", _debian),
    Repository("debian13", "8793F200.pub", _debian),
    Repository("debian12-broken", "3bf863cc.pub", _debian_broken),
    Repository("rhel9", "D42D0685.pub", _red_hat),
]
