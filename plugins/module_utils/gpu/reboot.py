# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Whether the machine waits for a reboot, and why."""

from __future__ import annotations

import os
from typing import Any

from .roots import Roots, text


def reboot(roots: Roots, kernel: dict[str, Any], module: dict[str, Any]) -> dict[str, Any]:
    """{pending, reasons}: sentences."""
    reasons = []
    if any(os.path.exists(roots.path(place, "reboot-required")) for place in ("run", "var/run")):
        packages = sorted(set(text(roots.path("run/reboot-required.pkgs")).split()))
        reasons.append("packages ask for it" + (f": {', '.join(packages)}" if packages else ""))
    if kernel["newest"] and kernel["newest"] != kernel["running"]:
        reasons.append(f"the kernel {kernel['newest']} is installed, and {kernel['running']} runs")
    on_disk = module["on_disk"].get(kernel["running"], {})
    if module["loaded"] and on_disk and on_disk["version"] != module["loaded"]:
        reasons.append(f"the loaded module is {module['loaded']}, and {on_disk['version']} is on disk")
    return {"pending": bool(reasons), "reasons": reasons}
