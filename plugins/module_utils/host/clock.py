# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Whether the host's clock can be right."""

from __future__ import annotations


def clock_problem(now: float, reference: float | None, most_skew: float) -> str | None:
    """Why `now` (seconds since the epoch) is wrong by more than `most_skew` against `reference`, or None."""
    if reference is None or abs(now - reference) <= most_skew:
        return None
    where = "ahead" if now > reference else "behind"
    return (
        f"its clock is {abs(now - reference):.0f} s {where}; certificates and metrics need the right time: "
        "`timedatectl set-ntp true`, then check `timedatectl`"
    )
