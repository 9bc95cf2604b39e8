"""Filters that turn what was gathered for Grafana into its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.grafana.gather import datasource_file, provider_file
from ..plugin_utils.grafana.ini import IniError, render
from ..plugin_utils.preflight.grafana import problems


def _reported(function: Callable[..., str]) -> Callable[..., str]:
    @wraps(function)
    def run(*arguments: Any) -> str:
        try:
            return function(*arguments)
        except IniError as error:
            raise AnsibleFilterError(f"grafana_config: {error}") from error

    return run


def sections(base: Mapping[str, Mapping[str, Any]], more: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Settings with others on top, key by key."""
    return {name: {**base.get(name, {}), **more.get(name, {})} for name in [*base, *(n for n in more if n not in base)]}


class FilterModule:
    """Documented in plugins/plugin_utils/grafana/ and plugins/plugin_utils/preflight/grafana.py."""

    def filters(self):
        return {
            "grafana_problems": problems,
            "grafana_ini": _reported(render),
            "grafana_sections": sections,
            "grafana_datasource_file": datasource_file,
            "grafana_provider_file": provider_file,
        }
