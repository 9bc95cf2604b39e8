# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Controller side of gpufleet.serving.systemd_unit: while a unit needs time, say how far it is.

See plugins/modules/systemd_unit.py. In the steady state there is one remote call; while the unit is not ready, one more
for every slice of the waiting.
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

_SLICE = 10.0
# Beyond the time-out that the module itself keeps: a host whose clock stands still must not hold the run for ever.
_MOST_CALLS_OVER = 10


class ActionModule(ActionBase):
    """Calls the module until the unit is ready, has failed, or the time is up."""

    TRANSFERS_FILES = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        arguments = {**self._task.args, "wait": _SLICE}
        answer = self._call(arguments, task_vars)
        calls = 1
        while answer.get("pending") and not answer.get("failed"):
            if calls > float(answer["timeout"]) / _SLICE + _MOST_CALLS_OVER:
                return {**result, "failed": True, "msg": f"{arguments['name']}: the host's clock does not move on"}
            Display().display(progress_line(task_vars["inventory_hostname"], arguments["name"], answer))
            answer = self._call({**arguments, "resume": answer["pending"]["memory"]}, task_vars)
            calls += 1
        return {**result, **answer}

    def _call(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        return self._execute_module(module_args=arguments, task_vars=task_vars)


def progress_line(host: str, unit: str, answer: dict[str, Any]) -> str:
    """`vllm@tiny.service on gpu1, 35 s: running, http://127.0.0.1:8000/health refuses connections; log: Loading`"""
    pending = answer["pending"]
    line = f"{unit} on {host}, {answer['seconds']:.0f} s: {pending['waiting_for']}"
    return f"{line}; log: {pending['last_line'][:160]}" if pending["last_line"] else line
