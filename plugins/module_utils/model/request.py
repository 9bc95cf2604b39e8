# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Where a model's files are asked for."""

from __future__ import annotations

from urllib.parse import quote

from .. import sources
from .errors import BadRequestError


def base_address(url: str, mirror: str | None, mirror_path: str | None) -> str:
    """Where the files are taken from, without a slash at its end.

    Raises:
        BadRequestError, SourceError: an address cannot be used.
    """
    if not mirror:
        return url.rstrip("/")
    if not mirror_path:
        raise BadRequestError("mirror_path is needed with mirror")
    return f"{sources.mirror_root(mirror)}/{quote(mirror_path.strip('/'))}"
