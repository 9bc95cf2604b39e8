"""What is said of a page that came, whatever it is."""

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.contract import expectations
from ansible_collections.gpufleet.serving.plugins.plugin_utils.endpoint import Page, judge_page

TEXT = "text/plain; version=0.0.4"
URL = "http://127.0.0.1:9100/metrics"


def verdict(body: bytes, content_type: str | None = TEXT, wanted=(), **limits):
    return judge_page(Page(URL, body, content_type, 0.0123), expectations(list(wanted), "expect"), {}, **limits)


def test_a_sound_page_has_its_measures_on_it():
    result = verdict(b"# HELP a x\n# TYPE a gauge\na 1\n" + b"# padding\n" * 2000, wanted=["a"]).as_result("fail")
    assert result["passed"]
    assert (result["families"], result["series"], result["bytes"]) == (1, 1, 20030)
    assert result["scrape_seconds"] == 0.0123
    assert result["detail"] == "1 families, 1 series, 20 KB in 12 ms"
    assert (result["check"], result["subject"], result["lint"]) == ("metrics", URL, [])


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (
            b"<!doctype html><title>Log &amp; in\n</title>",
            "text/html",
            "found the web page 'Log & in'; check host, port",
        ),
        (b"\xef\xbb\xbf\n<html></html>", TEXT, "found a web page (HTML); check host, port and path"),
        (b'{"status":"ok"}', "application/json", 'found JSON that begins \'{"status":"ok"}\''),
        (b"[1]", TEXT, "found JSON that begins '[1]'"),
        (b"", TEXT, "line 1: expected at least one sample, found an empty page"),
        (b"a 1\n", None, "expected Content-Type text/plain or application/openmetrics-text, found none"),
        (b"a 1\n", "application/octet-stream", "found application/octet-stream; Prometheus 3 refuses it"),
        (b"a 1\n", "nonsense", "found nonsense; Prometheus 3 refuses it"),
        (b"a 1\n", "text/plain; version=7", "expected version 0.0.4 or 1.0.0 of text/plain, found 7"),
        (b"a 1\n", "application/openmetrics-text", "line 1: expected # EOF as the last line, found 'a 1'"),
    ],
)
def test_what_is_wrong_with_it_is_one_clear_problem(body, content_type, said):
    (problem,) = verdict(body, content_type, wanted=["nowhere"] if not body else ()).problems
    assert said in problem


def test_a_page_may_name_its_metric_in_braces():
    assert verdict(b'{"a"} 1\n').problems == []


@pytest.mark.parametrize("content_type", ["text/plain", "TEXT/PLAIN;charset=utf-8", "text/plain; version=1.0.0"])
def test_headers_that_prometheus_takes(content_type):
    assert verdict(b"a 1\n", content_type).problems == []


def test_lint_is_told_but_not_held_against_it():
    result = verdict(b"# TYPE a counter\na 1\n")
    assert result.passed
    assert result.values["lint"] == [
        "line 1: expected a counter's name to end in _total, found a",
        "line 1: expected a HELP line for a, found none",
    ]


def test_a_page_that_is_wrong_throughout_does_not_flood_the_screen():
    problems = verdict(b"a x\n" * 500).problems
    assert len(problems) == 21
    assert problems[-1] == "and 480 more like these"


def test_syntax_and_contract_are_told_together():
    assert verdict(b"a 1\nb x\n", wanted=["c"]).problems == [
        "line 2: expected a number as value, found 'x'",
        "c: expected a family of that name, found none",
    ]


def test_the_number_of_series_is_limited():
    assert verdict(b"a 1\nb 1\nc 1\n", max_series=2).problems == ["expected at most 2 series, found 3"]
