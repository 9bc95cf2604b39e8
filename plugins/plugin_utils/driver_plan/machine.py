"""The facts of one host, as the module gpu_facts returns them, read in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .versions import branch_of, upstream

# Whatever of NVIDIA's is not part of the driver has versions of its own: container toolkit, DCGM, CUDA. These two
# are part of it, and yet count in other ways (Ubuntu's prebuilt modules carry the kernel's version).
_ALSO = re.compile(r"nvidia-driver-pinning|linux-(modules|objects|signatures)-nvidia")
_KERNEL_SIDE = re.compile(r"dkms|kernel-(?!common)|^a?kmod-")


@dataclass(frozen=True)
class Machine:
    """A host. `packages` are only those of the driver: what carries one of its versions, and its branch pin."""

    facts: Mapping[str, Any]
    gpus: tuple[Mapping[str, Any], ...]
    switches: tuple[Mapping[str, Any], ...]
    packages: Mapping[str, str]

    def part(self, name: str) -> Mapping[str, Any]:
        return self.facts.get(name) or {}

    @property
    def running(self) -> str:
        return self.part("kernel").get("running") or ""

    @property
    def kernels(self) -> tuple[str, ...]:
        return tuple(self.part("kernel").get("installed") or ())

    @property
    def newest(self) -> str:
        """The kernel that the next boot takes."""
        return self.part("kernel").get("newest") or self.running

    def has_headers(self, kernel: str) -> bool:
        return bool((self.part("kernel").get("headers") or {}).get(kernel))

    @property
    def loaded(self) -> str | None:
        return self.part("module").get("loaded")

    @property
    def loaded_open(self) -> bool | None:
        return self.part("module").get("open")

    def on_disk(self, kernel: str) -> Mapping[str, Any]:
        return (self.part("module").get("on_disk") or {}).get(kernel) or {}

    @property
    def users(self) -> tuple[Mapping[str, Any], ...]:
        """Processes that hold the GPUs' device files."""
        return tuple(self.part("module").get("used_by") or ())

    @property
    def references(self) -> int:
        """References to the loaded modules that no known process explains, such as a console on the GPU."""
        return int(self.part("module").get("references") or 0)

    @property
    def version(self) -> str | None:
        """The version of the installed user space."""
        return upstream(self.part("userland").get("version"))

    @property
    def source(self) -> str | None:
        return self.part("userland").get("source")

    @property
    def kernel_packages(self) -> dict[str, str]:
        """NVIDIA's version of each package that brings or builds the kernel module."""
        sides = {name: upstream(version) for name, version in self.packages.items() if is_kernel_side(name)}
        return {name: version for name, version in sides.items() if version}

    @property
    def half_configured(self) -> tuple[str, ...]:
        return tuple(self.part("packages").get("half_configured") or ())

    def packaged(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that are installed."""
        installed = self.part("userland").get("packages") or {}
        return [name for name in names if name in installed]

    @property
    def secure_boot(self) -> bool | None:
        return self.facts.get("secure_boot")

    @property
    def os_name(self) -> str:
        system = self.part("os")
        return f"{system.get('id', 'this system')} {system.get('version', '')}".strip()


def read_machine(facts: Mapping[str, Any]) -> Machine:
    """The host whose facts these are. What facts lack counts as not there."""
    devices = facts.get("devices") or []
    packages = (facts.get("userland") or {}).get("packages") or {}
    return Machine(
        facts=facts,
        gpus=tuple(device for device in devices if device.get("kind") == "gpu"),
        switches=tuple(device for device in devices if device.get("kind") == "nvswitch"),
        packages={n: v for n, v in packages.items() if branch_of(v) or _ALSO.match(n)},
    )


def is_kernel_side(name: str) -> bool:
    """Whether a package brings or builds the kernel module."""
    return bool(_KERNEL_SIDE.search(name))


def called(gpu: Mapping[str, Any]) -> str:
    """A device in words: its address and its name, or its PCI id where the name is not known."""
    return f"{gpu.get('address', '?')} ({gpu.get('name') or gpu.get('id') or 'unknown'})"


def are(names: Iterable[str], singular: str = "is", plural: str = "are") -> str:
    """Names and the verb that goes with as many."""
    found = list(names)
    return f"{', '.join(found)} {singular if len(found) == 1 else plural}"


def listed(gpus: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(called(gpu) for gpu in gpus)
