"""Filters that turn a monitoring bundle into the files of Prometheus."""

from __future__ import annotations

from ..module_utils.durations import seconds
from ..plugin_utils.prometheus_config import config_document, support_files


class FilterModule:
    """Documented in plugins/plugin_utils/prometheus_config.py."""

    def filters(self):
        return {"prometheus_config": config_document, "prometheus_files": support_files, "duration_seconds": seconds}
