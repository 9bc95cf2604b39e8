# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Controller side of gpufleet.serving.prometheus_panels: reads the dashboards and sends what their queries need."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..plugin_utils.dashboard_files import read, shortened
from ..plugin_utils.grafana.files import DashboardFileError


class ActionModule(ActionBase):
    """One remote call for all dashboards."""

    TRANSFERS_FILES = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        host, places = task_vars["inventory_hostname"], self._task.args.get("dashboards") or []
        places = [places] if isinstance(places, str) else places
        try:
            found = read(place if not isinstance(place, str) else self._loader.path_dwim(place) for place in places)
        except DashboardFileError as error:
            return {**result, "failed": True, "msg": f"{host}: dashboards: {str(error).removeprefix('src: ')}"}
        if not found:
            told = "name at least one file or folder on the controller"
            return {**result, "failed": True, "msg": f"{host}: dashboards: {told}"}
        arguments = {**self._task.args, "dashboards": [shortened(document) for document in found]}
        return {**result, **self._execute_module(module_args=arguments, task_vars=task_vars)}
