"""Controller side of gpufleet.serving.verify_report: see plugins/modules/verify_report.py."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..plugin_utils.components import ComponentError, find_components
from ..plugin_utils.report import checks_of, document, table


class ActionModule(ActionBase):
    """Collects the results of all verify tasks, shows them and decides."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset({"path"})

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        hostvars, groups = task_vars["hostvars"], task_vars["groups"]
        try:
            components = find_components(self._loader, tuple(task_vars.get("gpufleet_component_paths", ())))
        except ComponentError as error:
            return {**result, "failed": True, "msg": str(error)}
        checks = []
        for component in (c for c in components.values() if c.has_verify):
            for host in sorted(set(groups.get(component.name, ())) & set(task_vars["ansible_play_hosts_all"])):
                raw = hostvars.raw_get(host)
                if raw.get(f"{component.name}_state", "present") == "present":
                    checks += checks_of(host, component.name, raw)
        checks.sort(key=lambda check: (check.host, check.component))

        display = Display()
        for line, good in table(checks):
            display.display(line, color=None if good else "red")
        report = document(checks, datetime.now(UTC).isoformat(timespec="seconds"))
        path = Path(self._task.args["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")

        failed = [check for check in checks if not check.passed]
        if not checks:
            return {
                **result,
                "failed": True,
                "msg": "Nothing was verified: no host of this run is in a component's group.",
            }
        if failed:
            return {**result, "failed": True, "msg": f"{len(failed)} of {len(checks)} checks failed; see {path}"}
        return {**result, "msg": f"All {len(checks)} checks passed; written to {path}"}
