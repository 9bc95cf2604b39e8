# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Strike secrets out of what other programs say about the files that hold them."""

from __future__ import annotations

import re
from typing import Iterable

# Shorter words are keys, flags and numbers: striking them out would make the message unreadable and hide nothing.
_SHORTEST = 6
_WORD = re.compile(r"[^\s\"'=,;]+")


def scrub(text: str, secrets: Iterable[bytes]) -> str:
    """The text with every line and every longer word of the secrets' contents replaced."""
    words: set[str] = set()
    for secret in secrets:
        for line in secret.decode("utf-8", "replace").splitlines():
            words.add(line.strip())
            words.update(word.strip(":") for word in _WORD.findall(line) if not word.endswith(":"))
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= _SHORTEST:
            text = text.replace(word, "(secret)")
    return text
