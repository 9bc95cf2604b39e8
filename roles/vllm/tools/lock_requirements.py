#!/usr/bin/env python3
"""Resolve one version of vLLM for one device into a requirement set locked by hash.

    lock_requirements.py VERSION cuda|cpu [--find-links FOLDER]

Writes files/requirements/<version>-<device>.txt from files/requirements/<device>.in (and <device>.overrides.txt).
Only metadata is read: no wheel is downloaded. The set holds wheels only, for one platform, so that nothing is ever
compiled on a host; it names no index, so that the same set installs from the publishers and from a mirror.
`--find-links` names a folder with wheels that the index does not have (for cpu: torch's CPU build).
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from empty_distribution import write_wheel

REQUIREMENTS = Path(__file__).resolve().parent.parent / "files" / "requirements"
PYTHON = "3.11"
# glibc 2.31: Debian 11, Ubuntu 20.04, RHEL 9 and newer.
PLATFORM = "x86_64-manylinux_2_31"


def resolve(version: str, device: str, find_links: list[str]) -> dict[str, Any]:
    """The resolution as uv's pylock document."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        wanted = work / "requirements.in"
        wanted.write_text((REQUIREMENTS / f"{device}.in").read_text().format(version=version))
        lock = work / "pylock.toml"
        command = ["uv", "pip", "compile", str(wanted), "--format", "pylock.toml", "-o", str(lock), "--quiet"]
        command += ["--python-version", PYTHON, "--python-platform", PLATFORM, "--only-binary", ":all:"]
        overrides = REQUIREMENTS / f"{device}.overrides.txt"
        if overrides.is_file():
            command += ["--overrides", str(overrides)]
        if device == "cpu":
            write_wheel("vllm", f"{version}+cpu.lab", work / "wheels")
            find_links = [*find_links, str(work / "wheels")]
        for links in find_links:
            command += ["--find-links", links]
        subprocess.run(command, check=True)
        return tomllib.loads(lock.read_text())


def lines(lock: Mapping[str, Any]) -> Iterator[str]:
    """The set in the format of requirement files, one package after the other, wheels' hashes sorted."""
    for package in sorted(lock["packages"], key=lambda package: package["name"]):
        hashes = sorted({wheel["hashes"]["sha256"] for wheel in package["wheels"]})
        pins = [f"    --hash=sha256:{digest}" for digest in hashes]
        yield " \\\n".join([f"{package['name']}=={package['version']}", *pins])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version")
    parser.add_argument("device", choices=["cuda", "cpu"])
    parser.add_argument("--find-links", action="append", default=[])
    wanted = parser.parse_args()
    lock = resolve(wanted.version, wanted.device, wanted.find_links)
    target = REQUIREMENTS / f"{wanted.version}-{wanted.device}.txt"
    header = [
        f"# vLLM {wanted.version} for {wanted.device}: wheels for CPython {PYTHON} on {PLATFORM}.",
        f"# Made by roles/vllm/tools/lock_requirements.py {wanted.version} {wanted.device}",
    ]
    target.write_text("\n".join([*header, *lines(lock)]) + "\n")
    print(f"{target}: {len(lock['packages'])} packages")


if __name__ == "__main__":
    main()
