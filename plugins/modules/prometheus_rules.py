#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_rules
short_description: Check that every rule of a Prometheus evaluates
description:
  - Asks C(/api/v1/rules). Every rule must have been evaluated without an error, and those of O(expected) must be there.
  - A rule whose evaluation fails is an alert that cannot fire, and nothing else says so.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
  - gpufleet.serving.check
options:
  expected:
    description: Names of rule groups, alerts or recorded series that must be there.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Every rule evaluates
  gpufleet.serving.prometheus_rules:
    url: http://127.0.0.1:9090
    expected: [monitoring, TargetDown]
    deadline: 60
"""

RETURN = r"""
rules:
  description: How many rules there are.
  type: int
  returned: when Prometheus answered
passed:
  description: Whether every rule evaluates.
  type: bool
  returned: always
problems:
  description: What is wrong, a sentence per rule.
  type: list
  elements: str
  returned: always
"""

import difflib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.prometheus_api import ApiError, ask
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, check_spec, keep_trying

CHECK = "rules"


def check(connection: Connection, url: str, wanted: list, check_mode: bool) -> Verdict:
    """One look at all rules."""
    try:
        groups = ask(connection, url, "rules")["groups"]
    except HttpError as error:
        return Verdict.from_error(CHECK, url, error, check_mode)
    except ApiError as error:
        return Verdict(CHECK, url, problems=[f"Prometheus does not tell its rules: {error}"], final=is_agent(error))
    rules = [(group["name"], rule) for group in groups for rule in group["rules"]]
    problems = missing(rules, wanted)
    problems += [said for group, rule in rules for said in [problem(group, rule)] if said]
    return Verdict(CHECK, url, problems, detail=f"{len(rules)} rules evaluate", values={"rules": len(rules)})


def is_agent(error: ApiError) -> bool:
    """An agent has no rules and never will."""
    return "agent" in str(error).lower()


def missing(rules: list, wanted: list) -> list:
    """A sentence per name that no group and no rule has. `rules` are pairs of group name and rule."""
    loaded = sorted({name for group, rule in rules for name in (group, rule["name"])})
    problems = []
    for name in wanted:
        if name not in loaded:
            near = difflib.get_close_matches(name, loaded, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; is its file in rule_files, and was it reloaded?"
            problems.append(f"expected the group or rule {name}, which is not loaded{hint}")
    return problems


def problem(group: str, rule: dict) -> str | None:
    """What is wrong with a rule as the API describes it; None when nothing is."""
    where = f"{group}/{rule['name']}"
    if rule.get("health") == "err":
        return f"{where} fails: {rule.get('lastError') or 'without a reason'}"
    if rule.get("health") != "ok":
        return f"{where} has not been evaluated yet"
    return None


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            **check_spec(),
            "expected": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
        **CONNECTION_RULES,
    )
    params = module.params
    connection = Connection.from_params(params)
    verdict = keep_trying(
        lambda: check(connection, params["url"], params["expected"], module.check_mode),
        params["deadline"],
        params["interval"],
    )
    module.exit_json(**verdict.as_result(params["on_problem"]))


if __name__ == "__main__":
    main()
