# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Packages through apt and dpkg."""

from __future__ import annotations

from .command import Run, output_of
from .errors import DriverError
from .versions import choose

_APT = [
    "apt-get",
    "--yes",
    "--quiet",
    "--option=DPkg::Lock::Timeout=600",
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
]
_CHANGE = [*_APT, "--no-install-recommends", "--allow-downgrades", "--allow-change-held-packages"]
_FORMAT = "${db:Status-Status}\\t${binary:Package}\\t${Version}\\n"


class Apt:
    """apt on one host. Every method raises CommandError where a program fails."""

    name = "apt"

    def __init__(self, run: Run) -> None:
        self._run = run

    def refresh(self) -> None:
        """Fetch the repositories' lists anew."""
        output_of(self._run, [*_APT, "--option=APT::Update::Error-Mode=any", "update"], "reading the package lists")

    def installed(self) -> dict[str, str]:
        """Name -> version of all packages that are there, half configured ones too."""
        lines = output_of(
            self._run, ["dpkg-query", "--show", f"--showformat={_FORMAT}"], "listing packages"
        ).splitlines()
        rows = [line.split("\t") for line in lines if line.count("\t") == 2]
        return {name: version for state, name, version in rows if state not in ("not-installed", "config-files")}

    def offered(self, names: list[str]) -> dict[str, list[str]]:
        """Name -> versions that the repositories have, newest first."""
        found: dict[str, list[str]] = {name: [] for name in names}
        if names:
            for line in self._run(["apt-cache", "madison", *names])[1].splitlines():
                cells = [cell.strip() for cell in line.split("|")]
                if len(cells) == 3 and not cells[2].endswith("Sources"):
                    found.setdefault(cells[0], []).append(cells[1])
        return {name: list(dict.fromkeys(versions)) for name, versions in found.items()}

    def install(self, names: list[str], version: str | None, branch: str | None) -> None:
        """Install packages, those with the driver's versions in that version, or the newest of the branch."""
        offered = self.offered(names)
        chosen = {name: choose(offered[name], version, branch) for name in names}
        specs = [f"{name}={chosen[name]}" if chosen[name] else name for name in names]
        output_of(self._run, [*_CHANGE, "install", *specs], f"installing {' '.join(names)}")

    def reinstall(self, names: list[str]) -> None:
        output_of(self._run, [*_CHANGE, "install", "--reinstall", *names], f"installing {' '.join(names)} again")

    def remove(self, names: list[str]) -> None:
        output_of(self._run, [*_CHANGE, "remove", *names], f"removing {' '.join(names)}")

    def purge(self, names: list[str]) -> None:
        """Remove packages with their configuration, and what came along with them and nobody needs any more."""
        before = self._superfluous()
        output_of(self._run, [*_CHANGE, "purge", *names], f"removing {' '.join(names)}")
        orphans = sorted(self._superfluous() - before)
        if orphans:
            output_of(self._run, [*_CHANGE, "purge", *orphans], f"removing {' '.join(orphans)}")

    def unhold(self, names: list[str]) -> None:
        output_of(self._run, ["apt-mark", "unhold", *names], f"letting go of {' '.join(names)}")

    def repair(self, remove: list[str]) -> None:
        """Take off what cannot be configured, and configure the rest."""
        if remove:
            self._take_off(remove)
        output_of(self._run, ["dpkg", "--configure", "--pending"], "configuring the packages that were left half done")
        output_of(self._run, [*_CHANGE, "--fix-broken", "install"], "repairing dependencies")

    def restore(self, before: dict[str, str]) -> list[str]:
        """Bring the packages back to what they were; sentences about what could not be."""
        now = self.installed()
        fresh = [name for name in now if name not in before]
        back = [f"{name}={version}" for name, version in before.items() if now.get(name) != version]
        problems = []
        if fresh or back:
            wanted = [*back, *(f"{name}-" for name in fresh)]
            status, out, err = self._run([*_CHANGE, "--purge", "install", *wanted])
            if status != 0:
                problems += self._restore_by_force(fresh, back, out + err)
        return problems + self.problems()

    def _restore_by_force(self, fresh: list[str], back: list[str], output: str) -> list[str]:
        self._take_off(fresh)
        self._run([*_CHANGE, "--fix-broken", "install"])
        if not back:
            return []
        if self._run([*_CHANGE, "install", *back])[0] == 0:
            return []
        why = " (the repositories do not have them any more)" if "was not found" in output else ""
        return [f"these could not be put back{why}: {' '.join(back)}"]

    def _take_off(self, names: list[str]) -> None:
        if names:
            self._run(["dpkg", "--purge", "--force-remove-reinstreq", "--force-depends", *names])

    def problems(self) -> list[str]:
        """Why apt would refuse to work, if it would."""
        audit = self._run(["dpkg", "--audit"])[1].strip()
        if audit:
            return [f"dpkg --audit still says: {audit}"]
        status, out, err = self._run([*_APT, "check"])
        return [] if status == 0 else [f"apt-get check still says: {(out + err).strip()}"]

    def _superfluous(self) -> set[str]:
        """What `apt-get autoremove` would take now."""
        status, out, _err = self._run(["apt-get", "--simulate", "--quiet", "autoremove"])
        if status != 0:
            raise DriverError("apt-get cannot say what is superfluous; `apt-get check` tells why")
        return {line.split()[1] for line in out.splitlines() if line.startswith("Remv ")}
