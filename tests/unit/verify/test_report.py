"""The verdict over a fleet."""

from ansible_collections.gpufleet.serving.plugins.plugin_utils.report import checks_of, document, table

GOOD = {"check": "contract", "subject": "http://h/metrics", "passed": True, "detail": "3 families", "problems": []}
BAD = {"check": "completion", "subject": "tiny", "passed": False, "problems": ["no answer"]}


def test_results_of_a_loop_and_of_single_tasks_become_rows():
    rows = checks_of("h", "vllm", {"__vllm_verify_a": {"results": [GOOD, BAD]}, "__vllm_verify_b": GOOD, "other": 1})
    assert [row.passed for row in rows] == [True, False, True]


def test_a_host_nobody_looked_at_is_red():
    (row,) = checks_of("h", "vllm", {"__vllm_verify_a": {"skipped": True, "changed": False}})
    assert not row.passed
    assert "nothing was checked" in row.problems[0]


def test_a_check_that_failed_itself_is_red_even_if_it_says_passed():
    (row,) = checks_of("h", "vllm", {"__vllm_verify_a": {**GOOD, "failed": True, "msg": "boom"}})
    assert (row.passed, row.problems) == (False, ["boom"])


def test_a_red_row_always_says_why():
    (row,) = checks_of("h", "vllm", {"__vllm_verify_a": {"check": "x", "passed": False}})
    assert row.problems


def test_the_table_shows_problems_under_their_row():
    lines = table(checks_of("gpu1", "vllm", {"__vllm_verify_a": {"results": [GOOD, BAD]}}))
    text = [line for line, _ in lines]
    assert text[0].split() == ["host", "component", "check", "result", "what"]
    assert text[-1] == "    no answer"
    assert [good for _, good in lines] == [True, True, False, False]


def test_the_document_passes_only_when_all_rows_do():
    rows = checks_of("h", "vllm", {"__vllm_verify_a": GOOD})
    assert document(rows, "2026-01-01T00:00:00+00:00")["passed"] is True
    rows += checks_of("h", "vllm", {"__vllm_verify_a": BAD})
    assert document(rows, "2026-01-01T00:00:00+00:00")["passed"] is False
