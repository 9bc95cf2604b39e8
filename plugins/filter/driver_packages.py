"""Which of a host's packages are the NVIDIA driver's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plugin_utils.driver_plan.machine import read_machine


def driver_packages(facts: Mapping[str, Any]) -> list[str]:
    """The installed packages of the driver, with its branch pin, and none that merely belong to it such as DCGM."""
    return sorted(read_machine(facts).packages)


class FilterModule:
    """driver_packages."""

    def filters(self):
        return {"driver_packages": driver_packages}
