#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_alertmanagers
short_description: Check that Prometheus sends its alerts to every Alertmanager that it should
description:
  - Asks C(/api/v1/alertmanagers). Every address of O(expected) must be among the active ones.
  - It is a list of whom Prometheus would tell, not of who has heard; M(gpufleet.serving.alertmanager_alerts) asks that.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
  - gpufleet.serving.check
options:
  expected:
    description: Addresses of Alertmanagers, as host:port.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: It sends alerts to both
  gpufleet.serving.prometheus_alertmanagers:
    url: http://127.0.0.1:9090
    expected: ["192.0.2.20:9093", "192.0.2.21:9093"]
"""

RETURN = r"""
active:
  description: Where it sends alerts.
  type: list
  elements: str
  returned: when Prometheus answered
  sample: ["http://192.0.2.20:9093/api/v2/alerts"]
passed:
  description: Whether all are there.
  type: bool
  returned: always
problems:
  description: What is wrong, a sentence per Alertmanager.
  type: list
  elements: str
  returned: always
"""

from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.prometheus_api import ApiError, ask
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, check_spec, keep_trying

CHECK = "alertmanagers"


def check(connection: Connection, url: str, expected: list, check_mode: bool) -> Verdict:
    """One look at the list."""
    try:
        answer = ask(connection, url, "alertmanagers")
    except HttpError as error:
        return Verdict.from_error(CHECK, url, error, check_mode)
    except ApiError as error:
        return Verdict(CHECK, url, problems=[f"Prometheus does not tell its Alertmanagers: {error}"])
    active = [entry["url"] for entry in answer["activeAlertmanagers"]]
    detail = f"sends alerts to {len(active)} Alertmanager{'' if len(active) == 1 else 's'}"
    return Verdict(CHECK, url, missing(active, expected), detail=detail, values={"active": active})


def missing(active: list, expected: list) -> list:
    """One sentence per Alertmanager that is not among the active ones."""
    known = {urlsplit(url).netloc for url in active}
    return [
        f"expected alerts to go to {address} as well, found {', '.join(sorted(known)) or 'no Alertmanager at all'}; "
        "run the playbook on the Prometheus host"
        for address in expected
        if address not in known
    ]


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
