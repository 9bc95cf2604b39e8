"""A host for the steps: package managers and programs that answer from tables, and files below a folder."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.gpufleet.serving.plugins.module_utils.driver.errors import CommandError

MAKE_LOG = """\
DKMS make.log for nvidia-999.0 for kernel 6.1.0-40-amd64 (x86_64)
/var/lib/dkms/nvidia/999.0/build/nvidia/nv-pci.c:245:9: error: too few arguments to function 'pci_resize_resource'
"""


class Programs:
    """Stands for `run`: remembers what was called; answers with what is told for the longest fitting beginning."""

    def __init__(self, answers: dict[str, tuple[int, str]] | None = None) -> None:
        self.answers = answers or {}
        self.called: list[str] = []

    def __call__(self, argv: list[str]) -> tuple[int, str, str]:
        line = " ".join(argv)
        self.called.append(line)
        fitting = [known for known in self.answers if known in line]
        status, out = self.answers[max(fitting, key=len)] if fitting else (0, "")
        return status, out, ""


class Packages:
    """A package manager of Debian's kind with its own idea of what is there; a name of `fails` breaks halfway."""

    name = "apt"

    def __init__(self, root: Path, installed: dict[str, str], fails: str = "", lost: bool = False) -> None:
        self.root, self.fails, self.lost = root, fails, lost
        self.state = dict(installed)
        self.did: list[str] = []

    def refresh(self) -> None:
        self.did.append("refresh")

    def installed(self) -> dict[str, str]:
        return dict(self.state)

    def repair(self, remove: list[str]) -> None:
        self.did.append(f"repair {' '.join(remove)}")

    def unhold(self, names: list[str]) -> None:
        self.did.append(f"unhold {' '.join(names)}")

    def install(self, names: list[str], version: str | None, branch: str | None) -> None:
        self.did.append(f"install {' '.join(names)} {version} {branch}")
        self.state.update(dict.fromkeys(names, f"{version or '1'}-1"))
        if self.fails in names:
            failed_build(self.root)
            raise CommandError("installing failed", "dpkg: error processing package")

    def remove(self, names: list[str]) -> None:
        self.did.append(f"remove {' '.join(names)}")
        self.state = {name: version for name, version in self.state.items() if name not in names}

    purge = remove

    def restore(self, before: dict[str, str]) -> list[str]:
        self.did.append("restore")
        if self.lost:
            return ["these could not be put back: nvidia-driver-cuda=580.95.05-1"]
        self.state = dict(before)
        return []


def failed_build(root: Path) -> None:
    """What DKMS leaves of a build that failed."""
    folder = root / "var/lib/dkms/nvidia/999.0/build"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "make.log").write_text(MAKE_LOG)


def installed_module(root: Path, kernel: str, version: str) -> None:
    """A module in place, as modinfo would read it."""
    folder = root / "lib/modules" / kernel / "updates/dkms"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nvidia.ko").write_bytes(f"\x7fELF\0version={version}\0license=Dual MIT/GPL\0".encode())


def dkms_source(root: Path, version: str) -> None:
    """A module that DKMS knows the source of."""
    source = root / f"usr/src/nvidia-{version}"
    source.mkdir(parents=True, exist_ok=True)
    (source / "dkms.conf").write_text("PACKAGE_NAME=nvidia\n")
    tree = root / "var/lib/dkms/nvidia" / version
    tree.mkdir(parents=True, exist_ok=True)
    (tree / "source").symlink_to(f"/usr/src/nvidia-{version}")
