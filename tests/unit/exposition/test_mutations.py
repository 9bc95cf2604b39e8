"""Pages that nobody thought of: valid ones, mutated, through our judge and the real promtool."""

from ansible_collections.gpufleet.serving.plugins.plugin_utils.exposition import judge
from exposition_corpus import OPENMETRICS, promtool_refuses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PAGES = [
    b"""# HELP h latency "x" \\\\ y
# TYPE h histogram
h_bucket{a="b",le="0.1"} 1
h_bucket{a="b",le="+Inf"} 3
h_sum{a="b"} 4.5
h_count{a="b"} 3
""",
    b"""# HELP s x
# TYPE s summary
s{quantile="0.5"} 1 1234
s{quantile="0.9"} NaN
s_sum 3
s_count 2
# TYPE u untyped
u{x="\\"q\\\\\\n"} -1e-3
""",
    b"""# HELP c_total counts
# TYPE c_total counter
c_total{method="get",code="200"} 1027 1395066363000
c_total{method="post",code="400"} 3

# a comment
g 1
{"g2",l="v"} 2
""",
    b"""  # TYPE  w\tgauge
w { a = "b" , } +Inf
# TYPE gh gaugehistogram
gh_bucket{le="+Inf"} 1
gh_sum 1
gh_count 1
""",
]
PIECES = [
    *(bytes([byte]) for byte in b'"{},= \t\n\\\r#0-+e._:px\x00\xff'),
    b"\xc3\xa9",
    b'le="2",',
    b'quantile="0.1",',
    b'a="b",',
    b"# TYPE h counter\n",
    b"# TYPE h_count gauge\n",
    b"# HELP c_total x\n",
    b"NaN",
    b"Inf",
    b"_bucket",
    b"_count",
    b'"g3",',
    b" 5",
    b'\\"',
    b"{} 1\n",
    b'{a="b"} 1\n',
]


@st.composite
def mutated_pages(draw):
    page = draw(st.sampled_from(PAGES))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(page)))
        end = min(len(page), start + draw(st.sampled_from([0, 0, 1, 2, 5, 15])))
        page = page[:start] + draw(st.sampled_from([b"", *PIECES])) + page[end:]
    return page


# promtool takes 40 ms to start, so there are some dozens of pages, always the same.
@settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated_pages())
def test_a_mutated_page_is_refused_exactly_when_promtool_refuses_it(page):
    assert judge(page).malformed == promtool_refuses(page)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.one_of(st.binary(max_size=200), mutated_pages()))
def test_nothing_a_page_holds_makes_the_judge_fail(page):
    for content_type in (None, OPENMETRICS, OPENMETRICS + "; escaping=allow-utf-8"):
        for finding in judge(page, content_type).findings:
            assert 1 <= finding.line <= page.count(b"\n") + 1
