#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_targets
short_description: Check that Prometheus scrapes every target that it should, and that all are up
description:
  - Asks C(/api/v1/targets). Every target of O(expected) must be there and up. The error of the last scrape is shown for
    each that is not.
  - C(up == 1) alone cannot tell that a target is missing.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
  - gpufleet.serving.check
options:
  expected:
    description: The targets, as RV(gpufleet.serving.monitoring_bundle#module:expected) lists them.
    type: list
    elements: dict
    default: []
    suboptions:
      job: {description: Name of the job., type: str, required: true}
      instance: {description: The label instance., type: str, required: true}
      address: {description: The address it is scraped at, as host:port., type: str, required: true}
"""

EXAMPLES = r"""
- name: Every target is up
  gpufleet.serving.prometheus_targets:
    url: http://127.0.0.1:9090
    expected: [{job: node, instance: gpu1, address: "192.0.2.10:9100"}]
    deadline: 60
"""

RETURN = r"""
targets:
  description: How many targets it scrapes.
  type: int
  returned: when Prometheus answered
passed:
  description: Whether all are there and up.
  type: bool
  returned: always
problems:
  description: What is wrong, a sentence per target.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.prometheus_api import ApiError, ask
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, check_spec, keep_trying

CHECK = "targets"


def check(connection: Connection, url: str, expected: list, check_mode: bool) -> Verdict:
    """One look at all active targets."""
    try:
        active = ask(connection, url, "targets?state=active")["activeTargets"]
    except HttpError as error:
        return Verdict.from_error(CHECK, url, error, check_mode)
    except ApiError as error:
        return Verdict(CHECK, url, problems=[f"{url}: Prometheus does not tell its targets: {error}"])
    problems = judge(active, expected)
    return Verdict(CHECK, url, problems, detail=f"{len(active)} targets up", values={"targets": len(active)})


def judge(active: list, expected: list) -> list:
    """One sentence per target that is down or missing."""
    known = {(t["labels"].get("job"), t["discoveredLabels"].get("__address__")) for t in active}
    problems = [
        f"{e['job']} on {e['instance']} ({e['address']}) is not scraped at all; run the playbook on the Prometheus host"
        for e in expected
        if (e["job"], e["address"]) not in known
    ]
    return problems + [
        f"{t['labels'].get('job')} on {t['labels'].get('instance')} ({t['scrapeUrl']}) is {t['health']}: "
        f"{t.get('lastError') or 'not scraped yet'}"
        for t in active
        if t["health"] != "up"
    ]


def main() -> None:
    target = {name: {"type": "str", "required": True} for name in ("job", "instance", "address")}
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            **check_spec(),
            "expected": {"type": "list", "elements": "dict", "default": [], "options": target},
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
