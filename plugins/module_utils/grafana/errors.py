# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What stands in the way of a push, told to the one who asked for it."""

from __future__ import annotations

from typing import Iterable


class GrafanaError(Exception):
    """Something is not as it must be; the message says where, what is wrong and what to write instead."""


class RefusedError(GrafanaError):
    """The server refuses a request.

    Attributes:
        status: the HTTP status.
        said: the server's own words, as far as it found any.
    """

    def __init__(self, message: str, status: int, said: str):
        super().__init__(message)
        self.status = status
        self.said = said


def several(heading: str, problems: Iterable[str]) -> GrafanaError:
    """One error for many problems: all of them are to be seen at once."""
    found = list(problems)
    if len(found) == 1:
        return GrafanaError(found[0])
    return GrafanaError("\n".join([heading, *(f"- {problem}" for problem in found)]))
