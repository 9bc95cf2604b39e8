# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What kind of host this is."""

from __future__ import annotations

import platform
import re
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Iterable, Mapping


@dataclass(frozen=True)
class Host:
    """`systemd` is 0 where another init runs; `os_like` are the distributions that os-release says it resembles."""

    architecture: str
    os_id: str
    os_version: str
    os_like: tuple[str, ...]
    systemd: int
    python: str
    memory_mb: int

    def facts(self) -> dict[str, Any]:
        return {**asdict(self), "os_like": list(self.os_like)}


def read_host(systemctl_version: str, root: Path = Path("/")) -> Host:
    """This host.

    Args:
        systemctl_version: what `systemctl --version` prints; empty where there is none.
    """
    release = os_release(root)
    booted = (root / "run/systemd/system").is_dir()
    return Host(
        architecture=platform.machine(),
        os_id=release.get("ID", "unknown"),
        os_version=release.get("VERSION_ID", ""),
        os_like=tuple(release.get("ID_LIKE", "").split()),
        systemd=systemd_version(systemctl_version) if booted else 0,
        python=".".join(map(str, sys.version_info[:3])),
        memory_mb=memory_mb(root),
    )


def os_release(root: Path = Path("/")) -> dict[str, str]:
    """The assignments of os-release(5)."""
    for place in ("etc/os-release", "usr/lib/os-release"):
        try:
            lines = (root / place).read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return {
            key.strip(): "".join(shlex.split(value)) if "'" in value or '"' in value else value for key, value in pairs
        }
    return {}


def systemd_version(text: str) -> int:
    """The number from `systemd 252 (252.39-1~deb12u2)`."""
    found = re.match(r"systemd (\d+)", text)
    return int(found.group(1)) if found else 0


def memory_mb(root: Path = Path("/")) -> int:
    """Memory of the host in MiB."""
    found = re.search(r"^MemTotal:\s+(\d+) kB", (root / "proc/meminfo").read_text(), re.MULTILINE)
    return int(found.group(1)) // 1024 if found else 0


def host_problems(
    host: Host,
    architectures: Iterable[str],
    systems: Iterable[Mapping[str, Any]],
    systemd_min_version: int,
    memory_needed: int,
) -> list[str]:
    """What is wrong with the host as such."""
    problems = []
    known = list(architectures)
    if known and host.architecture not in known:
        problems.append(f"its architecture is {host.architecture}; supported: {', '.join(known)}")
    wanted = list(systems)
    if wanted and not any(_matches(host, system) for system in wanted):
        supported = "; ".join(f"{s['distribution']} {', '.join(map(str, s['versions']))}".strip() for s in wanted)
        problems.append(f"it runs {host.os_id} {host.os_version}; supported: {supported}")
    if not host.systemd:
        problems.append("it was not booted with systemd, which runs the service; containers need it as their init")
    elif host.systemd < systemd_min_version:
        problems.append(f"systemd is {host.systemd}; {systemd_min_version} or newer is needed: upgrade the system")
    if host.memory_mb < memory_needed:
        problems.append(f"it has {host.memory_mb} MiB of memory; {memory_needed} are needed")
    return problems


def _matches(host: Host, system: Mapping[str, Any]) -> bool:
    if system["distribution"] not in (host.os_id, *host.os_like):
        return False
    # "9" means every 9.x.
    return not system["versions"] or any(
        host.os_version == str(version) or host.os_version.startswith(f"{version}.") for version in system["versions"]
    )
