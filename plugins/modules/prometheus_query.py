#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_query
short_description: Query Prometheus and assert something of the result
description:
  - Runs an instant query, or a range query when O(last) or O(start) is given, and checks the result against O(that).
  - Without O(that) it only has to be a query that Prometheus can evaluate.
  - Speaks the API of Prometheus 2 and 3; an agent cannot be queried.
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
    description: Asks for the samples of so long until now, such as V(5m) or V(90) seconds, instead of the newest.
    type: str
  start:
    description: Begin of a range, as RFC 3339 or seconds since 1970; together with O(end).
    type: str
  end:
    description: End of a range.
    type: str
  step:
    description: Time between the samples of a range.
    type: str
    default: 15s
"""

EXAMPLES = r"""
- name: Every target has been up for five minutes
  gpufleet.serving.prometheus_query:
    url: http://127.0.0.1:9090
    query: up
    that: == 1 for all
    last: 5m
    deadline: 60

- name: Nothing fires
  gpufleet.serving.prometheus_query:
    url: http://127.0.0.1:9090
    query: ALERTS{alertstate="firing"}
    that: absent
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
from ansible_collections.gpufleet.serving.plugins.module_utils.durations import DurationError, seconds
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.prometheus_api import ApiError, ask, labels_text
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, check_spec, keep_trying

CHECK = "query"


def check(connection: Connection, params: dict, assertion: Assertion | None, check_mode: bool) -> Verdict:
    """One query, judged."""
    subject = params["query"]
    try:
        series = normalise(ask(connection, params["url"], *request(params, time.time())))
    except HttpError as error:
        return Verdict.from_error(CHECK, subject, error, check_mode)
    except ApiError as error:
        return Verdict(CHECK, subject, [f"Prometheus refuses the query: {error}"], final=error.final)
    named = [(labels_text(one["labels"]), [float(value) for _time, value in one["values"]]) for one in series]
    problems = [
        f"{name} is a native histogram, which has no single value; query a quantile of it"
        for name, values in named
        if not values
    ]
    problems += assertion.problems([one for one in named if one[1]]) if assertion and not problems else []
    if len(series) < params["min_series"]:
        problems.append(f"expected at least {params['min_series']} series, found {len(series)}")
    return Verdict(
        CHECK,
        subject,
        problems,
        detail=f"{assertion.text if assertion else 'evaluates'} ({len(series)} series)",
        values={"series": series},
    )


def request(params: dict, now: float) -> tuple:
    """Path and parameters of the API for what is asked. `now` is in seconds since 1970.

    Raises:
        DurationError: `last` or `step` is none.
    """
    step = seconds(params["step"])
    if params["last"] is not None:
        window = {"start": now - seconds(params["last"]), "end": now}
    elif params["start"] is not None:
        window = {"start": params["start"], "end": params["end"]}
    else:
        return "query", {"query": params["query"]}
    return "query_range", {"query": params["query"], **window, "step": step}


def normalise(data: dict) -> list:
    """Vectors, matrices and scalars alike: a list of labels and values. Native histograms have no values.

    Raises:
        ApiError: the result is a string, which nothing can be asserted of.
    """
    if data["resultType"] == "string":
        raise ApiError("bad_data", f"the result is the string {data['result'][1]!r}, not a number")
    if data["resultType"] == "scalar":
        return [{"labels": {}, "values": [data["result"]]}]
    return [
        {
            "labels": one["metric"],
            "values": one["values"] if "values" in one else [one["value"]] if "value" in one else [],
        }
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
            "last": {"type": "str"},
            "start": {"type": "str"},
            "end": {"type": "str"},
            "step": {"type": "str", "default": "15s"},
        },
        supports_check_mode=True,
        required_together=[*CONNECTION_RULES["required_together"], ("start", "end")],
        mutually_exclusive=[*CONNECTION_RULES["mutually_exclusive"], ("last", "start")],
        required_by=CONNECTION_RULES["required_by"],
    )
    params = module.params
    try:
        assertion = parse(params["that"]) if params["that"] else None
    except AssertionSyntaxError as error:
        module.fail_json(msg=f"that: {error}")
    try:
        request(params, time.time())
    except DurationError as error:
        module.fail_json(msg=f"last, step: {error}")
    connection = Connection.from_params(params)
    verdict = keep_trying(
        lambda: check(connection, params, assertion, module.check_mode), params["deadline"], params["interval"]
    )
    module.exit_json(**verdict.as_result(params["on_problem"]))


if __name__ == "__main__":
    main()
