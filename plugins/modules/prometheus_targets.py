#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: prometheus_targets
short_description: Check that Prometheus scrapes every target that it should, and that all are up
description:
  - Asks C(/api/v1/targets). Every target of O(expected) must be there and up. The error of the last scrape is shown for
    each that is not. Works for servers and agents.
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
        active = ask(connection, url, "targets", {"state": "active"})["activeTargets"]
        lost = missing(active, expected)
        dropped = ask(connection, url, "targets", {"state": "dropped"})["droppedTargets"] if lost else []
    except HttpError as error:
        return Verdict.from_error(CHECK, url, error, check_mode)
    except ApiError as error:
        return Verdict(CHECK, url, problems=[f"Prometheus does not tell its targets: {error}"])
    problems = [why_missing(target, dropped) for target in lost] + down(active)
    return Verdict(CHECK, url, problems, detail=f"{len(active)} targets up", values={"targets": len(active)})


def missing(active: list, expected: list) -> list:
    """Those of `expected` that are not scraped."""
    known = {(t["labels"].get("job"), t["discoveredLabels"].get("__address__")) for t in active}
    return [target for target in expected if (target["job"], target["address"]) not in known]


def why_missing(target: dict, dropped: list) -> str:
    """One sentence for an expected target that is not scraped."""
    title = f"expected {target['job']} on {target['instance']} ({target['address']}) to be scraped; "
    for other in dropped:
        labels = other["discoveredLabels"]
        if labels.get("__address__") == target["address"] and labels.get("job") == target["job"]:
            return title + f"the relabelling of its job drops it (scrape pool {other.get('scrapePool', target['job'])})"
    return title + "Prometheus does not know it: run the playbook on the Prometheus host"


def down(active: list) -> list:
    """One sentence per target that is not up."""
    return [
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
