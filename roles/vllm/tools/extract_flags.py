#!/usr/bin/env python3
"""Turn the output of `vllm serve --help=all` into the list of engine arguments that the inventory is checked against.

    vllm serve --help=all | extract_flags.py 0.32.0

Writes files/flags/<version>.yml: argument -> what it takes: switch (true or false), value, list, or the choices.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

FLAGS = Path(__file__).resolve().parent.parent / "files" / "flags"
_OPTION = re.compile(r"^  --(?P<name>[a-z0-9][a-z0-9-]*)(?P<rest>.*)$")
_ALIAS = re.compile(r", --(?P<name>[a-z0-9][a-z0-9-]*)")
_CHOICES = re.compile(r"^ (?:\{(?P<braces>[^}]*)\}|\[(?P<brackets>'[^\]]*')\])")


def kind_of(usage: str) -> str | list[str]:
    """What an option takes, from the words behind its name."""
    if not usage.startswith(" ") or usage.startswith("  "):
        return "switch"
    choices = _CHOICES.match(usage)
    if re.match(r" (\S+|\{[^}]*\}) \[", usage):
        return "list"
    if not choices:
        return "value"
    words = choices["braces"] or choices["brackets"].replace("'", "").replace(" ", "")
    return [word for word in words.split(",") if word != "None"]


def flags_of(text: str) -> dict[str, str | list[str]]:
    """Every option of the help text, aliases too, without the --no- forms."""
    found: dict[str, str | list[str]] = {}
    for line in text.splitlines():
        option = _OPTION.match(line)
        if not option:
            continue
        kind = kind_of(option["rest"])
        for name in [option["name"], *(match["name"] for match in _ALIAS.finditer(option["rest"]))]:
            if name == f"no-{option['name']}" or name == "help":
                continue
            found[name] = kind
    return found


def document(version: str, flags: dict[str, str | list[str]]) -> str:
    """The YAML file, one argument a line."""
    lines = ["---", f"# Arguments of `vllm serve` {version}; made by roles/vllm/tools/extract_flags.py."]
    for name, kind in sorted(flags.items()):
        if isinstance(kind, str):
            lines.append(f"{name}: {kind}")
        elif len(kind) < 8:
            quoted = ", ".join(f'"{choice}"' for choice in kind)
            lines.append(f"{name}: [{quoted}]")
        else:
            lines += [f"{name}:", *(f'  - "{choice}"' for choice in kind)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    (FLAGS / f"{sys.argv[1]}.yml").write_text(document(sys.argv[1], flags_of(sys.stdin.read())))
