#!/usr/bin/python3
"""Stands in for nvidia-smi: answers from what the stand-in driver shows, and fails with the real one's words.

nvidia-smi, nvidia-smi -L, nvidia-smi --query-gpu=FIELD,... --format=csv[,noheader][,nounits] [-i INDEX|UUID|BUS]
"""

import json
import os
import sys
from pathlib import Path

VERSION = "@VERSION@"
ROOT = Path(os.environ.get("NVIDIA_SMI_ROOT", "/"))

NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n"
)
MISMATCH = f"Failed to initialize NVML: Driver/library version mismatch\nNVML library version: {VERSION}"


def gpus():
    """The cards that the driver has, in the order of the bus."""
    found = []
    for folder in sorted((ROOT / "proc/driver/nvidia/gpus").glob("*")):
        device = ROOT / "sys/bus/pci/devices" / folder.name
        if not (device / "rom").is_file():
            continue
        rom = json.loads((device / "rom").read_text())
        address = folder.name.upper().rjust(16, "0")
        ids = [int((device / name).read_text(), 16) for name in ("device", "vendor")]
        found.append(
            {
                "index": (str(len(found)), ""),
                "count": ("", ""),
                "name": (rom["name"], ""),
                "uuid": (rom["uuid"], ""),
                "gpu_uuid": (rom["uuid"], ""),
                "serial": ("[N/A]", ""),
                "pci.bus_id": (address, ""),
                "gpu_bus_id": (address, ""),
                "pci.device_id": (f"0x{ids[0]:04X}{ids[1]:04X}", ""),
                "driver_version": (VERSION, ""),
                "vbios_version": (rom["vbios"], ""),
                "memory.total": (str(rom["memory_mib"]), "MiB"),
                "memory.reserved": ("500", "MiB"),
                "memory.used": ("4", "MiB"),
                "memory.free": (str(rom["memory_mib"] - 504), "MiB"),
                "utilization.gpu": ("0", "%"),
                "utilization.memory": ("0", "%"),
                "temperature.gpu": ("34", ""),
                "power.draw": (f"{rom['power_w'] / 8:.2f}", "W"),
                "power.limit": (f"{rom['power_w']:.2f}", "W"),
                "pstate": ("P0", ""),
                "persistence_mode": ("Enabled" if (ROOT / "run/nvidia-persistenced").is_dir() else "Disabled", ""),
                "mig.mode.current": ("[N/A]", ""),
                "ecc.mode.current": ("[N/A]", ""),
            }
        )
    for gpu in found:
        gpu["count"] = (str(len(found)), "")
    return found


def query(fields, options, chosen):
    """The lines of --query-gpu, or None where a field is not known."""
    unknown = [field for field in fields if chosen and field not in chosen[0]]
    if unknown:
        print(f'Field "{unknown[0]}" is not a valid field to query.\n')
        return 2
    if "noheader" not in options:
        heads = [(field, chosen[0][field][1]) for field in fields] if chosen else []
        print(", ".join(f"{field} [{unit}]" if unit else field for field, unit in heads))
    for gpu in chosen:
        values = (gpu[field] for field in fields)
        print(", ".join(f"{value} {unit}" if unit and "nounits" not in options else value for value, unit in values))
    return 0


def table(found):
    """A summary; people look at it, programs use --query-gpu."""
    line = "+-----------------------------------------------------------------------------------------+"
    head = f"NVIDIA-SMI {VERSION:<22} Driver Version: {VERSION:<14} (stand-in of the lab)"
    print(f"{line}\n| {head:<87} |\n{line}")
    for gpu in found:
        name, address, memory = gpu["name"][0], gpu["pci.bus_id"][0], gpu["memory.total"][0]
        print(f"| {gpu['index'][0]:>3}  {name:<38} {address}  {'4MiB / ' + memory + 'MiB':>20}      |")
    print(line)


def main(arguments):
    loaded = ROOT / "sys/module/nvidia/version"
    if not loaded.is_file():
        print(NO_DRIVER)
        return 9
    if loaded.read_text().strip() != VERSION:
        print(MISMATCH)
        return 18
    options, found = {}, gpus()
    words = [part for word in arguments for part in word.split("=", 1)]
    while words:
        word = words.pop(0)
        if word in ("-L", "--list-gpus"):
            options["list"] = ""
        elif word in ("--query-gpu", "--format", "-i", "--id") and words:
            options[word.replace("--id", "-i").lstrip("-")] = words.pop(0)
        else:
            print(f"Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n\n{word}")
            return 1
    if "i" in options:
        found = [gpu for gpu in found if options["i"] in (gpu[key][0] for key in ("index", "uuid", "pci.bus_id"))]
    if not found:
        print("No devices were found")
        return 6
    if "query-gpu" in options:
        wanted = options.get("format", "").split(",")
        if "csv" not in wanted:
            print("\"--format=\" switch is missing. Please run 'nvidia-smi -h' for help.\n")
            return 1
        return query(options["query-gpu"].split(","), wanted, found)
    if "list" in options:
        for gpu in found:
            print(f"GPU {gpu['index'][0]}: {gpu['name'][0]} (UUID: {gpu['uuid'][0]})")
    else:
        table(found)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
