"""podman with storage, networks and names of the lab's own: the user's containers are never seen nor touched."""

from __future__ import annotations

import contextlib
import json
import os
import resource
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import namespace
from lab.errors import CommandFailedError
from lab.files import write_atomically
from lab.paths import CHECKOUT, NETWORKS, RUN, STORAGE
from lab.progress import Step
from lab.run import capture, follow

_CGROUP = f"gpufleet-lab-{CHECKOUT}"
_CONFIG = RUN / "containers.conf"
# In place of the machine's own: nothing the user has set there may leak in. Locks in files, since those in shared
# memory are one set for all of a machine's podmans, and each frees the other's.
_SETTINGS = """\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "crun"
[network]
network_backend = "netavark"
"""


def podman(*words: str, stdin: bytes | None = None) -> str:
    """Run one podman command and return what it prints."""
    return capture(command(*words), stdin=stdin)


def podman_follow(step: Step, *words: str) -> None:
    """Run one podman command with its output as the step's moving line."""
    follow(command(*words), step)


def replace_process(*words: str) -> None:
    """Become this podman command; its exit status is ours."""
    argv = command(*words)
    os.execvp(argv[0], argv)  # noqa: S606 - no shell is wanted


def command(*words: str) -> list[str]:
    """The full command line of a podman command."""
    NETWORKS.mkdir(parents=True, exist_ok=True)
    if not _CONFIG.is_file():
        write_atomically(_CONFIG, _SETTINGS)
    options = [
        f"--root={STORAGE}",
        f"--runroot={RUN}/storage",
        f"--tmpdir={RUN}/tmp",  # noqa: S108 - ours alone
        f"--network-config-dir={NETWORKS}",
        "--storage-driver=overlay",
    ]
    return [*namespace.command_prefix(), "env", f"CONTAINERS_CONF={_CONFIG}", "podman", *options, *words]


def privileges() -> list[str]:
    """Options of every container: a control group of the lab's own, and no limit that needs CAP_SYS_RESOURCE.

    Limits stay within this machine's own. Without --privileged the runtime would raise one to filter devices.
    """
    return [
        f"--cgroup-parent=/{_CGROUP}",
        "--privileged",
        "--pids-limit=-1",
        *(f"--ulimit={name}={hard}:{hard}" for name, hard in _hard_limits()),
    ]


def _hard_limits() -> Iterator[tuple[str, int]]:
    most = {
        "nofile": (resource.RLIMIT_NOFILE, 1048576),
        # podman itself lowers this one to the number of process ids that there are.
        "nproc": (resource.RLIMIT_NPROC, int(Path("/proc/sys/kernel/pid_max").read_text())),
    }
    for name, (number, ceiling) in most.items():
        hard = resource.getrlimit(number)[1]
        yield name, ceiling if hard == resource.RLIM_INFINITY else min(hard, ceiling)


@dataclass(frozen=True)
class Container:
    """A container that is there, in whatever state."""

    name: str
    state: str
    image: str
    labels: Mapping[str, str]

    @property
    def runs(self) -> bool:
        return self.state == "running"


def containers(label: str) -> dict[str, Container]:
    """The containers that bear a label (`key` or `key=value`), by name."""
    if not STORAGE.is_dir():
        return {}
    listed = json.loads(podman("ps", "--all", "--filter", f"label={label}", "--format=json") or "[]")
    found = (Container(one["Names"][0], one["State"], one["Image"], one["Labels"]) for one in listed)
    return {container.name: container for container in found}


def let_go() -> None:
    """Undo what podman mounted for itself, and the control groups that it leaves empty."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for path in reversed(mounted):
        if Path(path).is_relative_to(STORAGE) or Path(path).is_relative_to(RUN / "storage"):
            capture(["umount", path])
    find = ["find", "/sys/fs/cgroup", "-maxdepth", "1", "-name", _CGROUP, "-exec", "find", "{}"]
    capture([*namespace.command_prefix(), *find, "-depth", "-type", "d", "-delete", ";"])


def image_exists(tag: str) -> bool:
    try:
        podman("image", "exists", tag)
    except CommandFailedError as error:
        if error.status == 1:
            return False
        raise
    return True


def remove_older_images(tag: str) -> None:
    """Remove what the image `tag` takes the place of, except images that some container still runs on."""
    name = tag.rsplit(":", 1)[0]
    listed = podman("images", "--filter", f"reference={name}", "--format={{.Repository}}:{{.Tag}}").split()
    for older in set(listed) - {tag}:
        with contextlib.suppress(CommandFailedError):
            podman("image", "rm", older)


def remove_containers(names: list[str]) -> None:
    """Stop and remove containers, however they are."""
    if names:
        podman("rm", "--force", "--time=5", "--ignore", *names)
