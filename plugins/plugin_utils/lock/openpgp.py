"""Which OpenPGP key a file holds: its fingerprint, as RFC 4880 and RFC 9580 define it for versions 4 and 6."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

from .errors import LockError

_ARMOUR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+: [^\r\n]*\r?\n)*\r?\n(.+?)"
    rb"-----END PGP PUBLIC KEY BLOCK-----",
    re.DOTALL,
)
_PUBLIC_KEY = 6


def fingerprints(content: bytes) -> list[str]:
    """Fingerprints of the primary keys in a file, armoured or not, in capitals without spaces.

    Raises:
        LockError: the file holds no public key.
    """
    blocks = _ARMOUR.findall(content)
    try:
        binary = b"".join(_dearmoured(block) for block in blocks) if blocks else content
        found = [_fingerprint(body) for tag, body in _packets(binary) if tag == _PUBLIC_KEY]
    except (IndexError, ValueError) as error:
        raise LockError("is no OpenPGP public key, or a damaged one") from error
    if not found:
        raise LockError("is no OpenPGP public key")
    return found


def spaced(fingerprint: str) -> str:
    """A fingerprint in groups of four, as people compare it."""
    return " ".join(re.findall(".{1,4}", fingerprint))


def _dearmoured(block: bytes) -> bytes:
    # A last line that begins with = is the CRC, which is optional and which TLS and the digest make superfluous.
    lines = [line for line in block.split() if not line.startswith(b"=")]
    try:
        return base64.b64decode(b"".join(lines), validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of each packet. Partial lengths do not occur in keys.

    Raises:
        ValueError, IndexError: these are no packets.
    """
    position = 0
    while position < len(data):
        head = data[position]
        if not head & 0x80:
            raise ValueError("no packet")
        tag, length, position = (_new_format if head & 0x40 else _old_format)(data, position)
        if position + length > len(data):
            raise ValueError("a packet ends too early")
        yield tag, data[position : position + length]
        position += length


def _new_format(data: bytes, position: int) -> tuple[int, int, int]:
    first = data[position + 1]
    if first < 192:
        return data[position] & 0x3F, first, position + 2
    if first < 224:
        return data[position] & 0x3F, ((first - 192) << 8) + data[position + 2] + 192, position + 3
    if first < 255:
        raise ValueError("a partial length")
    return data[position] & 0x3F, int.from_bytes(data[position + 2 : position + 6], "big"), position + 6


def _old_format(data: bytes, position: int) -> tuple[int, int, int]:
    kind = data[position] & 0x03
    if kind == 3:
        raise ValueError("a length that is not told")
    size = 1 << kind
    return (
        (data[position] >> 2) & 0x0F,
        int.from_bytes(data[position + 1 : position + 1 + size], "big"),
        position + 1 + size,
    )


def _fingerprint(body: bytes) -> str:
    version = body[0]
    if version == 4:
        return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest().upper()
    if version == 6:
        return hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest().upper()
    raise ValueError(f"a key of version {version}")
