"""Controller side of gpufleet.serving.grafana_dashboard: see plugins/modules/grafana_dashboard.py.

Reads the files here, so that a whole folder is one remote call.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from ..plugin_utils.grafana.files import DashboardFileError, read_files


class ActionModule(ActionBase):
    """Puts the text of the files in place of their paths."""

    TRANSFERS_FILES = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        sources = arguments.pop("src", None) or []
        try:
            paths = [self._find(str(source)) for source in ([sources] if isinstance(sources, str) else sources)]
            arguments["dashboards"] = [*(arguments.get("dashboards") or []), *read_files(paths)]
        except DashboardFileError as error:
            raise AnsibleActionFail(str(error)) from error
        return {**result, **self._execute_module(module_args=arguments, task_vars=task_vars)}

    def _find(self, source: str) -> Path:
        try:
            return Path(self._find_needle("files", source))
        except AnsibleError as error:
            raise DashboardFileError(f"src: {source}: no such file or folder on the controller") from error
