"""The careful lane: one line, read character by character, with words for whatever is wrong in it."""

from __future__ import annotations

import re

_QUOTED = re.compile(r'"(?:[^"\\\n]|\\[\\n"])*"').match
_ESCAPE = re.compile(r'\\([\\n"])')
_BROKEN_ESCAPE = re.compile(r'\\([^\\n"]|$)')


class Malformed(Exception):  # noqa: N818 - it is a verdict on the page, not an error of this program
    """The line cannot be read: what was expected, what was found."""

    def __init__(self, expected: str, found: str):
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found


class Cursor:
    """A place in a line; a newline stands behind the last character."""

    def __init__(self, line: str):
        self.text = line + "\n"
        self.at = 0

    @property
    def next(self) -> str:
        """The next character."""
        return self.text[self.at]

    @property
    def at_end(self) -> bool:
        return self.text[self.at] == "\n"

    def found(self) -> str:
        """What comes next, in words."""
        return "the end of the line" if self.at_end else shown(self.text[self.at : -1])

    def blanks(self) -> int:
        """Step over blanks and tabs; how many there were."""
        start = self.at
        while self.next in " \t":
            self.at += 1
        return self.at - start

    def word(self) -> str:
        """Everything up to the next blank, tab or end of line."""
        start = self.at
        while self.next not in " \t\n":
            self.at += 1
        return self.text[start : self.at]

    def rest(self) -> str:
        """Everything up to the end of the line."""
        start = self.at
        self.at = len(self.text) - 1
        return self.text[start : self.at]

    def match(self, pattern: re.Pattern[str]) -> str:
        """What `pattern` matches here, stepped over; may be empty."""
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[0]

    def quoted(self, what: str) -> str:
        """A string in double quotes, which begins here, without its escapes."""
        match = _QUOTED(self.text, self.at)
        if match is None:
            raise self._broken_quote(what)
        self.at = match.end()
        return unescape(match[0][1:-1])

    def _broken_quote(self, what: str) -> Malformed:
        body = self.text[self.at + 1 :].partition("\n")[0]
        position = 0
        while position < len(body) and body[position] != '"':
            if body[position] == "\\":
                broken = _BROKEN_ESCAPE.match(body, position)
                if broken:
                    found = shown(broken[0]) if broken[1] else "a backslash at the end of the line"
                    return Malformed(rf"only the escapes \\, \" and \n in {what}", found)
                position += 1
            position += 1
        return Malformed(f"a closing quote after {what}", f"the end of the line after {shown(body)}")


def unescape(text: str) -> str:
    """Undo the three escapes of the format; anything else stays."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], text)


def shown(text: str, limit: int = 60) -> str:
    """Text of a page in a message: quoted, control characters and broken bytes escaped, not too long."""
    safe = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if len(safe) > limit:
        safe = safe[: limit - 1] + "…"
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in safe) + "'"
