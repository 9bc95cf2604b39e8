# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What can go wrong with a model's files, one class per kind. The text is what the operator reads."""

from __future__ import annotations


class ModelError(Exception):
    """Base of all."""


class BadRequestError(ModelError):
    """An option cannot be used as it stands."""


class FetchError(ModelError):
    """A file did not come, and trying again will not help."""


class WrongDigestError(ModelError):
    """A file came whole, and is not the one that was locked."""
