#!/usr/bin/python3
"""Stands in for DCGM's nv-hostengine: tells the stand-in exporter which GPUs there are, and holds the driver's node.

Packed as /usr/bin/nv-hostengine, with the flags of the vendor's unit: -n (stay in the foreground) and
--service-account. -b and -p say where to listen, as upstream's do. What it sends is no protocol of DCGM's: one line of
JSON, the driver's version and the information file of each GPU by its PCI address; then it waits until the other side
goes away. DCGM_LAB_ROOT puts another root before /proc and /sys.
"""

import argparse
import json
import os
import socketserver
import sys
from pathlib import Path

ROOT = Path(os.environ.get("DCGM_LAB_ROOT", "/"))


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def machine():
    """The driver's version (empty while none is loaded), and address -> information of each GPU."""
    driver = read(ROOT / "sys/module/nvidia/version").strip()
    folder, pci = ROOT / "proc/driver/nvidia/gpus", ROOT / "sys/bus/pci/devices"
    addresses = [child.name for child in folder.iterdir()] if driver and folder.is_dir() else []
    here = [address for address in addresses if not pci.is_dir() or (pci / address).exists()]
    return driver, {address: read(folder / address / "information") for address in here}


class Conversation(socketserver.BaseRequestHandler):
    """Says what there is and waits until the other side closes the connection."""

    def handle(self):
        self.request.sendall(json.dumps(machine()).encode() + b"\n")
        while self.request.recv(4096):
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main(arguments):
    parser = argparse.ArgumentParser(prog="nv-hostengine")
    parser.add_argument("-n", action="store_true")
    parser.add_argument("-b", "--bind-interface", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int, default=5555)
    parser.add_argument("--service-account")
    told = parser.parse_args(arguments)
    node = ROOT / "dev/nvidiactl"
    # Held open as NVML does, so that the module cannot be unloaded meanwhile.
    device = node.open("rb", buffering=0) if node.exists() else None
    with Server((told.bind_interface, told.port), Conversation) as server:
        print(f"Host Engine Listener Started on {told.bind_interface}:{told.port}", flush=True)
        server.serve_forever()
    if device:
        device.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
