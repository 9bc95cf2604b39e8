"""For which kernels the module must be there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .machine import Machine
from .wishes import Wishes


@dataclass(frozen=True)
class Kernels:
    """`serve` are those that have or get the module, `build` those of them that lack it, `headers` those of `build`
    whose headers must be installed first. `stranded` is the newest kernel if it cannot be served.
    """

    serve: tuple[str, ...]
    build: tuple[str, ...]
    headers: tuple[str, ...]
    stranded: str
    refused: str

    @property
    def warnings(self) -> list[str]:
        if not self.stranded or self.refused:
            return []
        return [
            f"The kernel {self.stranded} will run after the next reboot, and there are no headers to build its module: "
            "install them before that, or the GPUs will be without driver."
        ]


def choose(machine: Machine, wishes: Wishes, ready: Callable[[str], bool]) -> Kernels:
    """The running kernel and the one that the next boot takes, as far as a module for them exists or can be built.

    Args:
        ready: whether a kernel has the right module on disk, and will keep it.
    """

    both = tuple(dict.fromkeys([machine.running, machine.newest]))
    # Of prebuilt modules an archive may have only the newest kernel's.
    prebuilt_later = not wishes.builds and ready(machine.newest)

    def possible(kernel: str) -> bool:
        if kernel not in machine.kernels or ready(kernel):
            return kernel in machine.kernels
        if not wishes.builds:
            return not prebuilt_later
        offered = wishes.headers_offered
        return machine.has_headers(kernel) or offered is None or kernel in offered

    serve = tuple(kernel for kernel in both if possible(kernel))
    build = tuple(kernel for kernel in serve if not ready(kernel))
    headers = tuple(kernel for kernel in build if wishes.builds and not machine.has_headers(kernel))
    stranded = machine.newest if machine.newest not in serve else ""
    return Kernels(serve, build, headers, stranded, "" if serve else _refusal(machine, both))


def _refusal(machine: Machine, both: tuple[str, ...]) -> str:
    return (
        f"neither installed nor offered by the package sources are the headers of {' or '.join(both)}, and without "
        "them no module can be built; install a kernel that is still offered together with its headers "
        f"({_kernel_packages(machine)}), reboot and run again"
    )


def _kernel_packages(machine: Machine) -> str:
    if machine.part("packages").get("manager") == "dnf":
        return "`dnf upgrade kernel kernel-devel`"
    if machine.part("os").get("id") == "ubuntu":
        return "`apt-get install linux-generic`"
    flavour = machine.running.rsplit("-", 2)
    tail = "cloud-amd64" if "cloud" in flavour else "amd64" if machine.running.endswith("amd64") else "arm64"
    return f"`apt-get install linux-image-{tail} linux-headers-{tail}`"
