"""Download one file whose digest is known: tried again, resumed, bounded in time and size."""

from __future__ import annotations

import hashlib
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from random import SystemRandom
from typing import Any, BinaryIO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from . import space
from .errors import (
    AccessDeniedError,
    DownloadError,
    NotAnArchiveError,
    NotPublishedError,
    ReleaseError,
    TooLargeError,
    WrongDigestError,
)
from .http import Client, RedirectError

CHUNK = 256 * 1024
MAX_PAUSE = 30.0
_PASSING_STATUS = (408, 425, 429, 500, 502, 503, 504)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)$")


@dataclass(frozen=True)
class Source:
    """What to download.

    Attributes:
        url: where the publisher has it; what the lock file knows it by.
        address: where it is taken from: `url`, or its place on a mirror.
        sha256: the digest it must have, 64 hexadecimal digits.
    """

    url: str
    address: str
    sha256: str

    @property
    def mirrored(self) -> bool:
        return self.url != self.address

    def __str__(self) -> str:
        return f"{self.address} (the mirror's copy of {self.url})" if self.mirrored else self.url


@dataclass(frozen=True)
class Limits:
    """retries: tries after the first one; backoff: seconds before the first of them, doubled for each next one;
    deadline: seconds for all of them together; max_bytes: of the file."""

    retries: int = 4
    backoff: float = 1.0
    deadline: float = 3600
    max_bytes: int = 4 * 1024**3


class _TryAgainError(Exception):
    """This try failed in a way that may pass; `after` is how many seconds the server asks to wait."""

    def __init__(self, reason: str, after: float = 0) -> None:
        super().__init__(reason)
        self.after = after


class _Body:
    """What has been received so far, on disk, and its running digest."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self.path = path
        self.file = file
        self.restart()

    def restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.digest = hashlib.sha256()
        self.size = 0
        self.resumed = False
        self.validator: str | None = None
        self.content_type = ""

    def add(self, block: bytes) -> None:
        self.file.write(block)
        self.digest.update(block)
        self.size += len(block)


def download(
    source: Source, path: str, client: Client, limits: Limits, pause: Callable[[float], None] = time.sleep
) -> int:
    """Write the body to `path` and return its size in bytes; on an error `path` may hold a part of it.

    Raises:
        DownloadError, and its NotPublishedError, AccessDeniedError, WrongDigestError, NotAnArchiveError: no such body.
        TooLargeError, NoSpaceError: there is, but it is not wanted or does not fit.
    """
    end = time.monotonic() + limits.deadline
    with space.reported(path.rpartition("/")[0], f"download {source.url}"), open(path, "wb") as file:
        body = _Body(path, file)
        for attempt in range(limits.retries + 1):
            try:
                _receive(source, body, client, limits, end)
                _judge(source, body)
                return body.size
            except _TryAgainError as again:
                wait = max(again.after, _wait(limits.backoff, attempt))
                if attempt == limits.retries or time.monotonic() + wait > end:
                    raise _exhausted(source, attempt + 1, str(again)) from again
                pause(wait)
    raise AssertionError("unreachable")


def _wait(backoff: float, attempt: int) -> float:
    # Jitter, so that a fleet does not come back to its mirror in step.
    return min(MAX_PAUSE, backoff * 2**attempt) * SystemRandom().uniform(0.5, 1.5)


def _exhausted(source: Source, tries: int, last: str) -> DownloadError:
    remedy = (
        "Is the mirror up and reachable from this host?"
        if source.mirrored
        else ("Can this host reach the publisher? Where it cannot, set gpufleet_mirror")
    )
    times = "once" if tries == 1 else f"{tries} times"
    return DownloadError(
        f"{source} could not be downloaded; tried {times}, the last time: {last}. {remedy}",
        url=source.address,
        tries=tries,
        last_error=last,
    )


def _receive(source: Source, body: _Body, client: Client, limits: Limits, end: float) -> None:
    """One try: ask for what is missing and append it."""
    try:
        response = client.get(source.address, _resume_headers(body))
    except HTTPError as error:
        with error:
            raise _refusal(source, body, error) from error
    except RedirectError as error:
        raise DownloadError(f"{source}: {error}", url=source.address) from error
    except (OSError, HTTPException) as error:
        raise _unreachable(source, client, error) from error
    with response:
        total = _expected_size(response, body)
        if total is not None:
            if total > limits.max_bytes:
                raise _too_large(source, total, limits)
            space.require(body.path.rpartition("/")[0], total - body.size, f"download {source.url}")
        _copy(source, response, body, total, limits, end)
    if total is not None and body.size < total:
        raise _TryAgainError(f"the connection ended after {body.size} of {total} bytes")


def _resume_headers(body: _Body) -> dict[str, str]:
    if not body.size:
        return {}
    headers = {"Range": f"bytes={body.size}-"}
    if body.validator:
        headers["If-Range"] = body.validator
    return headers


def _refusal(source: Source, body: _Body, error: HTTPError) -> Exception:
    status = f"HTTP {error.code} {error.reason}"
    facts = {"url": source.address, "status": error.code}
    if error.code in (404, 410):
        remedy = (
            "The mirror lacks it: make the mirror's content again (playbooks/bundle.yml), "
            "with this version among those that the inventory asks for"
            if source.mirrored
            else "Is the version spelt right, and does the publisher still have it for this machine?"
        )
        return NotPublishedError(f"{source}: {status}. {remedy}", **facts)
    if error.code in (401, 403, 407):
        return AccessDeniedError(
            f"{source}: {status}. Give url_username and url_password, or token, that may read it", **facts
        )
    if error.code == 416:
        body.restart()
        return _TryAgainError(f"{status} for the rest of a part that was received before")
    if error.code in _PASSING_STATUS:
        asked = error.headers.get("Retry-After") or ""
        return _TryAgainError(status, min(MAX_PAUSE, float(asked)) if asked.isdigit() else 0)
    return DownloadError(f"{source}: {status}", **facts)


def _unreachable(source: Source, client: Client, error: Exception) -> Exception:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return DownloadError(
            f"{source}: the certificate of {urlsplit(source.address).hostname} is not trusted: "
            f"{reason.verify_message}. For a private authority give its certificate as ca_path",
            url=source.address,
        )
    if isinstance(reason, FileNotFoundError) and client.ca_path:
        return DownloadError(f"ca_path: {client.ca_path} does not exist on this host", url=source.address)
    return _TryAgainError(str(reason) or type(reason).__name__)


def _expected_size(response: Any, body: _Body) -> int | None:
    """Bytes of the whole file, None when the server does not say; starts `body` anew unless its rest is to come."""
    headers = response.headers
    length = headers.get("Content-Length") or ""
    if response.status == 206:
        found = _CONTENT_RANGE.match(headers.get("Content-Range") or "")
        if not found or int(found.group(1)) != body.size:
            body.restart()
            raise _TryAgainError("the server sent another part than the one that was asked for")
        body.resumed = True
        return int(found.group(2))
    if body.size:
        body.restart()
    etag = headers.get("ETag") or ""
    body.validator = etag if etag.startswith('"') else headers.get("Last-Modified")
    body.content_type = headers.get_content_type()
    return int(length) if length.isdigit() else None


def _copy(source: Source, response: Any, body: _Body, total: int | None, limits: Limits, end: float) -> None:
    while total is None or body.size < total:
        try:
            # read1: hands over what has arrived, so that a trickle cannot outlast the deadline inside one call.
            block = response.read1(CHUNK if total is None else min(CHUNK, total - body.size))
        except (OSError, HTTPException) as error:
            received = f"{body.size} of {total} bytes" if total is not None else f"{body.size} bytes"
            raise _TryAgainError(f"{str(error) or type(error).__name__} after {received}") from error
        if not block:
            return
        body.add(block)
        if body.size > limits.max_bytes:
            raise _too_large(source, body.size, limits)
        if time.monotonic() > end:
            raise DownloadError(
                f"{source}: {body.size} bytes came within {limits.deadline:g} s, which is all the time it may take; "
                "raise `deadline` for a slow line",
                url=source.address,
            )


def _too_large(source: Source, size: int, limits: Limits) -> TooLargeError:
    return TooLargeError(
        f"{source}: {space.mib(size)} or more, but at most {space.mib(limits.max_bytes)} are allowed. "
        "Raise max_download_mb if the release is that large",
        url=source.address,
    )


def _judge(source: Source, body: _Body) -> None:
    """Compare the digest of a complete body."""
    body.file.flush()
    got = body.digest.hexdigest()
    if got == source.sha256:
        return
    if body.resumed:
        body.restart()
        raise _TryAgainError("the parts of a resumed download do not fit together")
    facts = {"url": source.address, "expected": source.sha256, "got": got, "size": body.size}
    raise _impostor(source, body, facts)


def _impostor(source: Source, body: _Body, facts: dict[str, Any]) -> ReleaseError:
    with open(body.path, "rb") as file:
        head = file.read(512).lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")) or body.content_type == "text/html":
        return NotAnArchiveError(
            f"{source}: the answer is a web page, {body.size} bytes of {body.content_type}, instead of the release: a "
            "login page, or a proxy's message? Open the address on this host with curl -L. Nothing was unpacked",
            **facts,
        )
    return WrongDigestError(
        f"{source}: wrong checksum: expected sha256 {source.sha256}, got {facts['got']} for {body.size} bytes. "
        "Either the copy is damaged, or somebody changed what was published: compare with the publisher before you "
        "run `make lock` again. Nothing was unpacked",
        **facts,
    )
