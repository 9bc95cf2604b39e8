"""Every OpenMetrics page of the corpus through our judge and through prometheus_client's strict parser."""

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.exposition import judge
from exposition_corpus import OPENMETRICS, kinds_by_line, openmetrics_cases
from prometheus_client.openmetrics.parser import text_string_to_metric_families


@pytest.fixture(params=openmetrics_cases(), ids=lambda case: case.name)
def case(request):
    return request.param


def client_refuses(body: bytes) -> bool:
    try:
        list(text_string_to_metric_families(body.decode("utf-8")))
    except (ValueError, KeyError, IndexError, AttributeError):
        return True
    return False


def test_every_finding_names_its_line(case):
    assert kinds_by_line(judge(case.body, OPENMETRICS)) == case.errors


def test_the_verdict_is_prometheus_clients_but_for_a_reason(case):
    same = bool(judge(case.body, OPENMETRICS).errors) == client_refuses(case.body)
    assert same != bool(case.differs)


def test_families_get_their_classic_names():
    page = b"""# TYPE a counter
a_total{x="1"} 1
a_created{x="1"} 5
# TYPE b info
b_info{v="1"} 1
# TYPE c unknown
c 1
# TYPE d stateset
d{d="on"} 1
# TYPE e histogram
e_bucket{le="+Inf"} 1
e_count 1
e_sum 1
e_created 5
# EOF
"""
    exposition = judge(page, OPENMETRICS)
    assert exposition.errors == []
    assert {name: family.type for name, family in exposition.families.items()} == {
        "a_total": "counter",
        "a_created": "gauge",
        "b_info": "gauge",
        "c": "untyped",
        "d": "gauge",
        "e": "histogram",
        "e_created": "gauge",
    }
    assert [sample.name for sample in exposition.families["e"].samples] == ["e_bucket", "e_count", "e_sum"]


def test_of_several_points_in_time_the_newest_counts():
    exposition = judge(b"a 1 1\na 2 2\na 3 3\n# EOF\n", OPENMETRICS)
    assert [sample.value for sample in exposition.families["a"].samples] == [3]


@pytest.mark.parametrize("content_type", [OPENMETRICS + "; escaping=allow-utf-8"])
def test_names_in_utf8_are_allowed_where_the_header_says_so(content_type):
    page = b'# TYPE "a.b" gauge\n{"a.b","c.d"="e"} 1\n# EOF\n'
    assert judge(page, OPENMETRICS).malformed
    exposition = judge(page, content_type)
    assert exposition.errors == []
    assert exposition.families["a.b"].samples[0].labels == (("c.d", "e"),)
