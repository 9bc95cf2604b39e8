# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Bytes on their way from a module to its action plugin.

A module strikes every secret out of what it returns, wherever the same letters happen to stand: a password `ab` would
tear holes into any base64. So the text is written in letters of which each secret lacks at least one.
"""

from __future__ import annotations

import base64
import string
import zlib
from typing import Iterable

_BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
# Printable, and nothing that JSON would have to escape.
_LETTERS = _BASE64 + "!#$%&()*,-.:;<=>?@[]^_`{|}~'"


class TooManySecretsError(ValueError):
    """No 64 letters are left that could not spell one of the secrets."""


def pack(content: bytes, secrets: Iterable[str] = ()) -> dict[str, str]:
    """`letters` and `text`, neither of which holds any of the secrets."""
    letters = _harmless(secrets)[: len(_BASE64)]
    if len(letters) < len(_BASE64):
        raise TooManySecretsError("too many short secrets in `headers`")
    plain = base64.b64encode(zlib.compress(content)).decode("ascii").rstrip("=")
    return {"letters": letters, "text": plain.translate(str.maketrans(_BASE64, letters))}


def unpack(packed: dict[str, str]) -> bytes:
    """What was packed."""
    plain = packed["text"].translate(str.maketrans(packed["letters"], _BASE64))
    return zlib.decompress(base64.b64decode(plain + "=" * (-len(plain) % 4)))


def _harmless(secrets: Iterable[str]) -> str:
    letters = _LETTERS
    for secret in secrets:
        if secret and set(secret) <= set(letters):
            letters = letters.replace(max(secret, key=_LETTERS.index), "")
    return letters
