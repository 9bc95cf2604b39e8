"""Contracts: reading them, and what a page that breaks one is told."""

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.contract import (
    ContractError,
    check,
    expectations,
    load,
)
from ansible_collections.gpufleet.serving.plugins.plugin_utils.exposition import judge

PAGE = judge(b"""# TYPE requests_total counter
requests_total{code="200",path="/"} 5
requests_total{code="500",path="/"} 1
# TYPE usage gauge
usage{engine="0"} 0.5
usage{engine="1"} 1.5
# TYPE latency_seconds histogram
latency_seconds_bucket{path="/",le="1"} 3
latency_seconds_bucket{path="/",le="+Inf"} 4
latency_seconds_sum{path="/"} 9
latency_seconds_count{path="/"} 4
# TYPE quiet_total counter
# TYPE mixed gauge
mixed{a="1"} 1
mixed 2
""")


def problems(families, renames=None) -> list[str]:
    return check(PAGE, expectations(families, "expect"), renames)


@pytest.mark.parametrize(
    "wanted",
    [
        {"requests_total": None},
        {"requests_total": {"type": "counter", "labels": ["code", "path"], "series": 2, "min": 0}},
        {"requests_total": {"labels": ["code"], "min_series": 1, "max_series": 2}},
        {"requests_total": {"labels": ["code"], "optional_labels": ["path", "not_there_today"]}},
        {"requests_total": {"label_values": {"code": "[0-9]{3}"}}},
        {"usage": {"type": "gauge", "min": 0, "max": 1.5, "series": 2}},
        {"latency_seconds": {"type": "histogram", "labels": ["path"], "series": 1}},
        {"quiet_total": {"type": "counter", "may_be_absent": True}},
        {"nowhere": {"may_be_absent": True}},
        ["requests_total", "usage"],
    ],
)
def test_a_page_that_keeps_it_has_no_problem(wanted):
    assert problems(wanted) == []


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"usage": {"type": "counter"}}, "usage: expected a counter, found a gauge (line 4)"),
        ({"usage": {"labels": ["engine", "model"]}}, "usage: expected the labels engine, model, found engine (line 5)"),
        ({"mixed": {"labels": ["a"]}}, "mixed: expected the labels a, found no label (line 15)"),
        ({"usage": {"max": 1}}, 'usage: expected 1 or less, found 1.5 for usage{engine="1"} (line 6)'),
        ({"usage": {"min": 1}}, 'usage: expected 1 or more, found 0.5 for usage{engine="0"} (line 5)'),
        ({"usage": {"min": 0, "max": 1}}, 'usage: expected 0 to 1, found 1.5 for usage{engine="1"} (line 6)'),
        ({"usage": {"series": 3}}, "usage: expected 3 series, found 2"),
        ({"usage": {"min_series": 3}}, "usage: expected at least 3 series, found 2"),
        ({"usage": {"max_series": 1}}, "usage: expected at most 1 series, found 2"),
        (
            {"requests_total": {"label_values": {"code": "2.."}}},
            "requests_total: expected code to match 2.., found '500' (line 3)",
        ),
        (
            {"usage": {"label_values": {"host": ".+"}}},
            "usage: expected host to match .+, found '' (line 5), '' (line 6)",
        ),
        (
            {"quiet_total": {"type": "counter"}},
            "quiet_total: expected a counter of that name, found no series of it; line 12 only announces it",
        ),
        (
            {"usages": {"type": "gauge"}},
            "usages: expected a gauge of that name, found none; did you mean usage?",
        ),
        (
            {"latency_seconds_bucket": None},
            "latency_seconds_bucket: expected a family of that name, found none; did you mean latency_seconds?",
        ),
        (["nowhere"], "nowhere: expected a family of that name, found none"),
    ],
)
def test_a_problem_says_what_was_expected_and_what_was_found(wanted, said):
    assert problems(wanted) == [said]


def test_a_known_rename_goes_before_the_nearest_name():
    renames = {"usag": "requests_total", "old_seconds": "latency_seconds"}
    assert problems(["usag"], renames) == [
        "usag: expected a family of that name, found none; it is called requests_total now"
    ]
    assert "called latency_seconds now" in problems(["old_seconds_bucket"], renames)[0]


def test_all_problems_are_told_at_once():
    assert len(problems({"nowhere": None, "usage": {"type": "counter", "series": 3}})) == 3


def test_many_wrong_series_are_one_problem():
    lines = "".join(f'a{{n="{number}"}} {number}\n' for number in range(1, 50))
    said = check(judge(lines.encode()), expectations({"a": {"max": 0}}, "expect"))
    assert len(said) == 1
    assert said[0].endswith('3 for a{n="3"} (line 3) and 46 more')


def test_a_value_that_says_unsupported_is_beyond_the_bounds_judgement():
    page = judge(b'# TYPE temperature gauge\ntemperature{gpu="0"} 9223372036854775794\ntemperature{gpu="1"} 150\n')
    said = check(page, expectations({"temperature": {"min": 0, "max": 120, "unsupported": 9.2e18}}, "expect"))
    assert said == ['temperature: expected 0 to 120, found 150 for temperature{gpu="1"} (line 3)']


def test_nan_is_within_no_bounds():
    assert check(judge(b"a NaN\n"), expectations({"a": {"min": 0}}, "e")) == [
        "a: expected 0 or more, found nan for a (line 1)"
    ]


HEAD = 'component: c\nversion: "1"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "c.yml: not YAML"),
        ("[]", "c.yml: a contract has the keys component, version, families"),
        (HEAD, "c.yml: a contract has the keys"),
        (HEAD + "families: []\n", "c.yml: families: expected a mapping of names, found []"),
        (HEAD + "families: {}\nfamilis: {}\n", "c.yml: unknown key 'familis'; did you mean families?"),
        (HEAD + "families: {a: gauge}\n", "c.yml: a: expected a mapping such as {type: gauge}, found 'gauge'"),
        (HEAD + "families: {a: {typ: gauge}}\n", "c.yml: a: unknown key 'typ'; did you mean type?"),
        (HEAD + "families: {a: {zzz: 1}}\n", "c.yml: a: unknown key 'zzz'; the keys are type, labels"),
        (HEAD + "families: {a: {type: guage}}\n", "c.yml: a: 'guage' is no type; the types are counter, gauge"),
        (HEAD + "families: {a: {labels: x}}\n", "c.yml: a: labels cannot be 'x'"),
        (HEAD + "families: {a: {min: true}}\n", "c.yml: a: min cannot be True"),
        (HEAD + "families: {a: {series: 1.5}}\n", "c.yml: a: series cannot be 1.5"),
        (HEAD + "families: {a: {label_values: {x: '['}}}\n", "label_values: '[' is no regular expression"),
        (HEAD + "families: {a: {type: histogram, labels: [le]}}\n", "le belongs to every histogram; leave it out"),
        (HEAD + "families: {a: {type: summary, max: 1}}\n", "a summary has no min and max"),
    ],
)
def test_a_bad_contract_is_told_where_and_what_to_write(text, said):
    with pytest.raises(ContractError) as error:
        load(text, "c.yml")
    assert said in str(error.value)


def test_expectations_that_are_no_families():
    with pytest.raises(ContractError, match="expect: expected family names"):
        expectations("node_load1", "expect")
