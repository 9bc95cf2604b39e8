"""Filters of the role alertmanager, from plugins/plugin_utils/alertmanager."""

from __future__ import annotations

from ..plugin_utils.alertmanager import config
from ..plugin_utils.preflight import alertmanager as preflight


class FilterModule:
    """Documented in plugins/plugin_utils/alertmanager/config.py and plugins/plugin_utils/preflight/alertmanager.py."""

    def filters(self):
        return {
            "alertmanager_problems": preflight.problems,
            "alertmanager_config": config.text,
            "alertmanager_files": config.files,
            "alertmanager_config_in_force": config.in_force,
        }
