"""The proof at rest: every query of a dashboard and every rule, against what the programs expose."""

from pathlib import Path

from ansible_collections.gpufleet.serving.plugins.plugin_utils.promql import known, rules

ROOT = Path(__file__).resolve().parents[2]
RULES = [rule for file, text in rules.rule_files(ROOT).items() for rule in rules.rules_of(text, file)]


def test_every_rule_can_work():
    vocabulary = known.vocabulary(ROOT)
    problems = rules.learn(vocabulary, RULES)
    problems += rules.judge_rules(RULES, vocabulary)
    assert problems == []


def test_every_rule_is_tested():
    tests = rules.tests_of(rules.rule_files(ROOT, "rules_test").values())
    assert list(rules.judge_tests(RULES, tests)) == []
