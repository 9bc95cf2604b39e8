"""The plan over the tables of machines."""

import re

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.driver_plan import driver_plan, plan_text
from gpu_plan_table import cases, facts_of, wishes_of


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["name"])
def test_the_plan_of_a_machine(case):
    expect = case["expect"]
    plan = driver_plan(facts_of(case), wishes_of(case))
    text = plan_text(plan)
    assert plan["action"] == expect["action"], text
    assert [step["do"] for step in plan["steps"]] == expect["steps"], text
    assert re.search(expect["says"], text), text
    assert len(plan["warnings"]) == len(expect.get("warns", [])), text
    for said, warning in zip(expect.get("warns", []), plan["warnings"], strict=True):
        assert re.search(said, warning)
    for name, wanted in expect.get("step", {}).items():
        step = next(step for step in plan["steps"] if step["do"] == name)
        assert {key: step.get(key) for key in wanted} == wanted
    for key in ("modules", "version"):
        assert key not in expect or plan[key] == expect[key]
