"""grafana.ini from a mapping, so that Grafana reads back what was meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HEAD = "# Managed by Ansible (gpufleet.serving.grafana); changes made here are lost.\n"
_NAME = re.compile(r"[A-Za-z0-9_.\-]+")
# Behind a blank these begin a comment, and quotes at an end are taken off.
_NEEDS_QUOTES = re.compile(r"""^\s|\s$|[#;]|^["'`]|["'`]$""")


class IniError(Exception):
    """A value that grafana.ini cannot hold."""


def render(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of grafana.ini: sections and keys in their order, those of "" before the first section.

    Raises:
        IniError: with section and key.
    """
    lines = [HEAD.rstrip("\n")]
    for section, values in sections.items():
        if section:
            lines += ["", f"[{_name(section, section)}]"]
        lines += [
            f"{_name(key, section)} = {_value(value, f'{section}.{key}')}".rstrip() for key, value in values.items()
        ]
    return "\n".join(lines) + "\n"


def _name(name: Any, where: str) -> str:
    if not _NAME.fullmatch(str(name)):
        raise IniError(f"{where}: {name!r} is no name of a section or key")
    return str(name)


def _value(value: Any, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise IniError(f"{where}: expected text, a number or true/false, found {type(value).__name__}")
    if "\n" in value or "\r" in value:
        raise IniError(f"{where}: has a line break; put it into a file and write $__file{{/path}}")
    if not _NEEDS_QUOTES.search(value):
        return value
    for quote in ('"""', "`"):
        if quote not in value and not value.endswith(quote[0]):
            return f"{quote}{value}{quote}"
    raise IniError(f"{where}: has both kinds of quotes; put it into a file and write $__file{{/path}}")
