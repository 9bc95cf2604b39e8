"""A host's variables as its roles would see them, worked out on the controller without touching the host."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from .components import Component


class HostVariables:
    """Templates expressions in the context of one host: role defaults below, the host's own variables above.

    Args:
        templar: any task's templar; a copy of its own is made, so that the task's is left alone.
        hostvars: Ansible's `hostvars`.
    """

    def __init__(self, templar: Any, hostvars: Any) -> None:
        self._templar = templar.copy_with_new_env(available_variables={})
        self._hostvars = hostvars

    def raw(self, host: str) -> Mapping[str, Any]:
        """The host's variables as they were written, before templating."""
        return self._hostvars.raw_get(host)

    def template(self, component: Component, raw: Mapping[str, Any], value: Any, **extra: Any) -> Any:
        """`value` templated with the defaults of `component` under `raw`, and `extra` on top."""
        self._templar.available_variables = dict(ChainMap(extra, dict(raw), component.defaults))
        return self._templar.template(value)

    def options(self, component: Component, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The component's public variables for a host, templated; those that are nowhere defined are absent."""
        values = {name: raw[name] if name in raw else component.defaults.get(name) for name in component.options}
        values = {name: value for name, value in values.items() if name in raw or name in component.defaults}
        return self.template(component, raw, values)
