#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_query
short_description: Query Prometheus and assert something of the result
description:
  - Runs an instant query, or a range query when O(last) is given, and checks the result against O(that).
  - Without O(that) it only has to be a query that Prometheus can evaluate.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
  - gpufleet.serving.check
options:
  query:
    description: PromQL.
    type: str
    required: true
  that:
    description:
      - A comparison with a number, such as V(> 0.99) or V(== 1 for any). Without V(for any) it must hold for all
        series, and in a range for each of their samples. An empty result fails it, and NaN never satisfies it.
      - V(absent) wants an empty result, V(present) any other.
    type: str
  min_series:
    description: How many series there must be at the least.
    type: int
    default: 0
  last:
    description: Asks for the samples of the last seconds instead of the newest.
    type: float
  step:
    description: Seconds between the samples of O(last).
    type: float
    default: 15.0
"""

EXAMPLES = r"""
- name: Every target has been up for five minutes
  gpufleet.serving.prometheus_query:
    url: http://127.0.0.1:9090
    query: up
    that: == 1 for all
    last: 300
    deadline: 60
"""

RETURN = r"""
series:
  description: The result, each with its labels and its values as [time, value].
  type: list
  elements: dict
  returned: when Prometheus answered
passed:
  description: Whether the assertion holds.
  type: bool
  returned: always
problems:
  description: What was expected and what was found.
  type: list
  elements: str
  returned: always
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.assertion import (
    Assertion,
    AssertionSyntaxError,
    parse,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.prometheus_api import ApiError, ask, labels_text
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, check_spec, keep_trying


def check(connection: Connection, params: dict, assertion: Assertion | None, check_mode: bool) -> Verdict:
    """One query, judged."""
    subject = params["query"]
    try:
        data = ask(connection, params["url"], *_request(params))
    except HttpError as error:
        return Verdict.from_error("query", subject, error, check_mode)
    except ApiError as error:
        return Verdict("query", subject, problems=[f"{subject}: Prometheus refuses the query: {error}"], final=True)
    series = normalise(data)
    named = [(labels_text(one["labels"]), [float(value) for _time, value in one["values"]]) for one in series]
    problems = assertion.problems(named) if assertion else []
    if len(series) < params["min_series"]:
        problems.append(f"expected at least {params['min_series']} series, found {len(series)}")
    return Verdict(
        "query",
        subject,
        problems=[f"{subject}: {problem}" for problem in problems],
        detail=f"{assertion.text if assertion else 'evaluates'} ({len(series)} series)",
        values={"series": series},
    )


def _request(params: dict) -> tuple:
    if params["last"] is None:
        return "query", {"query": params["query"]}
    now = time.time()
    window = {"start": now - params["last"], "end": now, "step": params["step"]}
    return "query_range", {"query": params["query"], **window}


def normalise(data: dict) -> list:
    """Vectors, matrices and scalars alike: a list of labels and values."""
    if data["resultType"] in ("scalar", "string"):
        return [{"labels": {}, "values": [data["result"]]}]
    return [
        {"labels": one["metric"], "values": one["values"] if "values" in one else [one["value"]]}
        for one in data["result"]
    ]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            **check_spec(),
            "query": {"type": "str", "required": True},
            "that": {"type": "str"},
            "min_series": {"type": "int", "default": 0},
            "last": {"type": "float"},
            "step": {"type": "float", "default": 15.0},
        },
        supports_check_mode=True,
        **CONNECTION_RULES,
    )
    params = module.params
    try:
        assertion = parse(params["that"]) if params["that"] else None
    except AssertionSyntaxError as error:
        module.fail_json(msg=f"that: {error}")
    connection = Connection.from_params(params)
    verdict = keep_trying(
        lambda: check(connection, params, assertion, module.check_mode), params["deadline"], params["interval"]
    )
    module.exit_json(**verdict.as_result(params["on_problem"]))


if __name__ == "__main__":
    main()
