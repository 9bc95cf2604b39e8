# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: vllm_fit
short_description: Compare vLLM's instances with the GPUs of their host
description:
  - Before anything large is downloaded, works out what each instance needs of its GPUs (weights, activations, CUDA
    graphs, KV cache) and compares it with what vLLM may use of them. docs/sizing.md explains the sums.
  - Asks the host once, and not at all where the inventory states all that is needed, or O(device=cpu).
author: The gpufleet maintainers
options:
  instances:
    description: What the filter C(vllm_fit_instances) makes of the role's variables.
    type: list
    elements: dict
    required: true
  device:
    description: What they run on.
    type: str
    choices: [cuda, cpu]
    default: cuda
  on_refused:
    description: Whether an instance that cannot fit fails the task, or is a warning.
    type: str
    choices: [refuse, warn]
    default: refuse
  concurrency:
    description: Fewer sequences of full length at a time than this are a warning.
    type: float
    default: 4
  gpu_memory_gib:
    description: Memory of each GPU in the order of nvidia-smi. Empty means that the host is asked.
    type: list
    elements: float
    default: []
  model_facts:
    description: What is known of models, by the name that instances have for them. See C(vllm_model_facts).
    type: dict
    default: {}
  host_memory_mib:
    description: Memory of the host, for O(device=cpu).
    type: int
    default: 0
  mirror:
    description: Address of a mirror to fetch config.json from.
    type: str
  token:
    description: Token for gated models.
    type: str
attributes:
  check_mode: {description: Does the same., support: full}
  action: {description: Judges on the controller., support: full}
"""

EXAMPLES = r"""
- name: Compare the instances with their GPUs
  gpufleet.serving.vllm_fit:
    instances: "{{ values | gpufleet.serving.vllm_fit_instances(gpufleet_lock) }}"
"""

RETURN = r"""
fits:
  description: One entry per instance.
  type: list
  elements: dict
  returned: always
  contains:
    name: {description: The instance's., type: str}
    verdict: {description: refused, tight, fits or unknown., type: str}
    message: {description: The arithmetic in words., type: str}
    concurrency: {description: How many sequences of full length fit at a time., type: float}
"""
