"""A wrong query for each judgement, and right ones beside it that look much like it."""

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.contract import expectations
from ansible_collections.gpufleet.serving.plugins.plugin_utils.promql import known
from ansible_collections.gpufleet.serving.plugins.plugin_utils.promql.judge import judge

FAMILIES = yaml.safe_load("""
vllm:
  http_requests_total:
    {type: counter, labels: [handler, method, status], label_values: {status: "[1-5]xx"}, may_be_absent: true}
  vllm:kv_cache_usage_perc: {type: gauge, labels: [engine, model_name]}
  vllm:num_requests_waiting: {type: gauge, labels: [engine, model_name]}
  vllm:num_requests_running: {type: gauge, labels: [engine, model_name]}
  vllm:prompt_tokens_total: {type: counter, labels: [engine, model_name]}
  vllm:e2e_request_latency_seconds: {type: histogram, labels: [engine, model_name]}
  http_request_size_bytes: {type: summary, labels: [handler]}
node_exporter:
  node_load1: {type: gauge, labels: []}
  node_cpu_seconds_total: {type: counter, labels: [cpu, mode]}
  node_filesystem_avail_bytes: {type: gauge, labels: [device, mountpoint]}
  node_filesystem_size_bytes: {type: gauge, labels: [device, mountpoint]}
  node_memory_MemTotal_bytes: {type: gauge, labels: [], min: 1}
  node_netstat_Tcp_InSegs: {type: untyped, labels: []}
""")


@pytest.fixture(scope="module")
def vocabulary() -> known.Vocabulary:
    words = known.Vocabulary(
        jobs={"vllm": "vllm", "node": "node_exporter"},
        renames={"vllm:gpu_cache_usage_perc": "vllm:kv_cache_usage_perc"},
    )
    for component, families in FAMILIES.items():
        for family in expectations(families, component):
            words.types[family.name] = family.type
            for series in known.exposed(family, component, known.TARGET_LABELS):
                words.add(series)
    words.add(known.Series("up", known.Vector("gauge", may=known.TARGET_LABELS, sure=frozenset({"job", "instance"}))))
    return words


WRONG = {
    "does not parse": ("sum(node_load1", "cannot be parsed"),
    "unknown metric": ("node_load2", "column 1: no contract knows node_load2; did you mean node_load1?"),
    "unknown metric, and far from any": ("zzz", "record a contract that has it"),
    "renamed": (
        "max(vllm:gpu_cache_usage_perc)",
        "column 5: no contract knows vllm:gpu_cache_usage_perc; it is called vllm:kv_cache_usage_perc now",
    ),
    "histogram without a suffix": ("vllm:e2e_request_latency_seconds", "query vllm:e2e_request_latency_seconds_bucket"),
    "counter without _total": ("rate(http_requests[5m])", "it is called http_requests_total"),
    "gauge with _total": ("node_load1_total", "it is called node_load1, a gauge"),
    "metric of another job": ('node_load1{job="vllm"}', 'job="vllm" does not expose node_load1; node_exporter does'),
    "no metric at all": ('{__name__=~"node_.*"}', "names no metric"),
    "unknown label": ('node_cpu_seconds_total{modus="idle"}', "column 24: node_cpu_seconds_total has no label modus"),
    "label's nearest name": ('node_cpu_seconds_total{mod="idle"}', "did you mean mode?"),
    "value that never occurs": ('http_requests_total{status="500"}', 'is never "500"; it matches [1-5]xx'),
    "unknown label in by": ("sum by (gpu) (node_load1)", "sum by (gpu): no series has a label gpu"),
    "unknown label in without": ("sum without (gpu) (node_load1)", "sum without (gpu): no series has a label gpu"),
    "label that was aggregated away": ("sum by (mode) (sum by (cpu) (rate(node_cpu_seconds_total[5m])))", "by (mode)"),
    "unknown label in on": ("node_load1 / on (gpu) node_load1", "the left side has no label gpu"),
    "unknown label in ignoring": ("node_load1 / ignoring (gpu) node_load1", "neither side has a label gpu"),
    "unknown label in group_left": ("up * on (instance) group_left (gpu) node_load1", "lends no label gpu"),
    "unknown label in label_replace": ('label_replace(node_load1, "a", "$1", "gpu", "(.*)")', "has a label gpu"),
    "rate over a gauge": ("rate(vllm:kv_cache_usage_perc[5m])", "rate over a gauge: vllm:kv_cache_usage_perc may fall"),
    "increase over a gauge": ("increase(node_load1[5m])", "increase over a gauge"),
    "rate of a rate": ("rate(rate(vllm:prompt_tokens_total[5m])[5m:])", "rate over a gauge"),
    "rate of a sum": ("rate(sum(vllm:prompt_tokens_total)[5m:])", "rate over a sum of counters"),
    "gauge's function over a counter": ("avg_over_time(vllm:prompt_tokens_total[5m])", "avg_over_time over a counter"),
    "deriv over a counter": ("deriv(node_cpu_seconds_total[5m])", "deriv over a counter"),
    "quantile without le": (
        "histogram_quantile(0.9, sum by (instance) (rate(vllm:e2e_request_latency_seconds_bucket[5m])))",
        "histogram_quantile without le",
    ),
    "quantile over a sum without (le)": (
        "histogram_quantile(0.9, sum without (le) (rate(vllm:e2e_request_latency_seconds_bucket[5m])))",
        "histogram_quantile without le",
    ),
    "quantile of raw buckets": (
        "histogram_quantile(0.9, vllm:e2e_request_latency_seconds_bucket)",
        "since the start of the program",
    ),
    "quantile of no histogram": (
        "histogram_quantile(0.9, rate(vllm:prompt_tokens_total[5m]))",
        "histogram_quantile of vllm:prompt_tokens_total, which are no buckets",
    ),
    "quantile in per cent": (
        "histogram_quantile(95, sum by (le) (rate(vllm:e2e_request_latency_seconds_bucket[5m])))",
        "lies between 0 and 1, this one is 95",
    ),
    "buckets summed up": ("sum(rate(vllm:e2e_request_latency_seconds_bucket[5m]))", "adds the buckets"),
    "buckets summed up without le": (
        "sum without (le) (rate(vllm:e2e_request_latency_seconds_bucket[5m]))",
        "adds the buckets",
    ),
    "sides that differ in labels": ("sum by (instance) (node_load1) / node_load1", "never match"),
    "sides of two jobs": (
        "vllm:num_requests_waiting / ignoring (engine, model_name) node_load1",
        "vllm and node_exporter differ in the label job",
    ),
    "infinite ratio": ("node_load1 / node_filesystem_avail_bytes > 2", "the two sides never match"),
    "infinite ratio, sides that match": (
        "vllm:num_requests_waiting / vllm:num_requests_running > 2",
        "where vllm:num_requests_running is 0 the ratio is infinite",
    ),
    "infinite ratio, turned round": ("2 < 100 * (vllm:num_requests_waiting / vllm:num_requests_running)", "infinite"),
    "infinite ratio, taken from one": ("1 - vllm:num_requests_waiting / vllm:num_requests_running < 0", "infinite"),
    "division by a vector": ("1 / vllm:num_requests_running > 2", "infinite"),
}


@pytest.mark.parametrize(("query", "said"), WRONG.values(), ids=WRONG)
def test_wrong_queries_are_told_what_is_wrong(vocabulary, query, said):
    messages = [finding.placed(query) for finding in judge(query, vocabulary).findings]
    assert any(said in message for message in messages), messages


RIGHT = [
    "node_load1",
    "time() - 3",
    "vector(0)",
    'sum(rate(http_requests_total{status="5xx", site=~".*"}[5m])) or vector(0)',
    'http_requests_total{status!="500x"}',
    'http_requests_total{status=~"[45]xx"}',
    "histogram_quantile(0.9, sum by (le, instance) (rate(vllm:e2e_request_latency_seconds_bucket[5m])))",
    "histogram_quantile(0.9, rate(vllm:e2e_request_latency_seconds_bucket[5m]))",
    "histogram_quantile(0.5, avg without (engine) (increase(vllm:e2e_request_latency_seconds_bucket[1h])))",
    'sum(rate(vllm:e2e_request_latency_seconds_bucket{le="2.5"}[5m]))',
    "rate(vllm:e2e_request_latency_seconds_sum[5m]) / rate(vllm:e2e_request_latency_seconds_count[5m]) > 3",
    'sum(rate(http_requests_total{status="5xx"}[5m])) / sum(rate(http_requests_total[5m])) > 0.05',
    "node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1",
    "node_load1 / node_memory_MemTotal_bytes > 1",
    "vllm:num_requests_waiting / (vllm:num_requests_running > 0) > 2",
    "vllm:num_requests_waiting / clamp_min(vllm:num_requests_running, 1) > 2",
    "node_load1 / on (instance) group_left () count by (instance) (node_cpu_seconds_total) > 2",
    "vllm:num_requests_waiting / vllm:num_requests_running",
    "rate(node_netstat_Tcp_InSegs[5m])",
    "avg_over_time(node_netstat_Tcp_InSegs[5m])",
    "max_over_time(rate(vllm:prompt_tokens_total[1m])[1h:1m])",
    "topk(3, sum by (handler) (rate(http_requests_total[5m])))",
    'count by (version) (count_values("version", node_load1))',
    'label_replace(node_load1, "host", "$1", "instance", "(.*)")',
    "up * on (instance) group_left (mode) node_cpu_seconds_total",
    'absent(node_load1{instance="a"}) and on (instance) up',
    "node_load1 and on (instance) vllm:num_requests_waiting > 0",
    "sum by (instance) (node_load1) or sum(node_load1)",
    "changes(node_load1[5m]) or resets(vllm:prompt_tokens_total[5m])",
    "http_request_size_bytes_sum / http_request_size_bytes_count > 5",
]


@pytest.mark.parametrize("query", RIGHT)
def test_right_queries_are_left_alone(vocabulary, query):
    assert [finding.placed(query) for finding in judge(query, vocabulary).findings] == []


def test_a_place_is_told_by_line_and_column(vocabulary):
    query = "node_load1\n  + node_load2"
    assert [finding.placed(query) for finding in judge(query, vocabulary).findings] == [
        "line 2, column 5: no contract knows node_load2; did you mean node_load1?"
    ]


def test_two_versions_of_a_component_widen_what_is_known(vocabulary):
    for version in ({"a": {"type": "gauge", "labels": ["x"]}}, {"a": {"type": "counter", "labels": ["y"]}}):
        for family in expectations(version, "v"):
            for series in known.exposed(family, "some", ()):
                vocabulary.add(series)
    assert judge("rate(a{x='1', y='2'}[5m])", vocabulary).findings == []
