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
    description: File on the controller with the contract; C(docs/contracts.md) tells what it holds.
    type: path
  expect:
    description:
      - Further families, written as C(families) in a contract - each name with its type, labels, min, max and so on.
      - Also a list of names that must merely be there.
    type: raw
  max_series:
    description: How many series the page may have, as Prometheus counts them.
    type: int
  max_bytes:
    description: How long the page may be, unpacked. A longer one, or an endless one, is an error.
    type: int
    default: 67108864
  accept:
    description: Which format to ask for, where the program knows both. What comes is judged by what it says it is.
    type: str
    choices: [text, openmetrics]
    default: text
  record:
    description:
      - File on the controller that takes a contract of what is found. One of the same version is merged with it, and
        what only one of the two has may then be absent; so record before and after the first request.
      - Written only when the page has no problem.
    type: path
  component:
    description: Name of the component, for O(record).
    type: str
  version:
    description: Version of the component, for O(record).
    type: str
attributes:
  diff_mode: {description: Shows what O(record) writes., support: full}
"""

EXAMPLES = r"""
- name: The endpoint keeps its contract
  gpufleet.serving.metrics_endpoint:
    url: http://127.0.0.1:9100/metrics
    contract: "{{ role_path }}/files/monitoring/contracts/1.11.1.yml"
    expect:
      node_load1: {type: gauge, max: 100}
    deadline: 30

- name: These two are there, whatever else is
  gpufleet.serving.metrics_endpoint:
    url: https://127.0.0.1:8443/metrics
    expect: [http_requests_total, process_open_fds]
    token: "{{ vault_token }}"
    ca_path: /etc/ssl/private-ca.pem
    max_series: 5000

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
lint:
  description: Where the page breaks conventions only, which is never held against it.
  type: list
  elements: str
  returned: when a page came
passed:
  description: Whether everything is in order.
  type: bool
  returned: always
problems:
  description: What is wrong, a sentence each, with the line where the page itself is wrong.
  type: list
  elements: str
  returned: always
  sample:
    - "line 211: expected one TYPE line for up, found a second one"
    - "vllm:request_latency_seconds: expected a histogram of that name, found none; it is called
      vllm:e2e_request_latency_seconds now"
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.armour import TooManySecretsError, pack
from ansible_collections.gpufleet.serving.plugins.module_utils.endpoint_options import CHECK, OPTIONS, RULES
from ansible_collections.gpufleet.serving.plugins.module_utils.http import Connection, send
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError, visible
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, keep_trying

_TEXT = "text/plain;version=0.0.4"
_OPENMETRICS = "application/openmetrics-text;version=1.0.0"
_ACCEPT = {"text": f"{_TEXT};q=1.0,{_OPENMETRICS};q=0.5", "openmetrics": f"{_OPENMETRICS};q=1.0,{_TEXT};q=0.5"}


def fetch(connection: Connection, url: str, accept: str, max_bytes: int, check_mode: bool) -> Verdict:
    """One scrape. A verdict without problems holds `page`: a line of JSON and the body, packed for the controller."""
    try:
        answer = send(connection, url, headers={"Accept": _ACCEPT[accept]}, max_bytes=max_bytes)
        head = json.dumps({"content_type": answer.content_type, "seconds": answer.seconds})
        page = pack(head.encode() + b"\n" + answer.body, connection.secrets)
    except HttpError as error:
        return Verdict.from_error(CHECK, visible(url), error, check_mode)
    except TooManySecretsError as error:
        return Verdict(CHECK, visible(url), [f"{visible(url)}: {error}"], final=True)
    return Verdict(CHECK, visible(url), values={"page": page})


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True, **RULES)
    params = module.params
    connection = Connection.from_params(params)
    # What listens may be starting: that is waited for here, where it costs no further call.
    verdict = keep_trying(
        lambda: fetch(connection, params["url"], params["accept"], params["max_bytes"], module.check_mode),
        params["deadline"],
        params["interval"],
    )
    module.exit_json(final=verdict.final, **verdict.as_result("report"))


if __name__ == "__main__":
    main()
