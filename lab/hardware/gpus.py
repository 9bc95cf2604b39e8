"""The `gpus` of a machine in a machines file, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.hardware.cards import CARDS

MOST_GPUS = 8
MOST_NVSWITCHES = 6

_NUMBERS = {"count": (1, MOST_GPUS), "nvswitch": (0, MOST_NVSWITCHES)}
_SWITCHES = ("nouveau", "kernel")
_EXAMPLE = "{model: a100-80gb, count: 2}"


@dataclass(frozen=True)
class Gpus:
    """NVIDIA's cards of one machine.

    `nouveau`: its kernel brings nouveau, which takes the cards at boot until it is blocked.
    `kernel`: the kernel that runs lies in /lib/modules and /boot, as on any host.
    """

    model: str
    count: int
    nvswitch: int = 0
    nouveau: bool = False
    kernel: bool = True


def problems(gpus: Any, where: str) -> Iterable[str]:
    """What is wrong with `gpus`, one line each, with what to write."""
    if not isinstance(gpus, Mapping):
        yield f"{where}: must be a mapping such as {_EXAMPLE}, not {gpus!r}"
        return
    known = {"model", *_NUMBERS, *_SWITCHES}
    for key in gpus:
        if key not in known:
            yield f"{where}: unknown key {key!r}; known are {', '.join(sorted(known))}"
    if gpus.get("model") not in CARDS:
        yield f"{where}: model: must be one of {', '.join(CARDS)}, not {gpus.get('model')!r}"
    for key, (least, most) in _NUMBERS.items():
        value = gpus.get(key, None if key == "count" else 0)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            yield f"{where}: {key}: must be a number from {least} to {most}, not {value!r}"
    for key in _SWITCHES:
        if not isinstance(gpus.get(key, False), bool):
            yield f"{where}: {key}: must be true or false, not {gpus[key]!r}"
