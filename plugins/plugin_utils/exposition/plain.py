"""The fast lane: sample lines of the plain kind that programs write, without looking at single characters.

Lines that are anything but plain are left to the careful reader (cursor.py), which also finds the words for what is
wrong. Nothing here decides that a line is malformed.
"""

from __future__ import annotations

import re

from .model import Labels

_LINE = re.compile(
    r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|\+Inf|NaN)"
).fullmatch
_LABEL = re.compile(r",?([a-zA-Z_][a-zA-Z0-9_]*)=").fullmatch
_INF = float("inf")

# Label names in the order of the line; positions that sort them, or None when they are sorted already.
_Shape = tuple[tuple[str, ...], tuple[int, ...] | None]


class PlainReader:
    """Reads `name{label="value",...} number`. What stands between the quotes of a label set is its shape; a page has
    thousands of lines and a few dozen shapes, so each is looked at once.

    Args:
        trailing_comma: whether the format allows one behind the last label.
    """

    def __init__(self, trailing_comma: bool) -> None:
        self._ends = ("", ",") if trailing_comma else ("",)
        self._shapes: dict[tuple[str, ...], _Shape | None] = {}

    def __call__(self, line: str) -> tuple[str, Labels, float] | None:
        """Name, labels sorted by name, and value; None for a line that needs a careful look."""
        match = _LINE(line)
        if match is None:
            return None
        name, inside, number = match.groups()
        value = float(number)
        if abs(value) == _INF and number != "+Inf":
            return None
        if not inside:
            return name, (), value
        if "\\" in inside:
            return None
        parts = inside.split('"')
        if len(parts) % 2 == 0:
            return None
        outline = tuple(parts[::2])
        try:
            shape = self._shapes[outline]
        except KeyError:
            shape = self._shapes[outline] = self._shape(outline)
        if shape is None:
            return None
        names, order = shape
        values = parts[1::2]
        if order is None:
            return name, tuple(zip(names, values, strict=True)), value
        return name, tuple((names[position], values[position]) for position in order), value

    def _shape(self, outline: tuple[str, ...]) -> _Shape | None:
        *labels, end = outline
        matches = [_LABEL(label) for label in labels]
        if end not in self._ends or not labels or labels[0].startswith(",") or None in matches:
            return None
        if not all(label.startswith(",") for label in labels[1:]):
            return None
        names = tuple(match[1] for match in matches)
        if "__name__" in names or len(set(names)) < len(names):
            return None
        order = tuple(sorted(range(len(names)), key=names.__getitem__))
        return names, None if order == tuple(range(len(names))) else order
