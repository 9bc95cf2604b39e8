"""What the generator renders for an inventory, tried out by promtool."""

from pathlib import Path

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.slo import objectives, rules

CASES = sorted((Path(__file__).parent / "cases").glob("*.yml"))


def test_promtool_finds_the_rules_in_order(promtool, rule_folder):
    promtool("check", "rules", "--lint-fatal", rule_folder / "service-levels.yml")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_it_comes_out_as_it_should(promtool, rule_folder, case):
    (rule_folder / case.name).write_text(case.read_text(encoding="utf-8"), encoding="utf-8")
    promtool("test", "rules", rule_folder / case.name)


def test_without_objectives_there_is_no_rule(served):
    assert rules.rule_file([], served) == ""


def test_a_models_name_may_hold_any_character(promtool, served, tmp_path):
    promised = objectives.parse('a"b\\c/d', {"availability": 99, "latency": {"seconds": 1, "percent": 90}})
    (tmp_path / "rules.yml").write_text(rules.rule_file(promised, served), encoding="utf-8")
    promtool("check", "rules", "--lint-fatal", tmp_path / "rules.yml")


class Tagged(str):
    """Ansible's own strings carry where they come from."""


def test_what_comes_out_of_the_inventory_may_be_ansibles_own(served):
    promised = objectives.parse(Tagged("m"), {Tagged("availability"): 99, Tagged("window"): Tagged("7d")})
    assert "model_name: m\n" in rules.rule_file(promised, served)


def test_rules_are_stable_and_one_series_each(rendered, served):
    loaded = yaml.safe_load(rendered)
    recorded = [
        (rule["record"], *sorted(rule["labels"].items())) for group in loaded["groups"] for rule in group["rules"]
    ]
    assert len(recorded) == len(set(recorded))
