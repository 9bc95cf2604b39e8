# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Packages through dnf and rpm."""

from __future__ import annotations

from .command import Run, output_of
from .versions import choose

_DNF = ["dnf", "--assumeyes", "--quiet"]
_FORMAT = "%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\\n"


class Dnf:
    """dnf on one host. Every method raises CommandError where a program fails."""

    name = "dnf"

    def __init__(self, run: Run, stream: str = "") -> None:
        """`stream` of nvidia-driver is looked into whichever is enabled."""
        self._run = run
        self._hide_nothing = ["--setopt=*.module_hotfixes=1"] if stream else []

    def refresh(self) -> None:
        """Fetch the repositories' lists anew."""
        output_of(self._run, [*_DNF, "--refresh", "makecache"], "reading the package lists")

    def installed(self) -> dict[str, str]:
        """Name -> epoch:version-release.architecture; packages of several versions, such as kernels, are left out."""
        rows = [
            line.split("\t")
            for line in output_of(self._run, ["rpm", "-qa", f"--qf={_FORMAT}"], "listing packages").splitlines()
        ]
        names = [row[0] for row in rows if len(row) == 2]
        return {row[0]: row[1] for row in rows if len(row) == 2 and names.count(row[0]) == 1 and row[0] != "gpg-pubkey"}

    def offered(self, names: list[str]) -> dict[str, list[str]]:
        """Name -> epoch:version-release that the repositories have, in no order."""
        found: dict[str, list[str]] = {name: [] for name in names}
        if names:
            wanted = "--qf=%{name}\\t%{epoch}:%{version}-%{release}\\n"
            out = self._run(
                [*_DNF, *self._hide_nothing, "repoquery", "--available", "--showduplicates", wanted, *names]
            )[1]
            for line in out.splitlines():
                name, _tab, version = line.partition("\t")
                if version and name in found:
                    found[name].append(version.strip())
        return {name: list(dict.fromkeys(versions)) for name, versions in found.items()}

    def install(self, names: list[str], version: str | None, branch: str | None) -> None:
        """Install packages, those with the driver's versions in that version, or the newest of the branch."""
        offered = self.offered(names)
        chosen = {name: choose(offered[name], version, branch) for name in names}
        specs = [f"{name}-{chosen[name]}" if chosen[name] else name for name in names]
        output_of(self._run, [*_DNF, "--allowerasing", "install", *specs], f"installing {' '.join(names)}")

    def reinstall(self, names: list[str]) -> None:
        output_of(self._run, [*_DNF, "reinstall", *names], f"installing {' '.join(names)} again")

    def remove(self, names: list[str]) -> None:
        output_of(self._run, [*_DNF, "remove", *names], f"removing {' '.join(names)}")

    # What nobody needs any more goes along by itself (clean_requirements_on_remove).
    purge = remove

    def unhold(self, names: list[str]) -> None:
        output_of(self._run, [*_DNF, "versionlock", "delete", *names], f"letting go of {' '.join(names)}")

    def repair(self, remove: list[str]) -> None:
        """Finish or undo what a transaction left half done: rpm keeps two versions of a package then."""
        output_of(self._run, [*_DNF, "remove", "--duplicates"], "removing what was left half done")
        if remove:
            self.remove(remove)

    def restore(self, before: dict[str, str]) -> list[str]:
        """Bring the packages back to what they were; sentences about what could not be."""
        now = self.installed()
        fresh = [name for name in now if name not in before]
        back = [f"{name}-{version}" for name, version in before.items() if now.get(name) != version]
        problems = []
        if fresh and self._run([*_DNF, "--noautoremove", "remove", *fresh])[0] != 0:
            problems.append(f"these could not be removed again: {' '.join(fresh)}")
        if back and self._run([*_DNF, "--allowerasing", "install", *back])[0] != 0:
            problems.append(f"these could not be put back: {' '.join(back)}")
        return problems + self.problems()

    def problems(self) -> list[str]:
        """Why dnf would refuse to work, if it would."""
        status, out, err = self._run(["dnf", "--quiet", "check", "--dependencies"])
        return [] if status == 0 else [f"dnf check still says: {(out + err).strip()}"]
