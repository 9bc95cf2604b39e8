# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What can keep a set of configuration files from landing. Each message names the path, what is wrong, what to do."""

from __future__ import annotations


class ConfigFilesError(Exception):
    """The set did not land; the files on the host are what they were before."""


class RequestError(ConfigFilesError):
    """The task itself is wrong: a relative path, a file named twice, a mode that is no octal string."""


class RefusedError(ConfigFilesError):
    """The host holds something at that path that must not be replaced or removed blindly."""


class UnknownAccountError(ConfigFilesError):
    """A user or group that the host does not know."""


class CheckFailedError(ConfigFilesError):
    """A program that was asked about the new files said no, or could not be asked."""


class LandingError(ConfigFilesError):
    """Writing, renaming or removing failed; everything done so far was put back."""
