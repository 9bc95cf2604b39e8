# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What can go wrong with a unit. Each message says which unit, what is wrong, what to do."""

from __future__ import annotations

from .state import UnitState


class UnitError(Exception):
    """The unit is not in the state that was asked for.

    Attributes:
        unit: the state in which it was seen to be so, where it was.
    """

    def __init__(self, message: str, unit: UnitState | None = None):
        super().__init__(message)
        self.unit = unit


class UnusableUnitError(UnitError):
    """systemd does not have it, or does not accept it: not found, masked, a bad setting."""


class CommandError(UnitError):
    """systemctl refused a command."""


class UnitFailedError(UnitError):
    """It ended, was killed, or does not come up."""


class ReloadFailedError(UnitError):
    """It goes on with its old configuration."""


class HealthError(UnitError):
    """Its health address can never answer, whatever the unit does."""


class NotReadyError(UnitError):
    """The time is up and it is neither ready nor failed."""
