# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Counts the modules that each host was made to execute; the figure that decides how long a no-op run takes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: remote_calls
type: aggregate
short_description: Count remote module executions per host
description:
  - An action such as C(template) runs several modules on the host, others run none. Each execution costs a connection
    round trip and a Python start, about 0.25 s, so their number says more than the number of tasks.
  - Appends one line of JSON per execution to the file, and a summary per host to the output.
requirements: [enable it with C(ANSIBLE_CALLBACKS_ENABLED=gpufleet.serving.remote_calls)]
options:
  path:
    description: File that takes one line of JSON per execution.
    env: [{name: GPUFLEET_REMOTE_CALLS}]
    default: .gpufleet/remote_calls.jsonl
    type: path
"""

import functools
import json
from collections import Counter
from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Wraps ActionBase._execute_module, the one door through which modules reach a host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "gpufleet.serving.remote_calls"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook):
        self._path = Path(self.get_option("path"))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text("", encoding="utf-8")
        # Tasks run in forked workers, so the count travels through a file: short appends do not interleave.
        ActionBase._execute_module = _recording(ActionBase._execute_module, self._path)

    def v2_playbook_on_stats(self, stats):
        calls = Counter(json.loads(line)["host"] for line in self._path.read_text(encoding="utf-8").splitlines())
        for host, number in sorted(calls.items()):
            self._display.display(f"{host}: {number} remote module executions")


def _recording(execute_module, path: Path):
    @functools.wraps(execute_module)
    def record(action, module_name=None, *args, task_vars=None, **kwargs):
        call = {
            "host": (task_vars or {}).get("inventory_hostname", "?"),
            "module": module_name or action._task.action,
            "task": action._task.get_name(),
        }
        with path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(call) + "\n")
        return execute_module(action, module_name, *args, task_vars=task_vars, **kwargs)

    return record
