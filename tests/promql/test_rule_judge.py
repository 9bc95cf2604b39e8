"""Rule files that are wrong in one way each."""

import textwrap

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.promql import known, rules


@pytest.fixture
def vocabulary() -> known.Vocabulary:
    words = known.Vocabulary()
    for name, kind in {"up": "gauge", "requests_total": "counter", "latency_bucket": "bucket"}.items():
        labels = known.TARGET_LABELS | ({"le"} if kind == "bucket" else frozenset())
        words.add(known.Series(name, known.Vector(kind, may=labels, sure=frozenset({"job", "instance"}))))
    return words


def rule_list(*entries: str, group: str = "g", file: str = "rules.yml") -> list[rules.Rule]:
    body = "".join(textwrap.indent(f"- {textwrap.indent(entry, '  ').strip()}\n", "      ") for entry in entries)
    return rules.rules_of(f"groups:\n  - name: {group}\n    rules:\n{body}", file)


def problems(vocabulary: known.Vocabulary, found: list[rules.Rule]) -> list[str]:
    return [*rules.learn(vocabulary, found), *rules.judge_rules(found, vocabulary)]


RATE = "record: instance:requests:rate5m\nexpr: sum by (instance) (rate(requests_total[5m]))"


def test_a_recorded_series_is_known_with_its_labels_and_kind(vocabulary):
    found = rule_list(
        RATE, "alert: A\nexpr: rate(instance:requests:rate5m[5m]) > 1", "alert: B\nexpr: up{site='x'} > 0"
    )
    assert problems(vocabulary, found) == [
        "rules.yml: g/A: column 1: rate over a gauge: instance:requests:rate5m may fall, which counts as a reset; take "
        "delta or deriv"
    ]


def test_a_recorded_series_has_only_the_labels_that_its_expression_leaves(vocabulary):
    [said] = problems(vocabulary, rule_list(RATE, "alert: A\nexpr: instance:requests:rate5m{site='x'} > 1"))
    assert "has no label site" in said


def test_a_sum_that_is_recorded_as_a_total_may_be_rated(vocabulary):
    record = "record: instance:requests:{}\nexpr: sum by (instance) (requests_total)"
    alert = "alert: A\nexpr: rate(instance:requests:{}[5m]) > 1"
    assert problems(vocabulary, rule_list(record.format("total"), alert.format("total"))) == []
    [said] = problems(vocabulary, rule_list(record.format("sum"), alert.format("sum")))
    assert "rate over a sum of counters" in said


def test_recorded_buckets_can_be_asked_for_quantiles(vocabulary):
    found = rule_list(
        "record: job:latency:rate5m\nexpr: sum by (job, le) (rate(latency_bucket[5m]))",
        "alert: A\nexpr: histogram_quantile(0.9, sum by (le) (job:latency:rate5m)) > 1",
    )
    assert problems(vocabulary, found) == []


def test_a_series_that_its_group_records_later_is_told(vocabulary):
    [said] = problems(vocabulary, rule_list("alert: A\nexpr: instance:requests:rate5m > 1", RATE))
    assert said.startswith("rules.yml: g/A: uses instance:requests:rate5m, which its group records only later")


def test_a_series_that_nobody_records_is_told(vocabulary):
    [said] = problems(vocabulary, rule_list("alert: A\nexpr: instance:requests:rate1h > 1"))
    assert "no contract knows instance:requests:rate1h" in said


def test_a_series_that_needs_itself_is_told(vocabulary):
    found = rule_list("record: a:b:c\nexpr: a:b:d * 2", "record: a:b:d\nexpr: a:b:c * 2")
    assert any("needs itself: a:b:c -> a:b:d -> a:b:c" in said for said in problems(vocabulary, found))


def test_a_recorded_name_without_a_level_is_told(vocabulary):
    [said] = problems(vocabulary, rule_list("record: requests_rate\nexpr: sum(rate(requests_total[5m]))"))
    assert "is called level:metric:operations" in said


def test_a_template_may_name_only_labels_that_the_alert_carries(vocabulary):
    text = "labels: {severity: page}\nannotations: {summary: '{{ $labels.instance }} {{ $labels.severity }}'}"
    assert problems(vocabulary, rule_list(f"alert: A\nexpr: up == 0\n{text}")) == []
    [said] = problems(vocabulary, rule_list(f"alert: A\nexpr: sum(up) == 0\n{text}"))
    assert said == "rules.yml: g/A: summary names the label instance, which the alert does not carry; it has none"


def test_alerts_carry_what_the_alerts_carry(vocabulary):
    found = rule_list(
        "alert: A\nexpr: up == 0\nlabels: {severity: page}", "alert: B\nexpr: ALERTS{severity='page'} > 0"
    )
    assert problems(vocabulary, found) == []
    assert any(
        "has no label tier" in said for said in problems(vocabulary, rule_list("alert: C\nexpr: ALERTS{tier='1'}"))
    )


FIRES = """
tests:
  - alert_rule_test:
      - {eval_time: 5m, alertname: A, exp_alerts: [{exp_labels: {}}]}
      - {eval_time: 5m, alertname: B, exp_alerts: []}
    promql_expr_test:
      - {expr: "a:b:read > 0", eval_time: 5m, exp_samples: [{value: 1}]}
      - {expr: "a:b:empty", eval_time: 5m, exp_samples: []}
"""


def test_a_rule_without_a_test_is_told():
    found = rule_list(
        "alert: A\nexpr: a:b:used > 0",
        "alert: B\nexpr: up == 0",
        "record: a:b:read\nexpr: a:b:deep * 2",
        "record: a:b:used\nexpr: up * 2",
        "record: a:b:deep\nexpr: up * 2",
        "record: a:b:empty\nexpr: up * 3",
        "record: a:b:unread\nexpr: up * 3",
    )
    assert [
        said.partition(":")[2].partition(": ")[0].strip() for said in rules.judge_tests(found, rules.tests_of([FIRES]))
    ] == [
        "g/B",
        "g/a:b:empty",
        "g/a:b:unread",
    ]
