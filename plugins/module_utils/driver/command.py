# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Running programs: what every part of this package is given instead of a host."""

from __future__ import annotations

from typing import Callable, List, Optional, Tuple

from .errors import CommandError

# (arguments) -> (exit status, standard output, standard error)
Run = Callable[[List[str]], Tuple[int, str, str]]
# name -> full path, or None
Which = Callable[[str], Optional[str]]

_MOST_LINES = 8
_TELLING = ("E: ", "Error", "error:", "dpkg: ", "nothing provides", "Unable to", "No match", "conflicts", "Depends:")


def output_of(run: Run, argv: list[str], what: str) -> str:
    """Standard output of a program that must succeed.

    Raises:
        CommandError: it did not; says `what` could not be done, and the telling part of what the program said.
    """
    status, out, err = run(argv)
    if status != 0:
        said = telling(out + err) or "  it says nothing"
        raise CommandError(f"{what.capitalize()} failed ({argv[0]}, status {status}):\n{said}", out + err)
    return out


def telling(output: str) -> str:
    """The lines of a package manager's output that say what is wrong; its last lines where none does."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    said = [line for line in lines if any(word in line for word in _TELLING)]
    return "\n".join(f"  {line.strip()}" for line in dict.fromkeys((said or lines)[-_MOST_LINES:]))
