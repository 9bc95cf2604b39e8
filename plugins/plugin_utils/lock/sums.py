"""Publishers' checksum files, in the formats that are out there."""

from __future__ import annotations

import re
from posixpath import basename
from urllib.parse import unquote, urlsplit

from .errors import LockError

_DIGEST = "[0-9a-fA-F]{64}"
# coreutils' sha256sum: a space or an asterisk before the name says text or binary.
_GNU = re.compile(rf"(?P<digest>{_DIGEST})[ \t]+\*?(?P<name>\S.*)")
# BSD's sha256 and `sha256sum --tag`.
_BSD = re.compile(rf"SHA256 \((?P<name>.+)\) = (?P<digest>{_DIGEST})")
_BARE = re.compile(rf"(?P<digest>{_DIGEST})")


def parse(text: str) -> dict[str, str]:
    """File name -> sha256; the digest of a file that holds nothing else stands under the name ''.

    Lines that are none of the known formats (comments, signatures, other digests) are passed over.

    Raises:
        LockError: two digests for one name.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _BSD.fullmatch(line.strip()) or _GNU.fullmatch(line.strip()) or _BARE.fullmatch(line.strip())
        if not match:
            continue
        name = basename(match.groupdict().get("name") or "")
        digest = match["digest"].lower()
        if found.setdefault(name, digest) != digest:
            raise LockError(f"two different sha256 for {name or 'one file'}")
    return found


def file_name(url: str) -> str:
    """The name under which sums list a download."""
    return unquote(basename(urlsplit(url).path))


def digest_for(url: str, sums: dict[str, str]) -> str | None:
    """The digest of the download `url`; None when the sums do not list it."""
    found = sums.get(file_name(url))
    if found is None and set(sums) == {""}:
        return sums[""]
    return found
