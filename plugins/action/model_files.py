# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Controller side of gpufleet.serving.model_files: while a model comes, say how far it is.

See plugins/modules/model_files.py. When all is there, there is one remote call.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

_SLICE = 15.0


class ActionModule(ActionBase):
    """Calls the module until the model is in place, or fetching it has failed."""

    TRANSFERS_FILES = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        arguments = {**self._task.args, "wait": _SLICE}
        while True:
            answer = self._execute_module(module_args=arguments, task_vars=task_vars)
            pending = answer.get("pending")
            if answer.get("failed") or not pending:
                return {**result, **answer}
            line = f"model on {task_vars['inventory_hostname']}, {answer['seconds']:.0f} s: {pending['waiting_for']}"
            Display().display(line)
            arguments["resume"] = pending["memory"]
