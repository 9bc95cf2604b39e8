"""What the inventory check says, and what it leaves alone."""

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils import inventory_check as check

KNOWN = {"vllm_port", "vllm_instances", "prometheus_port", "prometheus_mode", "gpufleet_site"}
COMPONENTS = ["vllm", "prometheus"]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("vllm_prot", "vllm_port"),
        ("vllm_instance", "vllm_instances"),
        ("gpufleet_sit", "gpufleet_site"),
        ("promethus_port", "prometheus_port"),
        ("vlm_instances", "vllm_instances"),
    ],
)
def test_a_misspelt_name_is_named_with_the_nearest_right_one(name, suggestion):
    (problem,) = check.misspelt([name], KNOWN, COMPONENTS)
    assert problem.startswith(f"{name}: ")
    assert suggestion in problem


@pytest.mark.parametrize(
    "name", ["vllm_port", "ansible_host", "group_names", "my_port", "port", "vllmish", "__internal", "http_proxy"]
)
def test_other_names_are_the_operators_own_business(name):
    assert check.misspelt([name], KNOWN, COMPONENTS) == []


def test_a_reserved_name_can_be_declared_as_ones_own():
    assert check.misspelt(["vllm_owner_mail"], KNOWN, COMPONENTS, allowed=["vllm_owner_mail"]) == []
    (problem,) = check.misspelt(["vllm_owner_mail"], KNOWN, COMPONENTS)
    assert "gpufleet_foreign_variables" in problem


def test_missing_and_ill_typed_variables_are_all_named_at_once():
    options = {
        "a_port": {"type": "int", "required": True},
        "a_mode": {"type": "str", "choices": ["x", "y"]},
        "a_list": {"type": "list", "elements": "dict", "options": {"name": {"type": "str", "required": True}}},
    }
    problems = "\n".join(check.spec_problems(options, {"a_mode": "z", "a_list": [{}]}))
    assert "a_port" in problems
    assert "a_mode" in problems
    assert "name found in a_list" in problems


def test_a_problem_of_many_hosts_is_said_once():
    lines = check.group_by_host({f"gpu{number}": ["port is wrong"] for number in range(1, 6)})
    assert lines == ["gpu1, gpu2, gpu3 and 2 more: port is wrong"]
