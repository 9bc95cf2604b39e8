# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: verify_report
short_description: Show what all verify tasks found, as one table and one JSON file
description:
  - Collects the results that the roles' C(tasks/verify.yml) registered as C(__<role>_verify_*) on every host of the
    play,
    prints one table, writes them as JSON and fails when any of them is red.
  - A host that was never looked at counts as red.
  - Works on the controller alone and opens no connection. Run it with C(run_once).
author: The gpufleet maintainers
options:
  path:
    description: Where the JSON goes on the controller. Folders are created.
    type: path
    required: true
attributes:
  check_mode: {description: Writes the report in check mode too., support: full}
  action: {description: Runs on the controller., support: full}
"""

EXAMPLES = r"""
- name: Show the verdict
  gpufleet.serving.verify_report:
    path: .gpufleet/verify.json
  run_once: true
"""

RETURN = r"""
msg:
  description: How many checks passed or failed, and where they are written.
  type: str
  returned: always
"""
