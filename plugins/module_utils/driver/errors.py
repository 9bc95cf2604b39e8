# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What can go wrong while a driver is installed."""

from __future__ import annotations


class DriverError(Exception):
    """The text says what failed and what to do."""


class CommandError(DriverError):
    """A program failed; `output` is all that it said."""

    def __init__(self, text: str, output: str = "") -> None:
        super().__init__(text)
        self.output = output


class BuildError(DriverError):
    """A kernel module could not be built."""
