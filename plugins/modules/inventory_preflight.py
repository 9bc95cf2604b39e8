# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: inventory_preflight
short_description: Check the variables of all hosts before any of them is touched
description:
  - Compares what the inventory sets for each host of the play with the argument specs of the components (roles) that
    the host runs. A host runs a component when it is in the group of that name.
  - Names every missing, ill-typed and misspelt variable at once, with the hosts that have it and the nearest right
    name.
  - Names that begin like a component (C(vllm_), C(prometheus_), C(gpufleet_)) are reserved. List your own ones in
    C(gpufleet_foreign_variables).
  - Works on the controller alone and opens no connection. Run it with C(run_once).
author: The gpufleet maintainers
options: {}
attributes:
  check_mode: {description: Reads only., support: full}
  action: {description: Runs on the controller., support: full}
"""

EXAMPLES = r"""
- name: Check the inventory
  hosts: all
  gather_facts: false
  tasks:
    - name: Check every host's variables
      gpufleet.serving.inventory_preflight:
      run_once: true
"""

RETURN = r"""
msg:
  description: One line per problem, each with the hosts that have it; or how many hosts are in order.
  type: str
  returned: always
  sample: |-
    The inventory has 1 problem; no host was touched.
    - gpu1: vllm_prot: no component knows this variable; did you mean vllm_port?
"""
