"""OpenMetrics 1.0: the lines, and which of them may stand where.

Families are handed on under the names that the classic text format gives them (counter `a` becomes `a_total`, info `a`
becomes `a_info`, `_created` becomes a gauge of its own), so that everything behind need not know the format.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from .cursor import Cursor, Malformed, shown, unescape
from .model import Family, Finding, Kind, Labels, Sample, series_text
from .numbers import parse_float, spell
from .plain import PlainReader

_METADATA = re.compile(r'# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*|"(?:[^"\\]|\\.)*") (.*)').fullmatch
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')

_SUFFIXES = {
    "counter": ("_total", "_created"),
    "gauge": ("",),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "info": ("_info",),
    "stateset": ("",),
    "summary": ("", "_count", "_sum", "_created"),
    "unknown": ("",),
}
_WHOLE_NUMBERS = ("_bucket", "_count", "_gcount")
_NEVER_NEGATIVE = ("_sum",)
_EXEMPLAR_LABELS_LIMIT = 128
_INF = float("inf")

# What the classic format calls a type, and what it appends to the family's name.
_CLASSIC = {"counter": ("counter", "_total"), "info": ("gauge", "_info"), "stateset": ("gauge", "")}
_CLASSIC |= {"unknown": ("untyped", "")}


def parse(text: str, utf8_names: bool, clean: bool) -> tuple[dict[str, Family], list[Finding]]:
    """Families by classic name, and what is wrong line by line. The arguments are those of classic.parse()."""
    lines = text.removesuffix("\n").split("\n")
    page = _Page(utf8_names)
    page.read(lines, PlainReader(trailing_comma=False) if clean else lambda line: None)
    return page.families, page.findings


@dataclass(slots=True)
class _Metric:
    """The family being read."""

    name: str
    line: int
    type: str | None = None
    help: str | None = None
    unit: str | None = None
    samples: list[Sample] = field(default_factory=list)
    # Full sample name -> suffix, for the names that the type allows.
    allowed: dict[str, str] = field(default_factory=dict)
    # Where each group of labels began; the group, its time and its first sample in `samples` for the current one.
    groups: dict[Labels, int] = field(default_factory=dict)
    group: Labels | None = None
    time: float | None = None
    point: int = 0

    def set_type(self, type_name: str) -> None:
        self.type = type_name
        self.allowed = {self.name + suffix: suffix for suffix in _SUFFIXES[type_name]}


class _Page:
    """The state of reading one page."""

    def __init__(self, utf8_names: bool):
        self.utf8_names = utf8_names
        self.families: dict[str, Family] = {}
        self.findings: list[Finding] = []
        self.metric: _Metric | None = None
        # Every name that a family read so far claims -> the line where that family began.
        self.claimed: dict[str, int] = {}

    def find(self, line: int, kind: Kind, expected: str, found: str) -> None:
        self.findings.append(Finding(line, kind, expected, found))

    def read(self, lines: list[str], plain: Callable[[str], tuple[str, Labels, float] | None]) -> None:
        end = None
        for number, line in enumerate(lines, 1):
            if end is not None:
                self.find(number, Kind.SYNTAX, f"nothing after # EOF in line {end}", shown(line))
                break
            try:
                sample = plain(line)
                if sample is not None:
                    self.sample(*sample, None, False, number)
                elif line == "# EOF":
                    end = number
                elif not line and number == len(lines):
                    break
                elif line.startswith("#"):
                    self.metadata(line, number)
                else:
                    self.careful(line, number)
            except Malformed as problem:
                self.find(number, Kind.SYNTAX, problem.expected, problem.found)
        self.close()
        if end is None:
            self.find(len(lines), Kind.SYNTAX, "# EOF as the last line", shown(lines[-1]))

    # Families

    def metadata(self, line: str, number: int) -> None:
        match = _METADATA(line)
        if match is None:
            raise Malformed("# HELP, # TYPE or # UNIT, a name and a text, or # EOF", shown(line))
        keyword, spelled, text = match.groups()
        name = self.name_of(spelled)
        metric = self.metric
        if metric is None or metric.name != name:
            metric = self.open(name, number)
        elif metric.samples:
            raise Malformed(f"the {keyword} of {name} before its samples", f"one in line {metric.samples[0].line}")
        if keyword == "TYPE":
            if metric.type is not None:
                raise Malformed(f"one TYPE line for {name}", "a second one")
            if text not in _SUFFIXES:
                raise Malformed(f"one of {', '.join(_SUFFIXES)} as type", shown(text))
            metric.set_type(text)
        elif keyword == "HELP":
            if metric.help is not None:
                raise Malformed(f"one HELP line for {name}", "a second one")
            self.require_utf8(text, "a HELP text")
            metric.help = text
        else:
            if metric.unit is not None:
                raise Malformed(f"one UNIT line for {name}", "a second one")
            metric.unit = text
            if text and not name.endswith("_" + text):
                raise Malformed(f"a name that ends in its unit, _{text}", name)

    def open(self, name: str, number: int) -> _Metric:
        self.close()
        self.metric = _Metric(name, number)
        return self.metric

    def close(self) -> None:
        """Check what only the whole family shows, and hand it on under its classic name."""
        metric, self.metric = self.metric, None
        if metric is None:
            return
        type_name = metric.type or "unknown"
        names = {metric.name, *(metric.name + suffix for suffix in _SUFFIXES[type_name])}
        for name in sorted(names):
            if name in self.claimed:
                began = self.claimed[name]
                expected = f"all lines of a family together, and {name} in one family only"
                self.find(metric.line, Kind.SYNTAX, expected, f"{name} in the family of line {began} as well")
                break
        for name in names:
            self.claimed.setdefault(name, metric.line)
        if metric.unit and type_name in ("info", "stateset"):
            self.find(metric.line, Kind.SYNTAX, f"no UNIT for {metric.name}, which is of type {type_name}", metric.unit)
        self.hand_on(metric, type_name)

    def hand_on(self, metric: _Metric, type_name: str) -> None:
        classic_type, suffix = _CLASSIC.get(type_name, (type_name, ""))
        created = [sample for sample in metric.samples if metric.allowed.get(sample.name) == "_created"]
        rest = [sample for sample in metric.samples if sample not in created] if created else metric.samples
        family = Family(metric.name + suffix, metric.line, classic_type, metric.help, metric.unit, rest)
        self.families.setdefault(family.name, family)
        if created:
            name = metric.name + "_created"
            self.families.setdefault(name, Family(name, created[0].line, "gauge", metric.help, None, created))

    # Samples

    def sample(self, name: str, labels: Labels, value: float, time: float | None, exemplar: bool, number: int) -> None:
        metric = self.metric
        suffix = metric.allowed.get(name) if metric else None
        if suffix is None:
            if metric is not None and metric.type is None and not metric.samples and metric.name == name:
                metric.set_type("unknown")
            else:
                if metric is not None and name == metric.name:
                    raise Malformed(f"{' or '.join(metric.allowed)} in the {metric.type} {name}", name)
                metric = self.open(name, number)
                metric.set_type("unknown")
            suffix = ""
        if exemplar and suffix not in ("_bucket", "_total"):
            raise Malformed("an exemplar only on a bucket or a counter's _total", f"one on {name}")
        self.place(metric, suffix, labels, time, number)
        metric.samples.append(Sample(name, labels, value, number))
        self.check_value(metric, suffix, metric.samples[-1])

    def place(self, metric: _Metric, suffix: str, labels: Labels, time: float | None, number: int) -> None:
        """Samples of one series stand together, oldest first; of several points in time the newest counts."""
        group = _group(metric, suffix, labels)
        if group != metric.group:
            if group in metric.groups:
                title = series_text(metric.name, group)
                raise Malformed(f"all lines of {title} together", f"some from line {metric.groups[group]} on")
            metric.groups[group] = number
            metric.group, metric.time, metric.point = group, time, len(metric.samples)
        elif (time is None) != (metric.time is None):
            raise Malformed(f"a timestamp on every line of {series_text(metric.name, group)}, or on none", "both")
        elif time is not None and metric.time is not None and time != metric.time:
            if time < metric.time and metric.type != "info":
                raise Malformed("timestamps that do not go back", f"{spell(time)} after {spell(metric.time)}")
            del metric.samples[metric.point :]
            metric.time = time

    def check_value(self, metric: _Metric, suffix: str, sample: Sample) -> None:
        value, type_name = sample.value, metric.type
        if type_name == "stateset" and value not in (0, 1):
            self.find(sample.line, Kind.CONSISTENCY, f"0 or 1 for the stateset {metric.name}", spell(value))
        elif type_name == "info" and value != 1:
            self.find(sample.line, Kind.CONSISTENCY, f"1 for {sample.name}", spell(value))
        elif suffix in _WHOLE_NUMBERS and not value.is_integer():
            self.find(sample.line, Kind.CONSISTENCY, f"a whole number for {sample.name}", spell(value))
        elif suffix == "_bucket" and (bound := dict(sample.labels)["le"]) != "+Inf" and parse_float(bound) == _INF:
            self.find(sample.line, Kind.SYNTAX, "+Inf spelled so as le", shown(bound))
        elif suffix in _NEVER_NEGATIVE and not value >= 0:
            self.find(sample.line, Kind.CONSISTENCY, f"{sample.name} to be 0 or more", spell(value))
        elif suffix == "_gsum" and value != value:
            self.find(sample.line, Kind.CONSISTENCY, f"a number for {sample.name}", "NaN")
        elif type_name == "summary" and suffix == "" and value < 0:
            self.find(sample.line, Kind.CONSISTENCY, f"a quantile of {metric.name} to be 0 or more", spell(value))

    # The careful reading of one sample line: single blanks, nothing loose

    def careful(self, line: str, number: int) -> None:
        if not line:
            raise Malformed("no empty line", "one")
        cursor = Cursor(line)
        name = cursor.match(_METRIC_NAME)
        labels: dict[str, str] = {}
        if cursor.next == "{":
            inside = self.labels(cursor, labels, name_inside=not name)
            name = name or inside
        if not name:
            raise Malformed("a metric name", cursor.found())
        value = self.number(cursor, "a number as value")
        time = None
        if cursor.text.startswith(" ", cursor.at) and not cursor.text.startswith(" # {", cursor.at):
            time = self.time(cursor)
        exemplar = cursor.text.startswith(" # {", cursor.at)
        if exemplar:
            self.exemplar(cursor)
        if not cursor.at_end:
            raise Malformed("the end of the line", cursor.found())
        self.sample(name, tuple(sorted(labels.items())), value, time, exemplar, number)

    def exemplar(self, cursor: Cursor) -> None:
        cursor.at += 3
        labels: dict[str, str] = {}
        self.labels(cursor, labels, name_inside=False)
        size = sum(len(label) + len(value) for label, value in labels.items())
        if size > _EXEMPLAR_LABELS_LIMIT:
            raise Malformed(f"at most {_EXEMPLAR_LABELS_LIMIT} characters of labels in an exemplar", str(size))
        self.number(cursor, "a number as the exemplar's value")
        if cursor.next == " ":
            self.time(cursor)

    def labels(self, cursor: Cursor, labels: dict[str, str], name_inside: bool) -> str:
        """Fill `labels` from {a="b",c="d"}; the metric's name where that stands inside in quotes, else nothing."""
        name = ""
        cursor.at += 1
        while cursor.next != "}" or labels or name:
            spelled = cursor.match(_LABEL_NAME) or cursor.match(_QUOTED)
            if not spelled:
                raise Malformed("a label name", cursor.found())
            if cursor.next == "=":
                self.label(cursor, self.name_of(spelled, _LABEL_NAME), labels)
            elif name_inside and not name and spelled.startswith('"'):
                name = self.name_of(spelled)
            else:
                raise Malformed(f"= after the label name {shown(spelled)}", cursor.found())
            if cursor.next == "}":
                break
            if cursor.next != ",":
                raise Malformed(", or } after a label", cursor.found())
            cursor.at += 1
        cursor.at += 1
        return name

    def label(self, cursor: Cursor, name: str, labels: dict[str, str]) -> None:
        if name in labels or name == "__name__":
            raise Malformed(f"each label once, and not {shown(name)} again", "it twice")
        cursor.at += 1
        value = cursor.match(_QUOTED)
        if not value:
            raise Malformed(f"the value of label {shown(name)} in double quotes", cursor.found())
        self.require_utf8(value, f"the value of label {shown(name)}")
        labels[name] = unescape(value[1:-1])

    def number(self, cursor: Cursor, what: str) -> float:
        at = cursor.at
        if cursor.next == " ":
            cursor.at += 1
            value = parse_float(cursor.word())
            if value is not None:
                return value
            cursor.at = at + 1
        raise Malformed(f"one blank and {what}", cursor.found())

    def time(self, cursor: Cursor) -> float:
        """Seconds since 1970."""
        at = cursor.at
        value = self.number(cursor, "seconds as a timestamp, or an exemplar")
        if value != value or abs(value) == _INF:
            cursor.at = at + 1
            raise Malformed("a finite timestamp", cursor.found())
        return value

    def name_of(self, spelled: str, pattern: re.Pattern[str] = _METRIC_NAME) -> str:
        if not spelled.startswith('"'):
            return spelled
        name = unescape(spelled[1:-1])
        self.require_utf8(name, "a name")
        if not name or not (self.utf8_names or pattern.fullmatch(name)):
            raise Malformed(f"a name ({pattern.pattern}; others need Content-Type escaping=allow-utf-8)", shown(name))
        return name

    @staticmethod
    def require_utf8(text: str, what: str) -> None:
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise Malformed(f"{what} in UTF-8", shown(text))


def _group(metric: _Metric, suffix: str, labels: Labels) -> Labels:
    """The labels that name a series of the family, without those that tell its parts apart."""
    if metric.type == "info":
        return ()
    own = {"_bucket": "le"}.get(suffix) or ("quantile" if metric.type == "summary" and suffix == "" else None)
    if metric.type == "stateset":
        own = metric.name
    if own is None:
        return labels
    rest = tuple(pair for pair in labels if pair[0] != own)
    if len(rest) == len(labels):
        raise Malformed(f"a label {own} in the {metric.type} {metric.name}", series_text(metric.name, labels))
    return rest
