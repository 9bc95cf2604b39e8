"""Makes .rpm packages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lab.files import scratch
from lab.packages.package import EPOCH, SUFFIX, WHAT_IT_IS, Package
from lab.run import capture

# dpkg's names of scripts -> rpm's.
_SCRIPTS = {"postinst": "%post", "prerm": "%preun", "postrm": "%postun"}
# So that the bytes depend on nothing but the package, and rpmbuild adds nothing of its own.
_MACROS = {
    "_build_id_links": "none",
    "_buildhost": "lab",
    "use_source_date_epoch_as_buildtime": "1",
    "clamp_mtime_to_source_date_epoch": "1",
    "source_date_epoch_from_changelog": "0",
    "__os_install_post": "%{nil}",
    "debug_package": "%{nil}",
    "_binary_payload": "w4.gzdio",
}


def full_version(package: Package) -> str:
    """Version and release; the release says that it is the lab's."""
    version, _, revision = package.version.partition("-")
    return f"{version}-{revision}{SUFFIX}"


def file_name(package: Package) -> str:
    return f"{package.name}-{full_version(package)}.x86_64.rpm"


def spec(package: Package) -> str:
    """The package's spec file: everything is there already, and only has to be packed."""
    version, release = full_version(package).rsplit("-", 1)
    lines = [
        f"Name: {package.name}",
        *([f"Epoch: {package.epoch}"] if package.epoch is not None else []),
        f"Version: {version}",
        f"Release: {release}",
        f"Summary: {package.summary} (stand-in)",
        "License: MIT",
        "AutoReqProv: no",
        *(f"Requires: {relation}" for relation in package.depends),
        *(f"Recommends: {relation}" for relation in package.recommends),
        *(f"Provides: {relation}" for relation in package.provides),
        *(f"Conflicts: {relation}" for relation in package.conflicts),
        "",
        "%description",
        WHAT_IT_IS,
    ]
    for name, section in _SCRIPTS.items():
        if name in package.scripts:
            lines += ["", section, package.scripts[name].rstrip()]
    return "\n".join([*lines, "", "%files", *_files(package)]) + "\n"


def make(package: Package, into: Path) -> Path:
    """Write the package into the folder `into`."""
    with scratch(into) as folder:
        root = folder / "root"
        for name in ("root", "BUILD", "RPMS"):
            (folder / name).mkdir()
        for path, file in package.files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(file.content)
        for path, goal in package.links.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to(goal)
        for path in root.rglob("*"):
            os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)
        (folder / "package.spec").write_text(spec(package))
        macros = {**_MACROS, "_topdir": str(folder), "_dbpath": str(folder / "db")}
        defines = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
        command = ["rpmbuild", "-bb", "--quiet", "--nodeps", "--target=x86_64", *defines, f"--buildroot={root}"]
        capture(["env", f"SOURCE_DATE_EPOCH={EPOCH}", *command, "--noclean", str(folder / "package.spec")])
        (made,) = (folder / "RPMS").rglob("*.rpm")
        return made.rename(into / file_name(package))


def _files(package: Package) -> Iterator[str]:
    """Each file, and the folders that are the package's alone, which go with it."""
    for folder in package.folders:
        if any(part.startswith(("nvidia", "dcgm", "kernels")) for part in folder.split("/")):
            yield f"%dir /{folder}"
    for path, file in package.files.items():
        yield f"{'%config(noreplace) ' if file.config else ''}%attr({file.mode:o}, root, root) /{path}"
    for path in package.links:
        yield f"/{path}"
