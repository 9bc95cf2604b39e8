"""SSH keys: one for Ansible to enter with, one for each machine to be known by before it first boots."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.paths import STATE
from lab.run import capture

CLIENT_KEY = STATE / "id_ed25519"


def ensure_client_key() -> str:
    """The public half of the key that opens every machine of the lab."""
    return _ensure(CLIENT_KEY, "gpufleet-lab")


def host_key(lab: str, machine: str) -> Path:
    """Where a machine's own key lies; its public half is beside it."""
    return STATE / lab / "host_keys" / machine


def ensure_host_key(lab: str, machine: str) -> str:
    """The public half of the key by which the machine is known."""
    return _ensure(host_key(lab, machine), machine)


def known_hosts(addresses: dict[str, str]) -> str:
    """A known_hosts file: address -> public key."""
    lines = (f"{address} {' '.join(key.split()[:2])}\n" for address, key in sorted(addresses.items()))
    return "".join(lines)


def forget(lab: str) -> None:
    shutil.rmtree(STATE / lab / "host_keys", ignore_errors=True)


def _ensure(path: Path, comment: str) -> str:
    public = path.with_name(f"{path.name}.pub")
    if not (path.is_file() and public.is_file()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        capture(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
    return public.read_text().strip()
