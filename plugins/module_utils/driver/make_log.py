# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Why DKMS could not build a module: the first error in its make.log. Pure; the log is given as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable

# dkms 2.8 to 3.0 write `DKMS make.log for nvidia-535.309.01 for kernel 6.1.0-56-amd64 (x86_64)`, 3.1 and later
# `DKMS (dkms-3.2.1) make.log for nvidia/550.163.01 for kernel ...`.
_HEAD = re.compile(r"DKMS\b.*make\.log for (?P<module>\S+)[-/](?P<version>\d[^\s/-]*) for kernel (?P<kernel>\S+)")
_USING = re.compile(r"\s*You are using:\s*(?P<compiler>.+)")

# Errors that name a place in a file, or a program that cannot go on. The first of them is the cause, the rest follow.
_PLACED = re.compile(r"(?P<file>[^\s:][^:]*\.\w+):(?P<line>\d+):(?:\d+:)? (?:fatal )?error: (?P<text>.+)")
_PLAIN = [
    re.compile(r"(?P<text>(?:\S*/)?(?:cc1\w*|\S*gcc\S*|\S*clang\S*|as): (?:fatal )?error: .+)"),
    re.compile(r"(?P<text>.*: (?:undefined reference to|multiple definition of) .+)"),
    re.compile(r"(?P<text>(?:\S*/)?\S*ld(?:\.\w+)?: .*cannot find.+)"),
    re.compile(r"(?:ERROR|FATAL|error): (?P<text>modpost: .+)"),
    re.compile(r"(?P<text>/bin/(?:ba|da)?sh: (?:line )?\d+: .+: (?:command )?not found)"),
    re.compile(r"(?:g?make)(?:\[\d+\])?: (?P<text>[^*\s]\S*: (?:No such file or directory|Permission denied))"),
    re.compile(
        r"(?P<text>.*No space left on device.*|virtual memory exhausted.*|.*Killed signal terminated program.*)"
    ),
    re.compile(r"\s*(?:ERROR|FATAL): (?P<text>.+)"),
    re.compile(r"\*\*\* (?P<text>Unable to .+?|.+ (?:not found|failed).*?)\s*\*{0,3}"),
]
# make itself: a target without rule, a missing directory; `[...] Error 2` only says that something before it failed.
_MAKE = re.compile(r"(?:g?make)(?:\[\d+\])?: \*\*\* (?P<text>(?!Waiting for unfinished jobs).+)")
_MAKE_ECHO = re.compile(r"\[.*\] Error \d+")


@dataclass(frozen=True)
class BuildLog:
    """What a make.log tells. Empty strings where it does not.

    Attributes:
        module, version, kernel: of the head line.
        compiler: as NVIDIA's Makefile names it, where it differs from the kernel's.
        where: file and line, the file relative to the build folder.
        error: the first error.
    """

    module: str
    version: str
    kernel: str
    compiler: str
    where: str
    error: str

    def __str__(self) -> str:
        return f"{self.where}: {self.error}" if self.where else self.error


def parse(text: str) -> BuildLog:
    """The first error of a make.log."""
    lines = text.splitlines()
    head = _first(_HEAD, lines[:5])
    using = _first(_USING, lines)
    where, error = _error(lines)
    return BuildLog(
        module=head["module"] if head else "",
        version=head["version"] if head else "",
        kernel=head["kernel"] if head else "",
        compiler=using["compiler"].strip() if using else "",
        where=where,
        error=error or _last_words(lines),
    )


def _first(pattern: re.Pattern, lines: Iterable[str]) -> re.Match | None:
    return next((match for match in map(pattern.match, lines) if match), None)


def _error(lines: list[str]) -> tuple[str, str]:
    for line in lines:
        placed = _PLACED.match(line)
        if placed:
            return f"{_relative(placed['file'])}:{placed['line']}", placed["text"].strip()
        plain = next((match for match in (pattern.fullmatch(line) for pattern in _PLAIN) if match), None)
        if plain:
            return "", plain["text"].strip()
    said = [match["text"].strip() for match in map(_MAKE.match, lines) if match]
    real = [text for text in said if not _MAKE_ECHO.search(text)]
    return "", (real or said or [""])[0]


def _relative(path: str) -> str:
    """The path below the build folder, which is what NVIDIA's issues and patches call it."""
    return re.sub(r"^.*/build/(?=.)", "", path)


def _last_words(lines: list[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "the log is empty")
