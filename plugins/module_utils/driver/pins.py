# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Keeping the package manager within a branch or at a version: what stands in files, so that it can be put back."""

from __future__ import annotations

import glob
import os

from .command import Run, output_of
from .versions import upstream

APT_FILE = "etc/apt/preferences.d/00gpufleet-nvidia-driver.pref"
LOCK_FILE = "etc/dnf/plugins/versionlock.list"
STREAM_FILE = "etc/dnf/modules.d/nvidia-driver.module"
_BEGIN, _END = "# BEGIN gpufleet nvidia_driver", "# END gpufleet nvidia_driver"
_PLUGIN = "python3-dnf-plugin-versionlock"
_MODULE = "nvidia-driver"

# The driver's packages, whichever source they come from, and nothing that merely begins alike, such as libnvme1.
_DRIVER = "*nvidia* libcuda1 libcudadebugger1 libnvcuvid1 libnvoptix1 libxnvctrl0 cuda-drivers*"
_HEAD = "Explanation: Managed by Ansible (gpufleet.serving.nvidia_driver); changes made here are lost.\n"
_FOREIGN = {"distribution": ["o=NVIDIA"], "cuda_repo": ["o=Debian", "o=Ubuntu"], "mirror": ["o=Debian", "o=Ubuntu"]}


def apt_preferences(source: str, branch: str | None, version: str | None) -> str:
    """The file for apt: packages of other sources are never taken, and the branch or version goes before all others.

    Without branch and version the source has but one.
    """
    # The first block that fits a version decides, so those of other sources stand before the branch.
    blocks = [f"Package: {_DRIVER}\nPin: release {origin}\nPin-Priority: -1\n" for origin in _FOREIGN[source]]
    wanted = f"{version}-*" if version else f"{branch}.*" if branch else ""
    if wanted:
        # Above 1000 apt goes back to an older version too; and a version goes before NVIDIA's own pin of its branch.
        blocks.append(f"Package: {_DRIVER}\nPin: version {wanted}\nPin-Priority: 1100\n")
    return _HEAD + "\n".join(blocks)


class Files:
    """Files that a change touches; `restore` makes them what they were."""

    def __init__(self, root: str, names: list[str]) -> None:
        self._before = {os.path.join(root, name): _read(os.path.join(root, name)) for name in names}

    def restore(self) -> None:
        for path, content in self._before.items():
            write(path, content)


def write(path: str, content: str | None) -> bool:
    """Write or remove a file; False when it was so already."""
    if _read(path) == content:
        return False
    if content is None:
        os.unlink(path)
        return True
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(content)
    os.replace(f"{path}.new", path)
    return True


def use_stream(run: Run, stream: str) -> None:
    """Have dnf take the driver from one module stream, whichever it took it from before."""
    output_of(run, ["dnf", "--assumeyes", "--quiet", "module", "reset", _MODULE], "leaving the module stream")
    output_of(
        run,
        ["dnf", "--assumeyes", "--quiet", "module", "enable", f"{_MODULE}:{stream}"],
        f"enabling the stream {stream}",
    )


def need_lock_plugin(run: Run, root: str) -> None:
    """Install dnf's plugin versionlock where it is not there."""
    if not glob.glob(os.path.join(root, "usr/lib/python3*/*-packages/dnf-plugins/versionlock.py")):
        output_of(run, ["dnf", "--assumeyes", "--quiet", "install", _PLUGIN], f"installing {_PLUGIN}")


def lock(root: str, packages: dict[str, str], version: str | None) -> bool:
    """Lock the driver's packages: to a version, or to the branch they are of. No packages: no lock.

    Args:
        packages: name -> epoch:version-release.architecture; those without a driver's version are left alone.
        version: lock to this version, not to the branch.
    """
    path = os.path.join(root, LOCK_FILE)
    content = _read(path)
    others = _without_block((content or "").splitlines())
    lines = [line for name, evr in sorted(packages.items()) for line in [_entry(name, evr, version)] if line]
    block = [_BEGIN, *lines, _END] if lines else []
    if content is None and not block:
        return False
    return write(path, "".join(f"{line}\n" for line in [*others, *block]))


def _entry(name: str, evr: str, version: str | None) -> str | None:
    found = upstream(evr)
    if not found:
        return None
    epoch = evr.partition(":")[0]
    # Without the epoch and the release dnf could take a part of the name for the version.
    return f"{name}-{epoch}:{version or found.split('.')[0] + '.*'}-*"


def _without_block(lines: list[str]) -> list[str]:
    kept, inside = [], False
    for line in lines:
        inside = inside or line == _BEGIN
        if not inside:
            kept.append(line)
        inside = inside and line != _END
    return kept


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None
