# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: monitoring_bundle
short_description: Gather what the roles of the inventory bring to monitoring
description:
  - Every component (a role) whose group has hosts in the inventory brings its rules (C(files/monitoring/rules)) and its
    scrape definition (C(files/monitoring/scrape.yml)). This gathers them, and renders one list of targets per job from
    the variables of the hosts, without touching them.
  - What the inventory knows of the hosts and rules compare with (C(series) of a scrape definition) becomes one more
    rule file, C(inventory.yml), that records it.
  - What the inventory promises of models (C(objectives) of an instance) becomes another, C(service-levels.yml).
  - Works on the controller alone and opens no connection.
author: The gpufleet maintainers
options:
  hosts:
    description: Names of the groups and hosts whose targets are wanted.
    type: list
    elements: str
    default: [all]
attributes:
  check_mode: {description: Reads only., support: full}
  action: {description: Runs on the controller., support: full}
"""

EXAMPLES = r"""
- name: Gather targets and rules
  gpufleet.serving.monitoring_bundle:
  register: bundle
"""

RETURN = r"""
jobs:
  description: Scrape settings by job, as the components ask for them.
  type: dict
  returned: success
targets:
  description: Prometheus' file_sd documents by job.
  type: dict
  returned: success
  sample: {node: [{targets: ["192.0.2.10:9100"], labels: {instance: gpu1, site: lab}}]}
expected:
  description: Every target that Prometheus must have, by job, instance and address.
  type: list
  elements: dict
  returned: success
longest_window:
  description: How many seconds the objectives of the inventory look back; 0 without any.
  type: float
  returned: success
alerting:
  description:
    - What the components say of alerts (C(files/monitoring/alerting.yml)) - where they are received (C(receivers)), and
      which of them keep others quiet (C(inhibit_rules)).
  type: dict
  returned: success
rules:
  description: Content of each rule file by the name it lands under.
  type: dict
  returned: success
"""
