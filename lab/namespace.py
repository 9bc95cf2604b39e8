"""A mount namespace in which containers can run.

The container runtime wants pure cgroup v2. Where the machine has a hybrid layout, podman runs in a mount namespace of
its own that sees a fresh cgroup2 mount, and the machine's own stays as it is. Containers outlive a command only if
every podman call enters the same namespace, so it is bound to a file.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from lab.errors import CommandFailedError
from lab.paths import RUN
from lab.run import capture

_FOLDER = RUN / "namespace"
_FILE = _FOLDER / "mnt"
_MAKE_CGROUP2 = "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup"


def command_prefix() -> list[str]:
    """What to put before a command so that it runs where containers can."""
    if _filesystem_at("/sys/fs/cgroup") == "cgroup2":
        return []
    if not _is_bound():
        _bind()
    return ["nsenter", f"--mount={_FILE}", "--"]


def remove() -> None:
    """Let go of the namespace; the kernel drops it with the last process in it."""
    for path in (_FILE, _FOLDER):
        with contextlib.suppress(CommandFailedError):
            capture(["umount", str(path)])
    _FILE.unlink(missing_ok=True)
    if _FOLDER.is_dir():
        _FOLDER.rmdir()


def _filesystem_at(path: str) -> str | None:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mounted, kind, *_ = line.split()
        if mounted == path:
            return kind
    return None


def _is_bound() -> bool:
    return _filesystem_at(str(_FILE)) == "nsfs"


def _bind() -> None:
    remove()
    _FOLDER.mkdir(parents=True)
    # A namespace can only be bound below a mount that is not shared with others.
    capture(["mount", "--bind", str(_FOLDER), str(_FOLDER)])
    capture(["mount", "--make-private", str(_FOLDER)])
    _FILE.touch()
    capture(["unshare", f"--mount={_FILE}", "--propagation=private", "sh", "-c", _MAKE_CGROUP2])
