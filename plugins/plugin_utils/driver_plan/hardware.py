"""Whether this driver can drive these devices, and with which kernel modules."""

from __future__ import annotations

from .machine import Machine, listed
from .wishes import Wishes

# Branch limits: facts of NVIDIA's releases. 580 is the last one for these generations, and the last before 590
# dropped them; 620 has no proprietary modules at all; 570 is the first that knows Blackwell.
LEGACY = ("maxwell", "pascal", "volta")
LEGACY_LAST = 580
OPEN_ONLY = ("blackwell", "rubin")
OPEN_ONLY_FIRST = 570
PROPRIETARY_GONE = 620
# B200 and B300 on SXM boards: their NVSwitches are reached through Mellanox devices.
NVSWITCH_HIDDEN = ("10de:2901", "10de:3182")
# No branch that is still maintained drives these.
EXTINCT = ("kepler",)


def flavour(machine: Machine, wishes: Wishes) -> str:
    """`open` or `proprietary`: the inventory's choice, else open unless a GPU needs the other or none are there."""
    if wishes.modules != "auto":
        return wishes.modules
    legacy = any(gpu.get("open_modules") is False for gpu in machine.gpus)
    return "proprietary" if legacy or not wishes.sets["open"] else "open"


def missing_gpus(machine: Machine, wishes: Wishes) -> str:
    """Why the number of GPUs is not what the inventory says, or nothing."""
    if wishes.gpus is None or len(machine.gpus) >= wishes.gpus:
        return ""
    found = f"only {listed(machine.gpus)}" if machine.gpus else "none"
    return (
        f"the inventory says {wishes.gpus} GPUs (gpufleet_gpus), and the PCI bus shows {found}; look at "
        "`lspci -d 10de:` and at the kernel's log for a GPU that has fallen off the bus, reseat or replace it, "
        "or correct gpufleet_gpus"
    )


def foreign_drivers(machine: Machine) -> str:
    """Which GPUs another driver keeps, or nothing. nouveau is none of these: it can be sent away."""
    passed = [gpu for gpu in machine.gpus if "vfio" in (gpu.get("driver") or "")]
    if passed:
        return (
            f"vfio-pci holds {listed(passed)} for virtual machines, so NVIDIA's driver cannot have it; take the device "
            "out of vfio-pci's ids (/etc/modprobe.d, kernel command line) and reboot, or take the host out of "
            "the group nvidia_driver and install the driver inside the guest"
        )
    others = [gpu for gpu in machine.gpus if gpu.get("driver") not in (None, "", "nvidia", "nouveau")]
    if others:
        names = ", ".join(sorted({gpu["driver"] for gpu in others}))
        return f"the driver {names} holds {listed(others)}; block it in /etc/modprobe.d, reboot and run again"
    return ""


def unsupported(machine: Machine, wishes: Wishes) -> str:
    """Why the wished branch and modules do not suit the GPUs, or nothing."""
    kind, branch = flavour(machine, wishes), wishes.branch
    extinct = [gpu for gpu in machine.gpus if gpu.get("architecture") in EXTINCT]
    if extinct:
        return f"{listed(extinct)} is too old: no maintained branch of the driver knows it; take the card out"
    legacy = [gpu for gpu in machine.gpus if gpu.get("open_modules") is False]
    modern = [gpu for gpu in machine.gpus if gpu.get("architecture") in OPEN_ONLY]
    if legacy and modern:
        return (
            f"{listed(legacy)} needs the proprietary modules and {listed(modern)} the open ones, and a host can have "
            "only one kind; put them into different hosts"
        )
    if legacy and branch and branch > LEGACY_LAST:
        return (
            f"{listed(legacy)} is {_generations(legacy)}, which the branch {LEGACY_LAST} was the last to support; "
            f'set nvidia_driver_branch: "{LEGACY_LAST}" for this host'
        )
    if legacy and kind == "open":
        return (
            f"{listed(legacy)} is {_generations(legacy)}, which the open modules do not support: they need Turing or "
            "newer; set nvidia_driver_modules: auto (or proprietary) for this host"
        )
    if kind == "proprietary" and branch and branch >= PROPRIETARY_GONE:
        return (
            f"the branch {branch} has no proprietary modules any more (removed in {PROPRIETARY_GONE}); "
            "set nvidia_driver_modules: auto, or a branch before it"
        )
    if modern and kind == "proprietary":
        return f"{listed(modern)} works with the open modules only; set nvidia_driver_modules: auto"
    if not wishes.sets[kind]:
        return (
            f"the source {wishes.source} has no {kind} modules for {machine.os_name}, and {listed(machine.gpus)} is to "
            "have them; choose another nvidia_driver_source, or other nvidia_driver_modules"
        )
    if modern and branch and branch < OPEN_ONLY_FIRST:
        return (
            f"{listed(modern)} is newer than the branch {branch}; "
            f'set nvidia_driver_branch: "{OPEN_ONLY_FIRST}", or a later one'
        )
    return ""


def _generations(gpus: list) -> str:
    return " and ".join(sorted({str(gpu.get("architecture")).capitalize() for gpu in gpus}))


def warnings(machine: Machine, wishes: Wishes) -> list[str]:
    """What is odd about the devices and yet no reason to stop."""
    said = []
    unknown = [gpu for gpu in machine.gpus if gpu.get("open_modules") is None]
    if unknown and wishes.modules == "auto":
        said.append(
            f"the generation of {listed(unknown)} is not known here; it is taken for a newer one, which gets the open "
            "modules. Set nvidia_driver_modules if that is wrong."
        )
    if wishes.gpus is not None and len(machine.gpus) > wishes.gpus:
        said.append(f"There are {len(machine.gpus)} GPUs, more than the {wishes.gpus} that gpufleet_gpus says.")
    if machine.switches and wishes.fabric_manager is False:
        said.append("This machine has NVSwitches, which need the fabric manager, and the inventory does not want it.")
    hidden = [gpu for gpu in machine.gpus if gpu.get("id") in NVSWITCH_HIDDEN]
    if len(hidden) > 1 and not machine.switches and wishes.fabric_manager is None:
        said.append(
            f"The NVSwitches of {hidden[0].get('name') or 'these GPUs'} do not show as NVIDIA's devices; on HGX boards "
            "set nvidia_driver_fabric_manager: true, in a virtual machine that gets single GPUs set it to false."
        )
    return said
