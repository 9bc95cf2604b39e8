"""The classic text format, version 0.0.4.

It accepts and refuses what the parser behind `promtool check metrics` does, oddities included, since that is the
verdict one can point at. Where Prometheus' own scrape is stricter, a finding says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .cursor import Cursor, Malformed, shown
from .model import TYPE_LABEL, Family, Finding, Kind, Labels, Sample
from .numbers import parse_float, parse_milliseconds
from .plain import PlainReader

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_PLAIN_METADATA = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) ([^ \t\\][^\\]*)").fullmatch
_BROKEN_HELP_ESCAPE = re.compile(r'(?:[^\\]|\\[\\n"])*')

# What promtool takes for a type, in any case; Prometheus takes only the first five, in lower case.
_TYPES = {name: name for name in ("counter", "gauge", "histogram", "summary", "untyped")}
_SCRAPED_TYPES = frozenset(_TYPES)
_TYPES |= {"gaugehistogram": "gaugehistogram", "gauge_histogram": "gaugehistogram"}

_Note = tuple[str, str]


def parse(text: str, utf8_names: bool, clean: bool) -> tuple[dict[str, Family], list[Finding]]:
    """Families by name, and what is wrong line by line.

    Args:
        text: the page; bytes that are not UTF-8 are surrogates in it.
        utf8_names: names may hold any character (in quotes), not only [a-zA-Z0-9_:].
        clean: the page is valid UTF-8 throughout.
    """
    *lines, last = text.split("\n")
    page = _Page(utf8_names)
    page.read(lines, clean)
    if last.strip(" \t"):
        page.finish(last, len(lines) + 1)
    families = {name: family for name, family in page.families.items() if family.samples or family.type or family.help}
    return families, page.findings


class _Page:
    """The state of reading one page."""

    def __init__(self, utf8_names: bool):
        self.utf8_names = utf8_names
        self.families: dict[str, Family] = {}
        self.findings: list[Finding] = []
        # What the line before spoke of. Once there was a sample, promtool lends it to one without a name.
        self.current: tuple[str, Family] | None = None
        self.any_sample = False

    def read(self, lines: list[str], clean: bool) -> None:
        plain: Callable[[str], tuple[str, Labels, float] | None]
        plain = PlainReader(trailing_comma=True) if clean else lambda line: None
        sampled: dict[str, tuple[str, Family]] = {}
        for number, line in enumerate(lines, 1):
            if line.startswith("#") and clean and self.plain_metadata(line, number):
                continue
            sample = plain(line)
            if sample is None:
                self.careful(line, number)
                continue
            name, labels, value = sample
            current = sampled.get(name)
            if current is None:
                current = sampled[name] = (name, self.family_of_sample(name, number))
                self.any_sample = True
            self.current = current
            current[1].samples.append(Sample(name, labels, value, number))

    def plain_metadata(self, line: str, number: int) -> bool:
        """The fast lane for HELP and TYPE; False leaves the line to the careful one."""
        match = _PLAIN_METADATA(line)
        if match is None:
            return False
        keyword, name, text = match.groups()
        family = self._resolve(name, number)
        if keyword == "HELP" and family.help is None:
            family.help = text
        elif keyword == "TYPE" and family.type is None and text in _SCRAPED_TYPES:
            family.type = text
        else:
            return False
        self.current = (name, family)
        return True

    def finish(self, line: str, number: int) -> None:
        """The last line, which lacks its newline: most likely the page was cut off there."""
        findings = len(self.findings)
        self.careful(line, number)
        del self.findings[findings:]
        self.find(number, Kind.SYNTAX, "a newline at the end of the page", f"that it ends after {shown(line[-60:])}")

    def find(self, line: int, kind: Kind, expected: str, found: str) -> None:
        self.findings.append(Finding(line, kind, expected, found))

    def careful(self, line: str, number: int) -> None:
        cursor = Cursor(line)
        notes: list[_Note] = []
        try:
            indented = cursor.blanks()
            if cursor.at_end:
                return
            if cursor.next == "#":
                self.comment(cursor, number, notes)
            else:
                if indented:
                    notes.append(("a metric name at the beginning of the line", "blanks before it"))
                self.sample(cursor, number, notes)
        except Malformed as problem:
            self.find(number, Kind.SYNTAX, problem.expected, problem.found)
        else:
            for expected, found in notes:
                self.find(number, Kind.SCRAPE, expected, found)

    # Comments, HELP and TYPE

    def comment(self, cursor: Cursor, number: int, notes: list[_Note]) -> None:
        cursor.at += 1
        apart = cursor.blanks()
        keyword = cursor.word()
        if keyword not in ("HELP", "TYPE") or cursor.at_end:
            return
        if not apart:
            self.find(number, Kind.LINT, f"a blank between # and {keyword}", "none; Prometheus reads a comment")
            notes = []
        cursor.blanks()
        name = self.name(cursor, _METRIC_NAME, "a metric name", notes)
        if cursor.at_end:
            if keyword == "TYPE" or not name:
                notes.append((f"a metric name and its {keyword}", "the end of the line"))
            return
        if cursor.next not in " \t":
            raise Malformed(f"a metric name after {keyword}", cursor.found())
        family = self.speak_of(name, number)
        blanks = cursor.blanks()
        if keyword == "TYPE" and (cursor.at_end or blanks > 1):
            notes.append(("one blank and a type", cursor.found() if cursor.at_end else f"{blanks} blanks"))
        if cursor.at_end:
            return
        if keyword == "HELP":
            self.help(cursor, family, notes)
        else:
            self.type(cursor, family, notes)

    def help(self, cursor: Cursor, family: Family, notes: list[_Note]) -> None:
        if family.help is not None:
            raise Malformed(f"one HELP line for {family.name}", "a second one")
        start = cursor.at
        text = cursor.rest()
        whole = _BROKEN_HELP_ESCAPE.match(cursor.text, start, cursor.at)
        if whole.end() < cursor.at:
            broken = cursor.text[whole.end() : whole.end() + 2]
            raise Malformed(r"only the escapes \\, \" and \n in HELP", shown(broken.rstrip("\n")))
        if not _is_utf8(text):
            notes.append(("a HELP text in UTF-8", shown(text)))
        family.help = text

    def type(self, cursor: Cursor, family: Family, notes: list[_Note]) -> None:
        if family.type is not None:
            if family.samples:
                before = f"a sample in line {family.samples[0].line}"
                raise Malformed(f"the TYPE of {family.name} before its first sample", before)
            raise Malformed(f"one TYPE line for {family.name}", "a second one")
        word = cursor.rest()
        # promtool steps over backslashes here.
        known = _TYPES.get(word.replace("\\", "").lower())
        if known is None:
            raise Malformed("counter, gauge, histogram, summary or untyped as type", shown(word))
        if word not in _SCRAPED_TYPES:
            notes.append(("counter, gauge, histogram, summary or untyped as type", shown(word)))
        family.type = known

    # Samples

    def sample(self, cursor: Cursor, number: int, notes: list[_Note]) -> None:
        labels: list[tuple[str, str]] = []
        if cursor.next == "{":
            self.labels(cursor, number, labels, notes, name_inside=True)
        else:
            name = self.name(cursor, _METRIC_NAME, "a metric name", notes, bare_only=True)
            if not name:
                raise Malformed("a metric name", cursor.found())
            self.speak_of(name, number)
            cursor.blanks()
            if cursor.next == "{":
                self.labels(cursor, number, labels, notes, name_inside=False)
        name, family = self.current
        family.type = family.type or "untyped"
        at = cursor.at
        value = parse_float(cursor.word())
        if value is None:
            cursor.at = at
            raise Malformed("a number as value", cursor.found())
        if not cursor.at_end:
            self.timestamp(cursor, notes)
        family.samples.append(Sample(name, tuple(sorted(labels)), value, number))
        self.any_sample = True

    def labels(
        self, cursor: Cursor, number: int, labels: list[tuple[str, str]], notes: list[_Note], name_inside: bool
    ) -> None:
        """A label set; with `name_inside` the metric's name stands in it as well: {"name",label="value"}."""
        named = not name_inside
        cursor.at += 1
        while True:
            cursor.blanks()
            if cursor.next == "}":
                break
            at = cursor.at
            name = self.name(cursor, _LABEL_NAME, "a label name", notes)
            if not name:
                raise Malformed("a label name or }", cursor.found())
            bare = cursor.text[at] != '"'
            cursor.blanks()
            if cursor.next == "=":
                self.label(cursor, name, labels, notes)
            elif not name_inside:
                raise Malformed(f"= after the label name {shown(name)}", cursor.found())
            elif named:
                raise Malformed("one metric name", f"a second one, {shown(name)}")
            elif cursor.next not in ",}":
                raise Malformed(f", or }} after the metric name {shown(name)}", cursor.found())
            else:
                named = True
                self.speak_of(name, number)
                if bare:
                    notes.append(("a metric name inside of braces in quotes", shown(name)))
            cursor.blanks()
            if cursor.next == "}":
                break
            if cursor.next != ",":
                raise Malformed(f", or }} after the value of label {shown(name)}", cursor.found())
            cursor.at += 1
        if not named and not self.any_sample:
            raise Malformed("a metric name", "only labels")
        if not named:
            notes.append(("a metric name", "only labels"))
        cursor.at += 1
        cursor.blanks()

    def label(self, cursor: Cursor, name: str, labels: list[tuple[str, str]], notes: list[_Note]) -> None:
        """From the = of one label to the closing quote of its value."""
        if name == "__name__":
            raise Malformed("no label called __name__", "one; the name is written in front")
        self.check_name(name, _LABEL_NAME, "a label name")
        own = TYPE_LABEL.get(self.current[1].type or "") if self.current else None
        if name in dict(labels):
            if name != own:
                raise Malformed(f"each label once, and not {shown(name)} again", "it twice")
            notes.append((f"the label {name} once", "it twice"))
        cursor.at += 1
        cursor.blanks()
        if cursor.next != '"':
            raise Malformed(f"a quote before the value of label {shown(name)}", cursor.found())
        value = cursor.quoted(f"the value of label {shown(name)}")
        if not _is_utf8(value):
            raise Malformed(f"the value of label {shown(name)} in UTF-8", shown(value))
        if name == own and parse_float(value) is None:
            raise Malformed(f"a number as {name}", shown(value))
        labels.append((name, value))

    def timestamp(self, cursor: Cursor, notes: list[_Note]) -> None:
        cursor.blanks()
        if cursor.at_end:
            raise Malformed("the end of the line or a timestamp right after the value", "blanks at the end of the line")
        at = cursor.at
        word = cursor.word()
        if parse_milliseconds(word) is None:
            cursor.at = at
            raise Malformed("milliseconds as a whole number for a timestamp", cursor.found())
        if not cursor.at_end:
            raise Malformed("the end of the line after the timestamp", cursor.found())
        if not word.isdigit():
            notes.append(("a timestamp without a sign", shown(word)))

    # Names

    def name(
        self, cursor: Cursor, part: re.Pattern[str], what: str, notes: list[_Note], bare_only: bool = False
    ) -> str:
        """A name, bare or in quotes; empty when none begins here. promtool lets a bare beginning run into quotes."""
        bare = cursor.match(part)
        if cursor.next != '"':
            return bare
        name = bare + cursor.quoted(what)
        if bare:
            notes.append((f"{what} either in quotes or without", shown(name)))
        elif bare_only:
            notes.append((f"{what} in quotes only inside of braces", shown(name)))
        return name

    def check_name(self, name: str, part: re.Pattern[str], what: str) -> None:
        if part.fullmatch(name) or (self.utf8_names and name and _is_utf8(name)):
            return
        allowed = "UTF-8" if self.utf8_names else f"{part.pattern}; others need Content-Type escaping=allow-utf-8"
        raise Malformed(f"{what} ({allowed})", shown(name))

    def speak_of(self, name: str, line: int) -> Family:
        self.check_name(name, _METRIC_NAME, "a metric name")
        self.current = (name, self._resolve(name, line))
        return self.current[1]

    def family_of_sample(self, name: str, line: int) -> Family:
        family = self._resolve(name, line)
        family.type = family.type or "untyped"
        return family

    def _resolve(self, name: str, line: int) -> Family:
        """The family that `name` belongs to: its own, that of a summary or histogram before it, or a new one."""
        found = self.families.get(name)
        if found is not None:
            return found
        base, _, suffix = name.rpartition("_")
        owner = self.families.get(base)
        if owner is not None and (
            (owner.type == "summary" and suffix in ("count", "sum"))
            or (owner.type in ("histogram", "gaugehistogram") and suffix in ("count", "sum", "bucket"))
        ):
            return owner
        self.families[name] = Family(name, line)
        return self.families[name]


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
