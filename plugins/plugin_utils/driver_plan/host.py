"""Whether the host lets a driver be installed at all."""

from __future__ import annotations

from .kernels import Kernels
from .machine import Machine
from .wishes import Wishes


def container(machine: Machine) -> str:
    """Why there is no kernel to install a module for, or nothing."""
    if machine.kernels:
        return ""
    return (
        f"no kernel is installed here (the one that runs is {machine.running or 'unknown'}), so this is a container: "
        "its host must have the driver; put that host into the group nvidia_driver and take this one out"
    )


def runfile(machine: Machine) -> str:
    """Why packages cannot be installed over NVIDIA's own installer, or nothing."""
    if machine.source != "runfile":
        return ""
    return (
        f"the driver {machine.version or ''} was installed by NVIDIA's .run installer, which packages cannot replace; "
        "`/usr/bin/nvidia-uninstall --silent`, reboot and run again"
    ).replace("driver  was", "driver was")


def secure_boot(machine: Machine, wishes: Wishes, kernels: Kernels, will_load: bool) -> str:
    """Why the kernel would refuse the module, with the way out, or nothing.

    Args:
        will_load: whether the module has still to be loaded, now or by the next boot.
    """
    if not machine.secure_boot or not (kernels.build or will_load):
        return ""
    if wishes.signed_modules or _key(machine).get("dkms_key_enrolled"):
        return ""
    signed = all(machine.on_disk(kernel).get("signed") for kernel in kernels.serve)
    if not kernels.build and signed and _key(machine).get("dkms_key_enrolled") is None:
        return ""
    return "Secure Boot is on, and the kernel would refuse a module that is built here. " + _way_out(machine)


def _key(machine: Machine) -> dict:
    return dict(machine.part("mok"))


def _way_out(machine: Machine) -> str:
    ubuntu = machine.part("os").get("id") == "ubuntu"
    known = _key(machine).get("dkms_key")
    key = known or ("/var/lib/shim-signed/mok/MOK.der" if ubuntu else "/var/lib/dkms/mok.pub")
    make = "`update-secureboot-policy --new-key`" if ubuntu else "`dkms generate_mok`"
    steps = [
        *([] if known else [f"install dkms and make its key ({make})"]),
        f"`mokutil --import {key}` with a one-time password",
        "reboot, and on the console choose Enroll MOK and give that password",
        "run again",
    ]
    signed = "nvidia_driver_source: distribution (its modules are signed), or " if ubuntu else ""
    numbered = "; ".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    return f"Set {signed}enrol the key that DKMS signs with: {numbered}." if signed else f"Enrol its key: {numbered}."


def warnings(machine: Machine) -> list[str]:
    """What is odd about the host and yet no reason to stop."""
    said = []
    if machine.secure_boot is None:
        said.append("Whether Secure Boot is on is not known; if it is, the kernel will refuse unsigned modules.")
    strays = [kernel for kernel in machine.kernels if machine.on_disk(kernel)]
    if strays and not machine.packages and machine.source is None:
        said.append(
            f"No package brought the nvidia module below /lib/modules/{strays[0]}; one built by hand or by a driver "
            "container may win over the one that is installed now."
        )
    if machine.packages and machine.source is None:
        said.append("Where the driver packages come from is not known; they are taken for the wished source's.")
    return said
