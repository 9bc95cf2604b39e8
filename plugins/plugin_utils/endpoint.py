"""What a page that an endpoint served is worth: its header, its syntax, its contract and its size."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..module_utils.endpoint_options import CHECK
from ..module_utils.http_errors import first_words, visible
from ..module_utils.verdict import Verdict
from .contract import Expectation, check
from .exposition import Exposition, judge
from .exposition.content_type import read

# A page that is wrong is wrong in many lines; the first ones say what is the matter.
_MOST_FINDINGS = 20
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """What came. `seconds` run from the first packet to the last byte."""

    url: str
    body: bytes
    content_type: str | None
    seconds: float

    @cached_property
    def exposition(self) -> Exposition:
        return judge(self.body, self.content_type)


def judge_page(
    page: Page, wanted: Iterable[Expectation], renames: Mapping[str, str], max_series: int | None = None
) -> Verdict:
    """Everything that is wrong with a page, at once."""
    found = page.exposition
    families = sum(1 for family in found.families.values() if family.samples)
    size = f"{len(page.body) / 1024:.0f} KB" if len(page.body) >= 10240 else f"{len(page.body)} bytes"
    return Verdict(
        CHECK,
        visible(page.url),
        list(_problems(page, wanted, renames, max_series)),
        detail=f"{families} families, {found.samples} series, {size} in {page.seconds * 1000:.0f} ms",
        values={
            "families": families,
            "series": found.samples,
            "bytes": len(page.body),
            "scrape_seconds": round(page.seconds, 4),
            "lint": [str(finding) for finding in found.lint[:_MOST_FINDINGS]],
        },
    )


def _problems(
    page: Page, wanted: Iterable[Expectation], renames: Mapping[str, str], max_series: int | None
) -> Iterator[str]:
    other = _something_else(page)
    if other:
        yield f"expected metrics, found {other}; check host, port and path"
        return
    header = read(page.content_type).problem
    if header:
        yield header
    found = page.exposition
    yield from (str(finding) for finding in found.errors[:_MOST_FINDINGS])
    if len(found.errors) > _MOST_FINDINGS:
        yield f"and {len(found.errors) - _MOST_FINDINGS} more like these"
    # Of an empty page it is said already that it is empty; its contract would only repeat it for each family.
    if found.samples:
        yield from check(found, wanted, renames)
    if max_series is not None and found.samples > max_series:
        yield f"expected at most {max_series} series, found {found.samples}"


def _something_else(page: Page) -> str:
    """In words what the page is, when it is not one of metrics at all."""
    text = page.body[:4096].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        title = _TITLE.search(text)
        return f"the web page {html.unescape(' '.join(title[1].split()))!r}" if title else "a web page (HTML)"
    if text.startswith(("{", "[")) and _is_json(page.body):
        return f"JSON that begins {first_words(text, limit=60)!r}"
    return ""


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
