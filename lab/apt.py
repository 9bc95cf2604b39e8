"""Debian's packages of any distribution, through this machine's own apt configuration and lists of our own."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from lab.errors import LabError
from lab.paths import LAB_CACHE
from lab.progress import Step
from lab.run import capture, follow

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_DEBOOTSTRAP = Path("/usr/sbin/debootstrap")


def debian_source() -> str:
    """The address that this machine takes Debian from: apt's own on Debian, else debootstrap's default."""
    system = platform.freedesktop_os_release()
    if system["ID"] == "debian":
        listed = capture(["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"])
        sources = dict(line.split() for line in reversed(listed.splitlines()))
        for release in (system.get("VERSION_CODENAME", ""), "stable", "oldstable", "testing", "sid"):
            if release in sources:
                return sources[release]
    default = re.search(r'^DEF_MIRROR="?([^"\s]+)', _DEBOOTSTRAP.read_text(), re.MULTILINE)
    if default is None:
        raise LabError(f"no address of Debian in apt's sources nor in {_DEBOOTSTRAP}")
    return default[1]


class Apt:
    """One distribution's packages.

    `installed` is the dpkg status of the machine that the packages are for; without it only single packages can be
    asked for, not what they depend on.
    """

    def __init__(self, suite: str, installed: Path | None = None, components: Sequence[str] = ("main",)) -> None:
        self.suite = suite
        self.folder = LAB_CACHE / "apt" / "-".join([suite, *components[1:]])
        self._installed = installed
        self._components = components

    def update(self, step: Step) -> None:
        """Fetch the distribution's lists."""
        for part in ("lists/partial", "archives/partial"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        source = f"deb [signed-by={_KEYRING}] {debian_source()} {self.suite} {' '.join(self._components)}\n"
        (self.folder / "sources.list").write_text(source)
        follow(["apt-get", *self._options(), "update"], step)

    def download(self, packages: Iterable[str], step: Step) -> dict[str, Path]:
        """Fetch these packages and nothing they depend on: name -> .deb file."""
        names = sorted(packages)
        into = self.folder / "single"
        into.mkdir(parents=True, exist_ok=True)
        for name in names:
            for older in into.glob(f"{name}_*.deb"):
                older.unlink()
        follow(["apt-get", *self._options(), "download", *names], step, cwd=into)
        return {name: next(into.glob(f"{name}_*.deb")) for name in names}

    def download_with_dependencies(self, packages: Iterable[str], into: Path, step: Step) -> list[Path]:
        """Fetch what installing these packages on the machine would fetch, into the folder `into`."""
        (into / "partial").mkdir(parents=True, exist_ok=True)
        archives = ["-o", f"Dir::Cache::archives={into}", "--yes", "--download-only"]
        follow(["apt-get", *self._options(), *archives, "install", *sorted(packages)], step)
        return sorted(into.glob("*.deb"))

    def _options(self) -> list[str]:
        settings = {
            "Dir::State": self.folder,
            "Dir::State::lists": self.folder / "lists",
            "Dir::State::status": self._installed or "/dev/null",
            "Dir::Cache": self.folder,
            "Dir::Cache::archives": self.folder / "archives",
            "Dir::Etc::sourcelist": self.folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Acquire::Languages": "none",
            # A registry's copy may be older than the signature's validity; the signature itself still counts.
            "Acquire::Check-Valid-Until": "false",
            "APT::Sandbox::User": "root",
            "APT::Install-Recommends": "false",
            "Debug::NoLocking": "true",
        }
        return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def unpack(deb: Path, into: Path) -> None:
    """Lay the files of one package under `into`."""
    into.mkdir(parents=True, exist_ok=True)
    capture(["dpkg-deb", "--extract", str(deb), str(into)])


def control_of(deb: Path) -> str:
    """The package's control file."""
    return capture(["dpkg-deb", "--field", str(deb)])


def version_of(deb: Path) -> str:
    """The version that the package itself names."""
    return capture(["dpkg-deb", "--field", str(deb), "Version"]).strip()
