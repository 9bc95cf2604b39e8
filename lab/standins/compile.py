#!/usr/bin/python3
"""Stands in for make and gcc where DKMS builds NVIDIA's modules on a machine of the lab.

compile.py RELEASE VERSION LICENSE     writes the modules for the kernel RELEASE into the folder it is run in.
Where a file `error` lies beside it, that is what the compiler says, and the build fails. Lies beside elf.py.
"""

import os
import sys
from pathlib import Path

from elf import kernel_object

MODULES = {
    "nvidia": [],
    "nvidia-uvm": ["nvidia"],
    "nvidia-modeset": ["nvidia"],
    "nvidia-drm": ["nvidia-modeset"],
    "nvidia-peermem": ["nvidia"],
}


def main(release, version, license_):
    here = Path.cwd()
    headers = Path("/lib/modules", release, "build").resolve()
    print(f"make[1]: Entering directory '{headers}'")
    if (here / "error").is_file():
        print((here / "error").read_text().format(build=here, headers=headers), end="")
        return 2
    for name, needed in MODULES.items():
        print(f"  LD [M]  {here}/{name}.ko")
        info = {"version": version, "license": license_, "depends": ",".join(needed)}
        info["alias"] = "pci:v000010DEd*sv*sd*bc03sc02i00*" if name == "nvidia" else ""
        info = {key: value for key, value in info.items() if value or key == "depends"}
        Path(f"{name}.ko").write_bytes(kernel_object(name, info, release, os.uname().machine))
    print(f"make[1]: Leaving directory '{headers}'")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
