"""A throw-away container of a blank machine's image, in which something is made or tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab import podman
from lab.progress import Step

_NAME = "gpufleet-workbench"


@contextmanager
def finished(image: str, step: Step, script: str, put: Mapping[str, Path]) -> Iterator[str]:
    """The name of a container, without a network, in which the shell script `script` ran to its good end.

    `put` is laid into it first (path in it -> file or folder here). It is gone when the block ends.
    """
    podman.remove_containers([_NAME])
    options = [f"--name={_NAME}", "--label=gpufleet=workbench", "--network=none", "--log-driver=none"]
    podman.podman("create", *options, *podman.privileges(), image, "sh", "-euc", script)
    try:
        for target, source in put.items():
            podman.podman("cp", str(source), f"{_NAME}:{target}")
        podman.podman_follow(step, "start", "--attach", _NAME)
        yield _NAME
    finally:
        podman.remove_containers([_NAME])
