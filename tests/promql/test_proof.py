"""The proof at rest: every query of a dashboard and every rule, against what the programs expose."""

import json
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.promql import known, rules
from ansible_collections.gpufleet.serving.plugins.plugin_utils.promql.dashboards import judge_dashboard
from ansible_collections.gpufleet.serving.plugins.plugin_utils.slo import example

ROOT = Path(__file__).resolve().parents[2]
RULES = [rule for file, text in rules.rule_files(ROOT).items() for rule in rules.rules_of(text, file)]
# What the inventory's objectives become; tests/unit/slo tries it.
GENERATED = [rule for file, text in example.rule_files(ROOT).items() for rule in rules.rules_of(text, file)]
DASHBOARDS = sorted(ROOT.glob("roles/*/files/monitoring/dashboards/*.json"))


@pytest.fixture(scope="module")
def learnt() -> tuple[known.Vocabulary, list[str]]:
    """What may be named, and what is wrong with the order in which it is recorded."""
    vocabulary = known.vocabulary(ROOT)
    return vocabulary, rules.learn(vocabulary, [*RULES, *GENERATED])


def test_every_rule_can_work(learnt):
    vocabulary, problems = learnt
    assert [*problems, *rules.judge_rules([*RULES, *GENERATED], vocabulary)] == []


def test_every_rule_is_tested():
    tests = rules.tests_of(rules.rule_files(ROOT, "rules_test").values())
    assert list(rules.judge_tests(RULES, tests)) == []


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_every_query_of_a_dashboard_can_work(learnt, file):
    document = json.loads(file.read_text(encoding="utf-8"))
    assert list(judge_dashboard(document, str(file.relative_to(ROOT)), learnt[0])) == []
