# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Controller side of gpufleet.serving.uv_venv: sends a set of wheels where it is needed, says how far a build is.

See plugins/modules/uv_venv.py. In the steady state there is one remote call; while something is built, one more for
every slice of the waiting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

_SLICE = 15.0


class ActionModule(ActionBase):
    """Calls the module until all environments are there, or one has failed."""

    TRANSFERS_FILES = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        arguments = {**self._task.args, "wait": _SLICE}
        host, name = task_vars["inventory_hostname"], arguments.get("name")
        calls, most = 0, 2 * len(arguments.get("environments") or []) + 10
        most += int(float(arguments.get("timeout", 3600)) / _SLICE) * max(1, len(arguments.get("environments") or []))
        while True:
            answer = self._execute_module(module_args=arguments, task_vars=task_vars)
            calls += 1
            pending = answer.get("pending")
            if answer.get("failed") or not pending:
                return {**result, **answer}
            if calls > most:
                return {**result, "failed": True, "msg": f"{name}: the host's clock does not move on"}
            if answer.get("needs"):
                try:
                    arguments = with_texts(arguments, answer["needs"])
                except OSError as error:
                    return {**result, "failed": True, "msg": f"{error.filename}: {error.strerror} (on the controller)"}
            else:
                arguments = without_texts(arguments)
                Display().display(progress_line(host, answer))
            arguments["resume"] = pending["memory"]


def with_texts(arguments: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The arguments with the text of the sets of those environments."""
    environments = [
        {**entry, "text": Path(entry["requirements"]).read_text(encoding="utf-8")} if entry["name"] in names else entry
        for entry in arguments["environments"]
    ]
    return {**arguments, "environments": environments}


def without_texts(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the task gave them."""
    plain = [{key: value for key, value in entry.items() if key != "text"} for entry in arguments["environments"]]
    return {**arguments, "environments": plain}


def progress_line(host: str, answer: dict[str, Any]) -> str:
    """`0.32.0-cuda-1a2b3c4d on gpu1, 45 s: installing, 83 of 197 packages are here`"""
    pending = answer["pending"]
    return f"{pending['environment']} on {host}, {answer['seconds']:.0f} s: {pending['waiting_for']}"
