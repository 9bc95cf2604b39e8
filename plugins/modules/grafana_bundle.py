# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_bundle
short_description: Gather what the roles of the inventory bring to Grafana
description:
  - Every component (a role) whose group has hosts in the inventory brings its dashboards
    (C(files/monitoring/dashboards/*.json)), and says whether its hosts are datasources
    (C(files/monitoring/datasource.yml)). This gathers both, without touching the hosts.
  - Dashboards that clash in uid or title are refused.
  - Works on the controller alone and opens no connection.
author: The gpufleet maintainers
options:
  paths:
    description: Further dashboards, files or folders of C(*.json) on the controller.
    type: list
    elements: path
    default: []
  pushed:
    description: Patterns for uids of dashboards that are pushed over the API; all others are provisioned.
    type: list
    elements: str
    default: []
  folder_uid:
    description: The folder that the dashboards go to.
    type: str
    default: ""
  datasource_options:
    description: Settings of datasources by uid, as Grafana's provisioning files have them.
    type: dict
    default: {}
attributes:
  check_mode: {description: Reads only., support: full}
  action: {description: Runs on the controller., support: full}
"""

EXAMPLES = r"""
- name: Gather dashboards and datasources
  gpufleet.serving.grafana_bundle:
    folder_uid: gpufleet
  register: bundle
"""

RETURN = r"""
provisioned:
  description: Dashboards to provision, each with C(name), C(uid), C(title) and C(content).
  type: list
  elements: dict
  returned: success
pushed:
  description: Dashboards to push, likewise.
  type: list
  elements: dict
  returned: success
datasources:
  description: Entries for a provisioning file.
  type: list
  elements: dict
  returned: success
probes:
  description: Path by datasource uid that a healthy one answers with 200.
  type: dict
  returned: success
"""
