"""Ask the publishers, or a mirror's manifest, for digests."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

from ...module_utils import sources
from ...module_utils.release.http import Client, RedirectError
from . import openpgp, sums
from .errors import LockError
from .wanted import Download

MAX_BYTES = 16 * 1024 * 1024
TRIES = 3
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass
class Found:
    """digests: sha256 by URL; problems: why others are missing; notes: what is worth a warning."""

    digests: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def from_publishers(downloads: Iterable[Download], client: Client, say: Callable[[str], None]) -> Found:
    """The digests that the publishers' sums give, and those of signing keys, which no sums list.

    Every file is fetched once, over TLS only.
    """
    found = Found()
    fetched: dict[str, dict[str, str] | None] = {}
    wanted = list(downloads)
    for key in (download for download in wanted if download.fingerprint):
        _key(key, client, say, found)
    for release in _by_release(download for download in wanted if not download.fingerprint):
        missing = []
        for download in release:
            if download.sums not in fetched:
                say(f"{download.name} {download.version}: {download.sums}")
                fetched[download.sums] = _sums(download.sums, client, found)
            listed = fetched[download.sums]
            if listed is None:
                continue
            digest = sums.digest_for(download.url, listed)
            if digest:
                found.digests[download.url] = digest
            else:
                missing.append(f"{download.sums} lists no {sums.file_name(download.url)}")
        _report_missing(found, release[0], missing, none_at_all=len(missing) == len(release))
    return found


def _key(download: Download, client: Client, say: Callable[[str], None], found: Found) -> None:
    """Lock a signing key: what stands at its URL, if that is the very key that is known, and no other beside it."""
    try:
        _https(download.url)
        content = body(download.url, client)
        keys = openpgp.fingerprints(content)
        if len(keys) != 1 or not keys[0].endswith(download.fingerprint):
            raise LockError(
                f"{download.url}: expected the key {openpgp.spaced(download.fingerprint)} alone, found "
                f"{', '.join(map(openpgp.spaced, keys))}. Ask the publisher; do not trust that file"
            )
    except LockError as error:
        found.problems.append(str(error) if download.url in str(error) else f"{download.url}: {error}")
        return
    say(f"{download.name}: {download.url}: fingerprint {openpgp.spaced(keys[0])}")
    if len(download.fingerprint) < len(keys[0]):
        found.notes.append(
            f"{download.url}: only the end of its fingerprint is known here; compare {openpgp.spaced(keys[0])} "
            "with what the publisher says before you commit the lock file"
        )
    found.digests[download.url] = hashlib.sha256(content).hexdigest()


def _https(url: str) -> None:
    if urlsplit(url).scheme != "https":
        raise LockError(
            f"{url}: is not https, so anybody on the way could change it. "
            "Take the digests from a mirror that you trust with --from-mirror"
        )


def _by_release(downloads: Iterable[Download]) -> list[list[Download]]:
    """The files of one version together, one for each kind of machine."""
    releases: dict[tuple[str, str], list[Download]] = {}
    for download in downloads:
        releases.setdefault((download.name, download.version), []).append(download)
    return list(releases.values())


def _report_missing(found: Found, one: Download, missing: list[str], none_at_all: bool) -> None:
    """A release may leave out a kind of machine; one that has none of the files is another matter."""
    if none_at_all:
        asks = f"Is {one.version} a version of {one.name}, and are its files still named so?"
        found.problems += [f"{text}. {asks}" for text in missing]
    else:
        found.notes += [f"{text}: hosts of that kind cannot install {one.name} {one.version}" for text in missing]


def _sums(url: str, client: Client, found: Found) -> dict[str, str] | None:
    try:
        _https(url)
        listed = sums.parse(text(url, client))
        if not listed:
            raise LockError(f"{url}: holds no sha256 at all; is it the right address?")
        return listed
    except LockError as error:
        found.problems.append(str(error) if url in str(error) else f"{url}: {error}")
        return None


def from_manifest(downloads: Iterable[Download], manifest: str, where: str) -> Found:
    """The digests in a mirror's MANIFEST.json, given as its text.

    Raises:
        LockError: it is no manifest.
    """
    try:
        files = json.loads(manifest)["files"]
        listed = {path: entry["sha256"].lower() for path, entry in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LockError(f'{where}: is no manifest: expected {{"files": {{PATH: {{"sha256": ...}}}}}}') from error
    found = Found()
    for release in _by_release(downloads):
        missing = []
        for download in release:
            path = sources.archive_path(download.url)
            digest = listed.get(path)
            if digest is None:
                missing.append(f"{where} has no {path}")
            elif _DIGEST.fullmatch(digest):
                found.digests[download.url] = digest
            else:
                found.problems.append(f"{where}: {path}: {digest!r} is no sha256")
        _report_missing(found, release[0], missing, none_at_all=len(missing) == len(release))
    return found


def manifest(mirror: str, client: Client) -> tuple[str, str]:
    """The text of a mirror's MANIFEST.json and where it stands. `mirror` is a folder or an address.

    Raises:
        LockError: there is none.
    """
    if "://" in mirror:
        try:
            where = f"{sources.mirror_root(mirror)}/MANIFEST.json"
        except sources.SourceError as error:
            raise LockError(f"--from-mirror: {error}") from error
        return text(where, client), where
    path = Path(mirror) / "MANIFEST.json"
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except OSError as error:
        raise LockError(f"{path}: {error.strerror}. Is {mirror} the folder of a mirror?") from error


def text(url: str, client: Client) -> str:
    """The content of a small text file.

    Raises:
        LockError: there is none.
    """
    try:
        return body(url, client).decode()
    except UnicodeDecodeError as error:
        raise LockError(f"{url}: {error}") from error


def body(url: str, client: Client, pause: Callable[[float], None] = time.sleep) -> bytes:
    """The content of a small file, asked for up to TRIES times.

    Raises:
        LockError: there is none.
    """
    for attempt in range(TRIES):
        try:
            with client.get(url) as response:
                content = response.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                raise LockError(f"{url}: more than {MAX_BYTES // 1024**2} MiB, which no list of checksums has")
            announced = response.headers.get("Content-Length") or ""
            if not announced.isdigit() or int(announced) == len(content):
                return content
            problem = f"the connection ended after {len(content)} of {announced} bytes"
        except HTTPError as error:
            problem = f"HTTP {error.code} {error.reason}"
            if error.code < 500 and error.code != 429:
                break
        except RedirectError as error:
            problem = str(error)
            break
        except (OSError, HTTPException) as error:
            problem = str(getattr(error, "reason", error)) or type(error).__name__
        if attempt + 1 < TRIES:
            pause(2**attempt)
    raise LockError(f"{url}: {problem}")
