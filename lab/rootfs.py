"""The recipe of a machine's root file system. Whatever is changed here makes new images: their key is this file."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from lab.apt import debian_source
from lab.paths import LAB_CACHE
from lab.progress import Step
from lab.run import follow

# A minimal server as a hoster hands it out, no more: what a role needs, it has to bring.
PACKAGES = [
    "adduser",
    "ca-certificates",
    "cron",
    "dbus",
    "gnupg",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "libpam-systemd",
    "logrotate",
    "netbase",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
    "tzdata",
]

# Units that would change the kernel of the machine that the lab runs on, fail for want of one of their own, or hold
# apt's lock at some hour of their own choice.
MASKED = [
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dev-hugepages.mount",
    "e2scrub_all.timer",
    "getty.target",
    "proc-sys-fs-binfmt_misc.automount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-binfmt.service",
    "systemd-journald-audit.socket",
    "systemd-modules-load.service",
    "systemd-sysctl.service",
    "systemd-udevd.service",
]


def key(suite: str) -> str:
    """Changes whenever the recipe does."""
    return hashlib.sha256(f"{suite}\n{Path(__file__).read_text()}".encode()).hexdigest()[:12]


def make(suite: str, root: Path, step: Step) -> None:
    """Lay the root file system under `root`."""
    debs = LAB_CACHE / "debs" / suite
    debs.mkdir(parents=True, exist_ok=True)
    options = ["--variant=minbase", f"--include={','.join(PACKAGES)}", f"--cache-dir={debs}"]
    # Nobody needs this root file system to survive a power cut: dpkg need not wait for the disk after each file.
    settings = root / "etc/dpkg/dpkg.cfg.d/unsafe-io"
    settings.parent.mkdir(parents=True)
    settings.write_text("force-unsafe-io\n")
    # In namespaces of its own: what debootstrap mounts and starts below `root` ends with this command, even if killed.
    dying_with_us = ["setpriv", "--pdeathsig=KILL", "--"]
    alone = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc"]
    follow([*dying_with_us, *alone, "debootstrap", *options, suite, str(root), debian_source()], step)
    step.at("tidying up")
    settings.unlink()
    _blank(root)


def _blank(root: Path) -> None:
    """Take off what each machine must have of its own, and what the building left."""
    for pattern in ("etc/ssh/ssh_host_*", "etc/apt/sources.list", "var/log/bootstrap.log", "var/cache/apt/*.bin"):
        for path in root.glob(pattern):
            path.unlink()
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(root / folder)
        (root / folder / "partial").mkdir(parents=True)
    (root / "etc/machine-id").write_text("")
    (root / "etc/resolv.conf").write_text("# A network with no way out has no name server.\n")
    for unit in MASKED:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
