"""The corpus again, scraped by a real Prometheus: what it refuses, the judge must have found."""

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.exposition import Kind, judge
from exposition_corpus import OPENMETRICS, classic_cases, openmetrics_cases
from prometheus_server import serve_pages

TEXT = "text/plain; version=0.0.4; charset=utf-8"
# Scraped, but under a name that no query finds.
MISREAD = "lines: blanks before the name"

# A page that crashes the whole server cannot be part of this.
CASES = [(case, TEXT) for case in classic_cases() if not case.crashes_prometheus]
CASES += [(case, OPENMETRICS) for case in openmetrics_cases()]


@pytest.fixture(scope="module")
def scraped(start_prometheus):
    """Prometheus after it scraped every page once, and the health of each target by the number of its page."""
    with serve_pages([(case.body, content_type) for case, content_type in CASES]) as address:
        pages = [
            {"targets": [address], "labels": {"__metrics_path__": f"/{number}", "page": str(number)}}
            for number in range(len(CASES))
        ]
        prometheus = start_prometheus(
            "3.5.3",
            {
                "global": {"scrape_interval": "2s", "scrape_timeout": "2s"},
                "scrape_configs": [{"job_name": "pages", "static_configs": pages}],
            },
        )

        def health() -> dict[int, str]:
            targets = prometheus.get("/api/v1/targets", state="active")["activeTargets"]
            return {int(target["labels"]["page"]): target["health"] for target in targets}

        prometheus.wait(lambda: len(health()) == len(CASES) and "unknown" not in health().values())
        yield prometheus, health()


def test_whatever_prometheus_refuses_has_an_error(scraped):
    _, health = scraped
    unseen = [
        case.name
        for number, (case, content_type) in enumerate(CASES)
        if health[number] == "down"
        and not any(finding.kind in (Kind.SYNTAX, Kind.SCRAPE) for finding in judge(case.body, content_type).findings)
    ]
    assert unseen == []


def test_what_is_said_to_be_refused_by_prometheus_is(scraped):
    _, health = scraped
    accepted = [
        case.name
        for number, (case, content_type) in enumerate(CASES)
        if health[number] == "up"
        and any(finding.kind is Kind.SCRAPE for finding in judge(case.body, content_type).findings)
    ]
    assert accepted == [MISREAD]


def test_blanks_before_a_name_become_part_of_it(scraped):
    prometheus, _ = scraped
    page = next(number for number, (case, _) in enumerate(CASES) if case.name == MISREAD)
    series = prometheus.get("/api/v1/series", **{"match[]": f'{{page="{page}"}}'})
    assert "  a" in {entry["__name__"] for entry in series}
