"""What the lab needs from the machine it runs on; on Debian and Ubuntu it installs what is missing."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError
from lab.files import write_atomically
from lab.progress import step
from lab.run import follow

# Package -> the programs or files by which it is known to be there.
NEEDED = {
    "createrepo-c": ["createrepo_c", "modifyrepo_c"],
    "crun": ["crun"],
    "debian-archive-keyring": ["/usr/share/keyrings/debian-archive-keyring.gpg"],
    "debootstrap": ["debootstrap"],
    "gpg": ["gpg"],
    "gpg-agent": ["gpg-agent"],
    "gpgconf": ["gpgconf"],
    "iproute2": ["ip"],
    "iptables": ["iptables"],
    "netavark": ["/usr/lib/podman/netavark"],
    "nftables": ["nft"],
    "openssh-client": ["ssh", "ssh-keygen"],
    "podman": ["podman"],
    "rpm": ["rpmbuild", "rpmsign"],
    "tar": ["tar"],
    "util-linux": ["nsenter", "unshare"],
}

_POLICY = Path("/usr/sbin/policy-rc.d")


def missing() -> list[str]:
    """The packages of which something is not there."""
    return [package for package, signs in NEEDED.items() if not all(_is_there(sign) for sign in signs)]


def ensure() -> None:
    """Return when machines can be made here, or say in one line what is missing."""
    if os.geteuid() != 0:
        raise LabError("only root can make machines with systemd: run this command as root")
    packages = missing()
    if not packages:
        return
    like = platform.freedesktop_os_release()
    if "debian" not in (like.get("ID"), *like.get("ID_LIKE", "").split()):
        raise LabError(f"missing on this machine, which is neither Debian nor Ubuntu: {', '.join(packages)}")
    with step(f"Installing {', '.join(packages)}") as current, _no_services():
        follow(["apt-get", "update"], current)
        options = ["--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
        follow(["apt-get", "install", *options, *packages], current, env={"DEBIAN_FRONTEND": "noninteractive"})
    if still := missing():
        raise LabError(f"installed, and yet not to be found on this machine: {', '.join(still)}")


def _is_there(sign: str) -> bool:
    return Path(sign).exists() if sign.startswith("/") else shutil.which(sign) is not None


@contextmanager
def _no_services() -> Iterator[None]:
    """While packages are installed, none of their services is started: Debian's packages ask this file."""
    if _POLICY.exists():
        yield
        return
    write_atomically(_POLICY, "#!/bin/sh\nexit 101\n", mode=0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)
