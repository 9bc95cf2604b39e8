"""The judge of a page of metrics."""

from __future__ import annotations

from . import classic, content_type, openmetrics
from .consistency import check_family
from .lint import lint_family
from .model import Exposition, Finding, Kind


def judge(body: bytes, media_type: str | None = None) -> Exposition:
    """Read a page and say everything that is wrong with it.

    Args:
        body: the page as it came, decoded from gzip.
        media_type: its Content-Type. OpenMetrics is read as such; anything else, None included, as the classic text
            format 0.0.4. Whether Prometheus takes the header itself is content_type.read()'s to say.

    Returns:
        The families under their classic names, and all findings by line. Never raises for what a page holds.
    """
    form = content_type.read(media_type)
    text, clean = _decode(body)
    parse = openmetrics.parse if form.openmetrics else classic.parse
    families, findings = parse(text, form.utf8_names, clean)
    for family in families.values():
        findings += check_family(family)
        findings += lint_family(family)
    if any(finding.kind is Kind.SYNTAX for finding in findings):
        # What is missing stands most likely in the lines that cannot be read.
        findings = [finding for finding in findings if finding.kind is not Kind.CONSISTENCY]
    elif not any(family.samples for family in families.values()):
        found = "none" if text.strip() else "an empty page"
        findings.append(Finding(1, Kind.CONSISTENCY, "at least one sample", found))
    findings.sort(key=lambda finding: (finding.line, finding.kind is Kind.LINT))
    return Exposition(families, findings)


def _decode(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode("utf-8"), True
    except UnicodeDecodeError:
        return body.decode("utf-8", "surrogateescape"), False
