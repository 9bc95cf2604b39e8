# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations


class ModuleDocFragment:
    """What all checking modules have in common: plugins/module_utils/verdict.py."""

    DOCUMENTATION = r"""
options:
  deadline:
    description: Keep trying for so many seconds until everything is in order. With 0 there is one try.
    type: float
    default: 0.0
  interval:
    description: Seconds between two tries.
    type: float
    default: 2.0
  on_problem:
    description:
      - V(fail) fails the task and lists all problems.
      - V(report) lets the task pass and leaves the problems to whoever reads the result; C(verify) collects them into
        one table.
    type: str
    choices: [fail, report]
    default: fail
attributes:
  check_mode:
    description:
      - Reads only, so it does the same in check mode. Where nothing listens yet, as on a host that was never set up,
        check mode says so (RV(ignore:checked) is false) instead of failing.
    support: full
  diff_mode: {description: Changes nothing., support: none}
"""
