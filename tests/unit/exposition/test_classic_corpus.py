"""Every page of the corpus through our judge and through the real promtool."""

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.exposition import Kind, judge
from exposition_corpus import classic_cases, kinds_by_line, promtool_refuses

CASES = classic_cases()


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request):
    return request.param


def test_the_corpus_is_large_and_its_names_are_unique():
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


def test_well_formed_or_not_is_what_promtool_says(case):
    assert judge(case.body).malformed == promtool_refuses(case.body)


def test_every_finding_names_its_line(case):
    assert kinds_by_line(judge(case.body)) == case.errors


def test_being_stricter_than_promtool_has_a_reason(case):
    exposition = judge(case.body)
    assert bool(case.stricter) == (bool(exposition.errors) and not exposition.malformed)


def test_every_finding_says_what_was_expected_and_what_was_found(case):
    lines = case.body.count(b"\n") + 1
    for finding in judge(case.body).findings:
        assert finding.expected
        assert finding.found
        assert 1 <= finding.line <= lines
        assert finding.severity == ("lint" if finding.kind is Kind.LINT else "error")
        assert str(finding).startswith(f"line {finding.line}: expected ")
