"""Filters for systemd unit files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flag_arguments(flags: Mapping[str, Any]) -> list[str]:
    """Command-line arguments, sorted by name.

    Args:
        flags: name without dashes -> value. true gives `--name`, false `--no-name` (as kingpin spells it), anything
            else `--name=value`; a list repeats the flag, once per item.
    """
    return [argument for name in sorted(flags) for argument in _arguments(name, flags[name])]


def _arguments(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{'' if value else 'no-'}{name}"]
    if isinstance(value, (list, tuple)):
        return [f"--{name}={item}" for item in value]
    return [f"--{name}={value}"]


def unit_flags(flags: Mapping[str, Any], indent: int = 4) -> str:
    """The same as the continued lines of an ExecStart: one per line, quoted for systemd."""
    return " \\\n".join(" " * indent + systemd_quote(argument) for argument in flag_arguments(flags))


def systemd_quote(argument: str) -> str:
    """One argument of an Exec line, so that systemd passes it on literally: % $ \\ and quotes mean something to it."""
    literal = argument.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$")
    if any(character in literal for character in " \t;'\"\\"):
        return '"' + literal.replace('"', '\\"') + '"'
    return literal


class FilterModule:
    """flag_arguments, unit_flags."""

    def filters(self):
        return {"flag_arguments": flag_arguments, "unit_flags": unit_flags}
