"""Recording: a page before traffic and one after it make one contract that keeps both."""

from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.contract import (
    ContractError,
    check,
    load,
    read,
)
from ansible_collections.gpufleet.serving.plugins.plugin_utils.contract_record import comments_of, dump, record
from ansible_collections.gpufleet.serving.plugins.plugin_utils.exposition import judge

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings" / "vllm-0.32.0-cpu"
BEFORE = judge(b'# TYPE a gauge\na{x="1"} 1\n# TYPE hits_total counter\n')
AFTER = judge(b'# TYPE a gauge\na{x="1",y="2"} 1\n# TYPE hits_total counter\nhits_total{code="200"} 1\n')


def test_what_is_there_only_after_traffic_may_be_absent():
    both = record(AFTER, "c", "1", record(BEFORE, "c", "1"))
    assert both["families"] == {
        "a": {"type": "gauge", "labels": ["x"]},
        "hits_total": {"type": "counter", "labels": ["code"], "may_be_absent": True},
    }


def test_what_is_gone_later_may_be_absent():
    both = record(BEFORE, "c", "1", record(AFTER, "c", "1"))
    assert both["families"]["hits_total"]["may_be_absent"]


def test_recording_the_same_again_changes_nothing():
    both = record(AFTER, "c", "1", record(BEFORE, "c", "1"))
    assert record(AFTER, "c", "1", both) == both
    assert record(BEFORE, "c", "1", both) == both


def test_what_was_written_by_hand_stays():
    former = {"component": "c", "version": "1", "families": {"a": {"type": "gauge", "labels": ["x"], "max": 9}}}
    assert record(BEFORE, "c", "1", former)["families"]["a"]["max"] == 9


@pytest.mark.parametrize(("component", "version"), [("d", "1"), ("c", "2")])
def test_another_components_contract_is_not_overwritten(component, version):
    with pytest.raises(ContractError, match="expected the contract of"):
        record(AFTER, component, version, record(BEFORE, "c", "1"))


def test_a_family_that_changed_its_type_is_told():
    with pytest.raises(ContractError, match="a: expected a gauge as recorded before, found a counter"):
        record(judge(b"# TYPE a counter\na 1\n"), "c", "1", record(BEFORE, "c", "1"))


def test_labels_of_an_info_and_of_the_runtime_are_not_promised():
    page = judge(b'x_info{version="1"} 1\ngo_goroutines 5\na_created 1\na_total 1\n')
    assert record(page, "c", "1")["families"] == {
        "a_total": {"type": "untyped", "labels": []},
        "x_info": {"type": "untyped", "labels": []},
    }


def test_the_file_reads_back_and_keeps_its_comments():
    kept = record(AFTER, "c", "1.20", record(BEFORE, "c", "1.20"))
    kept["families"]["a"]["label_values"] = {"x": "[0-9]+|" + "long" * 40}
    text = dump(kept, "# Why some may be absent.\n")
    assert read(text, "c.yml") == kept
    assert comments_of(text) == "# Why some may be absent.\n"
    assert max(map(len, dump(record(AFTER, "c", "1")).splitlines())) < 140


def test_vllms_recordings_keep_the_contract_made_of_them():
    pages = [judge((RECORDINGS / name).read_bytes()) for name in ("metrics-before-any-request.txt", "metrics.txt")]
    kept = record(pages[1], "vllm", "0.32.0", record(pages[0], "vllm", "0.32.0"))
    wanted = load(dump(kept), "recorded")
    assert [check(page, wanted) for page in pages] == [[], []]
    assert kept["families"]["http_requests_total"]["may_be_absent"]
    assert "may_be_absent" not in kept["families"]["vllm:e2e_request_latency_seconds"]
