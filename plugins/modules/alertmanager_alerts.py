#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: alertmanager_alerts
short_description: Check that alerts arrive at Alertmanager, and that its cluster is whole
description:
  - Asks C(/api/v2/status) and C(/api/v2/alerts). Every alert of O(expected) must be there, whoever sent it, and the
    cluster must have as many peers as O(peers) says.
  - An alert that always fires, sent by Prometheus, proves the whole way from rule to receiver when it is there.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
  - gpufleet.serving.check
options:
  expected:
    description: Names of alerts (the label C(alertname)) that must have arrived.
    type: list
    elements: str
    default: []
  peers:
    description: How many other Alertmanagers it must be in a cluster with. 0 means that it may well stand alone.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: The alert that always fires has arrived
  gpufleet.serving.alertmanager_alerts:
    url: http://127.0.0.1:9093
    expected: [Watchdog]
    deadline: 60
"""

RETURN = r"""
alerts:
  description: How many alerts it has, silenced and inhibited ones too, by name.
  type: dict
  returned: when Alertmanager answered
  sample: {Watchdog: 1, HostDown: 2}
passed:
  description: Whether everything is in order.
  type: bool
  returned: always
problems:
  description: What is wrong, a sentence each.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
    send,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, check_spec, keep_trying

CHECK = "alerts"


def check(connection: Connection, url: str, expected: list, peers: int, check_mode: bool) -> Verdict:
    """One look at alerts and cluster."""
    api = f"{url.rstrip('/')}/api/v2"
    try:
        cluster = send(connection, f"{api}/status").json()["cluster"]
        alerts = count(send(connection, f"{api}/alerts").json())
    except HttpError as error:
        return Verdict.from_error(CHECK, url, error, check_mode)
    except (KeyError, TypeError):
        return Verdict(CHECK, url, problems=[f"{api}: expected Alertmanager's API, found other JSON; check the URL"])
    problems = missing(alerts, expected) + lonely(cluster, peers)
    detail = f"{', '.join(expected) or 'no alert'} expected and there, {peers} peers"
    return Verdict(CHECK, url, problems, detail=detail, values={"alerts": alerts})


def count(alerts: list) -> dict:
    """How many alerts there are of each name."""
    names = [alert["labels"].get("alertname", "") for alert in alerts]
    return {name: names.count(name) for name in sorted(set(names))}


def missing(alerts: dict, expected: list) -> list:
    """One sentence per alert that should have arrived."""
    there = f"it has {', '.join(alerts)}" if alerts else "it has none at all"
    return [
        f"expected the alert {name}, found that {there}; does Prometheus know this Alertmanager and have the rule?"
        for name in expected
        if name not in alerts
    ]


def lonely(cluster: dict, peers: int) -> list:
    """What is wrong with the cluster. Alertmanager counts itself among its peers."""
    if not peers:
        return []
    if cluster["status"] == "disabled":
        return [f"expected a cluster with {peers} other members, found that clustering is switched off"]
    found = len(cluster["peers"]) - 1
    problems = []
    if found != peers:
        problems.append(
            f"expected {peers} other members in its cluster, found {found}; is the cluster's port open between them, "
            "TCP and UDP?"
        )
    if cluster["status"] != "ready":
        problems.append(f"its cluster is not ready: {cluster['status']}")
    return problems


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            **check_spec(),
            "expected": {"type": "list", "elements": "str", "default": []},
            "peers": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
        **CONNECTION_RULES,
    )
    params = module.params
    connection = Connection.from_params(params)
    verdict = keep_trying(
        lambda: check(connection, params["url"], params["expected"], params["peers"], module.check_mode),
        params["deadline"],
        params["interval"],
    )
    module.exit_json(**verdict.as_result(params["on_problem"]))


if __name__ == "__main__":
    main()
