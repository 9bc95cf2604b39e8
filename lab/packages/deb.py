"""Makes .deb packages."""

from __future__ import annotations

import os
from pathlib import Path

from lab.files import scratch
from lab.packages.package import EPOCH, SUFFIX, WHAT_IT_IS, Package
from lab.run import capture


def full_version(package: Package) -> str:
    epoch = "" if package.epoch is None else f"{package.epoch}:"
    return f"{epoch}{package.version}{SUFFIX}"


def file_name(package: Package) -> str:
    """As publishers name them: without the epoch."""
    return f"{package.name}_{package.version}{SUFFIX}_amd64.deb"


def control(package: Package) -> str:
    """The package's control file."""
    fields = {
        "Package": package.name,
        "Version": full_version(package),
        "Architecture": "amd64",
        "Maintainer": "gpufleet lab <lab@example.invalid>",
        "Section": "kernel",
        "Priority": "optional",
        "Depends": ", ".join(package.depends),
        "Recommends": ", ".join(package.recommends),
        "Provides": ", ".join(package.provides),
        "Conflicts": ", ".join(package.conflicts),
        "Replaces": ", ".join(package.conflicts),
        "Description": f"{package.summary} (stand-in)\n {WHAT_IT_IS}",
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def make(package: Package, into: Path) -> Path:
    """Write the package into the folder `into`."""
    target = into / file_name(package)
    with scratch(into) as tree:
        tree.chmod(0o755)
        for folder in package.folders:
            (tree / folder).mkdir()
        for path, file in package.files.items():
            (tree / path).write_bytes(file.content)
            (tree / path).chmod(file.mode)
        for path, goal in package.links.items():
            (tree / path).symlink_to(goal)
        meta = tree / "DEBIAN"
        meta.mkdir()
        (meta / "control").write_text(control(package))
        if configs := [f"/{path}\n" for path, file in package.files.items() if file.config]:
            (meta / "conffiles").write_text("".join(configs))
        for name, text in package.scripts.items():
            (meta / name).write_text(f"#!/bin/sh\nset -e\n{text}")
            (meta / name).chmod(0o755)
        pack(tree, target)
    return target


def pack(tree: Path, target: Path) -> None:
    """Make a .deb of a folder that has a DEBIAN in it."""
    for path in [tree, *tree.rglob("*")]:
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)
    options = ["--root-owner-group", "-Zgzip", "-z4", "--threads-max=1", "--nocheck"]
    capture(["env", f"SOURCE_DATE_EPOCH={EPOCH}", "dpkg-deb", *options, "--build", str(tree), str(target)])
