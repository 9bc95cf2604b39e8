# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What can go wrong with a virtual environment, one class per kind. The text is what the operator reads."""

from __future__ import annotations


class VenvError(Exception):
    """Base of all."""


class BadRequestError(VenvError):
    """An option cannot be used as it stands."""


class BuildError(VenvError):
    """The build ended without a complete environment."""

    def __init__(self, message: str, log: list[str]) -> None:
        super().__init__(message)
        self.log = log
