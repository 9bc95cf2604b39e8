# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Gather the bytes of one large file over several calls: each goes on where the last one ended."""

from __future__ import annotations

import os
import time
from http.client import HTTPException
from urllib.error import HTTPError

from ..release.http import Client, RedirectError
from .errors import FetchError

_CHUNK = 1024 * 1024
_PASSING = (408, 425, 429, 500, 502, 503, 504)


class Interrupted(Exception):  # noqa: N818 - it is no error yet: the next try may go on
    """The connection failed in a way that may pass; the text says how."""


def gather(client: Client, address: str, path: str, end: float) -> bool:
    """Append to `path` until the file is whole (True) or the monotonic clock reads `end` (False).

    Raises:
        Interrupted: try again.
        FetchError: no use trying again.
    """
    have = os.path.getsize(path) if os.path.exists(path) else 0
    try:
        answer = client.get(address, {"Range": f"bytes={have}-"} if have else {})
    except HTTPError as error:
        with error:
            return _refused(error, address, path, have)
    except RedirectError as error:
        raise FetchError(f"{address}: {error}") from error
    except (OSError, HTTPException) as error:
        raise Interrupted(f"{address}: {getattr(error, 'reason', None) or error}") from error
    with answer:
        if have and answer.status != 206:
            have = 0
        length = answer.headers.get("Content-Length") or ""
        total = have + int(length) if length.isdigit() else None
        with open(path, "ab" if have else "wb") as file:
            while total is None or have < total:
                try:
                    block = answer.read1(_CHUNK)
                except (OSError, HTTPException) as error:
                    raise Interrupted(f"{address}: {error} after {have} bytes") from error
                if not block:
                    break
                file.write(block)
                have += len(block)
                if time.monotonic() >= end and have != total:
                    return False
    if total is not None and have < total:
        raise Interrupted(f"{address}: the connection ended after {have} of {total} bytes")
    return True


def _refused(error: HTTPError, address: str, path: str, have: int) -> bool:
    if error.code == 416 and have:
        # Nothing is missing, or what is here is longer than it should be: the digest decides.
        return True
    if error.code in _PASSING:
        raise Interrupted(f"{address}: HTTP {error.code} {error.reason}")
    if error.code in (401, 403):
        raise FetchError(
            f"{address}: HTTP {error.code} {error.reason}. Set vllm_hub_token to a token that may read this model"
        )
    if error.code == 404:
        raise FetchError(f"{address}: HTTP 404. Is the revision right, and does the mirror hold this model?")
    raise FetchError(f"{address}: HTTP {error.code} {error.reason}")
