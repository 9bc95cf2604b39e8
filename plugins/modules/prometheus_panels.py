#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_panels
short_description: Run the queries of Grafana dashboards against Prometheus
description:
  - Fills in the variables of each dashboard as Grafana would when it is opened, runs the query of every panel and tells
    which panels have data, which have none, and which queries fail.
  - A panel has data when one of its queries yields a number; NaN is none. One that the dashboard marks as
    C(gpufleet.may_be_empty) may be empty and is counted apart.
  - Needs no Grafana. The files are read on the controller, and one call on the host asks for all of them.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
  - gpufleet.serving.check
options:
  dashboards:
    description:
      - Files on the controller with a dashboard each, folders of such files, dashboards themselves, or the entries that
        M(gpufleet.serving.grafana_bundle) returns.
    type: list
    elements: raw
    required: true
  jobs:
    description: The jobs that are scraped. A panel that lives on another (C(gpufleet.needs)) may be empty.
    type: list
    elements: str
  last:
    description: How far back courses over time are asked for.
    type: str
    default: 15m
  scrape_interval:
    description: How often Prometheus scrapes, from which Grafana derives C($__rate_interval).
    type: str
    default: 15s
"""

EXAMPLES = r"""
- name: Every panel has data
  gpufleet.serving.prometheus_panels:
    url: http://127.0.0.1:9090
    dashboards: ["{{ role_path }}/files/monitoring/dashboards"]
    deadline: 60

- name: Every panel has data, as the components of the inventory bring them
  gpufleet.serving.prometheus_panels:
    url: http://127.0.0.1:9090
    dashboards: "{{ bundle.provisioned + bundle.pushed }}"
    deadline: 60
"""

RETURN = r"""
results:
  description: One verdict per dashboard.
  type: list
  elements: dict
  returned: when Prometheus answered
  contains:
    subject: {description: The title of the dashboard., type: str}
    uid: {description: Its uid., type: str}
    panels: {description: How many of its panels ask Prometheus., type: int}
    shown: {description: The titles of those with data., type: list}
    partly: {description: The queries without data of panels that have some., type: list}
    quiet: {description: The titles of those that are empty as they may be., type: list}
    problems: {description: Panels without data and queries that fail., type: list}
passed:
  description: Whether every panel that must have data has some, and no query fails.
  type: bool
  returned: always
problems:
  description: What is wrong, a sentence each.
  type: list
  elements: str
  returned: always
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.durations import DurationError, seconds
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.panels.look import CHECK, Look, Window, together
from ansible_collections.gpufleet.serving.plugins.module_utils.prometheus_api import ask
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, check_spec, keep_trying


def check(connection: Connection, params: dict, looks: list, check_mode: bool) -> Verdict:
    """One look at every dashboard; what had data before is not asked for again."""
    window = Window(time.time(), seconds(params["last"]), seconds(params["scrape_interval"]))
    answers: dict = {}

    def once(path: str, parameters: dict) -> object:
        """Several panels ask the same."""
        key = (path, tuple(sorted(parameters.items())))
        if key not in answers:
            answers[key] = ask(connection, params["url"], path, parameters)
        return answers[key]

    try:
        verdicts = [look.again(once, window) for look in looks]
    except HttpError as error:
        return Verdict.from_error(CHECK, params["url"], error, check_mode)
    verdict = together(verdicts, params["url"])
    verdict.values["results"] = [one.as_result(params["on_problem"]) for one in verdicts]
    return verdict


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            **check_spec(),
            "dashboards": {"type": "list", "elements": "raw", "required": True},
            "jobs": {"type": "list", "elements": "str"},
            "last": {"type": "str", "default": "15m"},
            "scrape_interval": {"type": "str", "default": "15s"},
        },
        supports_check_mode=True,
        **CONNECTION_RULES,
    )
    params = module.params
    try:
        seconds(params["last"]), seconds(params["scrape_interval"])
    except DurationError as error:
        module.fail_json(msg=f"last, scrape_interval: {error}")
    connection = Connection.from_params(params)
    looks = [Look(dashboard, params["jobs"]) for dashboard in params["dashboards"]]
    verdict = keep_trying(
        lambda: check(connection, params, looks, module.check_mode), params["deadline"], params["interval"]
    )
    module.exit_json(**verdict.as_result(params["on_problem"]))


if __name__ == "__main__":
    main()
