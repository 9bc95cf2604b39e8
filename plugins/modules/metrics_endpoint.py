#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: metrics_endpoint
short_description: Check that a metrics endpoint is sound and keeps its contract
description:
  - Fetches a page of metrics on the host, where loopback is reachable, and judges it on the controller - as strict as
    Prometheus on syntax, and beyond it on histograms that contradict themselves.
  - Compares it with a contract and with O(expect), and reports every problem at once, each with what was expected and
    what was found; for a missing family also what it is called now, or the nearest name.
  - With O(record) it writes a contract that the endpoint keeps.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
  - gpufleet.serving.check
options:
  contract:
    description: File on the controller with the contract.
    type: path
  expect:
    description: Further families, written as in a contract - name to type, labels, min, max and so on.
    type: dict
    default: {}
  max_series:
    description: How many series the page may have.
    type: int
  max_bytes:
    description: How long the page may be. A longer one, or an endless one, is an error.
    type: int
    default: 67108864
  record:
    description:
      - File on the controller that takes a contract of what is found. One of the same version is merged with it, and
        what only one of the two has may then be absent; so record before and after the first request.
    type: path
  component:
    description: Name of the component, for O(record).
    type: str
  version:
    description: Version of the component, for O(record).
    type: str
"""

EXAMPLES = r"""
- name: The endpoint keeps its contract
  gpufleet.serving.metrics_endpoint:
    url: http://127.0.0.1:9100/metrics
    contract: "{{ role_path }}/files/monitoring/contracts/1.11.1.yml"
    expect:
      node_load1: {type: gauge, max: 100}
    deadline: 30

- name: Record a contract
  gpufleet.serving.metrics_endpoint:
    url: http://127.0.0.1:9100/metrics
    record: contracts/1.11.1.yml
    component: node_exporter
    version: 1.11.1
"""

RETURN = r"""
families:
  description: How many metric families have series.
  type: int
  returned: when a page came
series:
  description: How many series there are, as Prometheus counts them.
  type: int
  returned: when a page came
bytes:
  description: How long the page is, unpacked.
  type: int
  returned: when a page came
scrape_seconds:
  description: Seconds from the first packet to the last byte.
  type: float
  returned: when a page came
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

import base64
import zlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
    send,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, check_spec, keep_trying

CHECK = "metrics"
# Prometheus asks for these; a server that can choose then answers as it will answer Prometheus.
ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=1.0"


def fetch(connection: Connection, url: str, max_bytes: int, check_mode: bool) -> Verdict:
    """One scrape. The page travels packed in `page`, for the action plugin to judge."""
    try:
        answer = send(connection, url, headers={"Accept": ACCEPT, "Accept-Encoding": "gzip"}, max_bytes=max_bytes)
    except HttpError as error:
        return Verdict.from_error(CHECK, url, error, check_mode)
    values = {
        "page": base64.b64encode(zlib.compress(answer.body)).decode("ascii"),
        "content_type": answer.content_type,
        "bytes": len(answer.body),
        "scrape_seconds": round(answer.seconds, 4),
    }
    return Verdict(CHECK, url, values=values)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            **check_spec(),
            "contract": {"type": "path"},
            "expect": {"type": "dict", "default": {}},
            "max_series": {"type": "int"},
            "max_bytes": {"type": "int", "default": 67108864},
            "record": {"type": "path"},
            "component": {"type": "str"},
            "version": {"type": "str"},
        },
        supports_check_mode=True,
        **{**CONNECTION_RULES, "required_by": {**CONNECTION_RULES["required_by"], "record": ["component", "version"]}},
    )
    params = module.params
    connection = Connection.from_params(params)
    # What listens may be starting: that is waited for here, where it costs no further call.
    verdict = keep_trying(
        lambda: fetch(connection, params["url"], params["max_bytes"], module.check_mode),
        params["deadline"],
        params["interval"],
    )
    module.exit_json(**verdict.as_result(params["on_problem"]))


if __name__ == "__main__":
    main()
