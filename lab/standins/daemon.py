#!/usr/bin/python3
"""Stands in for nvidia-persistenced and nv-fabricmanager: keeps the driver's device files open, as they do.

Like them it goes to the background, and fails where there is no driver, or none of its own version.
"""

import os
import signal
import sys
import time
from pathlib import Path

VERSION = "@VERSION@"
NAME = Path(sys.argv[0]).name
DEVICES = {"nvidia-persistenced": "nvidia[0-9]*", "nv-fabricmanager": "nvidia-nvswitch[0-9]*"}
FOLDER = Path("/run/nvidia-persistenced" if NAME == "nvidia-persistenced" else "/run/nvidia-fabricmanager")


def fail(text):
    print(f"{NAME}: {text}", file=sys.stderr)
    sys.exit(1)


def opened():
    """Handles on the devices, or the end."""
    loaded = Path("/sys/module/nvidia/version")
    if not loaded.is_file():
        fail("Failed to query NVIDIA devices. Please ensure that the NVIDIA device files (/dev/nvidia*) exist.")
    if NAME == "nv-fabricmanager" and loaded.read_text().strip() != VERSION:
        fail(
            f"fabric manager NVIDIA GPU driver interface version {VERSION} don't match with driver version "
            f"{loaded.read_text().strip()}. Please update with matching NVIDIA driver package."
        )
    nodes = sorted(Path("/dev").glob(DEVICES[NAME]))
    if not nodes:
        fail("NVIDIA devices were not found, nothing to manage.")
    return [node.open("rb") for node in [Path("/dev/nvidiactl"), *nodes]]


def main():
    handles = opened()
    FOLDER.mkdir(exist_ok=True)
    if os.fork():
        os._exit(0)
    os.setsid()
    (FOLDER / f"{NAME}.pid").write_text(f"{os.getpid()}\n")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"Started ({os.getpid()})", flush=True)
    while handles:
        time.sleep(3600)


if __name__ == "__main__":
    main()
