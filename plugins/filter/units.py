"""Filters for systemd unit files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def unit_flags(flags: Mapping[str, Any], indent: int = 4) -> str:
    """Command-line flags as the continued lines of an ExecStart: one per line, sorted, quoted for systemd.

    Args:
        flags: name without dashes -> value. true gives `--name`, false `--no-name` (kingpin's way), else `--name=value`.
    """
    lines = [_flag(name, flags[name]) for name in sorted(flags)]
    return " \\\n".join(" " * indent + line for line in lines)


def _flag(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"--{'' if value else 'no-'}{name}"
    return systemd_quote(f"--{name}={value}")


def systemd_quote(argument: str) -> str:
    """One argument of an Exec line, so that systemd passes it on literally: % $ \\ and quotes mean something to it."""
    literal = argument.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$")
    if any(character in literal for character in " \t;'\"\\"):
        return '"' + literal.replace('"', '\\"') + '"'
    return literal


class FilterModule:
    """unit_flags."""

    def filters(self):
        return {"unit_flags": unit_flags}
