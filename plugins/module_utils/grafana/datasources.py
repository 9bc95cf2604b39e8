# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Which datasources a dashboard asks for, and the server's own that are meant by them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Sequence

from .documents import Dashboard
from .errors import GrafanaError

_BUILT_IN = re.compile(r"^(-- .+ --|grafana|__expr__|default|)$")
_VARIABLE = re.compile(r"^(\$\w+|\$\{[^}]+\}|\[\[[^\]]+\]\])$")


@dataclass(frozen=True)
class Datasource:
    """One that the server has."""

    uid: str
    name: str
    type: str
    is_default: bool = False


def needs_server(dashboard: Dashboard) -> bool:
    """Whether filling in this dashboard takes the server's list of datasources."""
    return bool(dashboard.inputs) or any(True for _reference in _fixed_references(dashboard.model))


class Resolver:
    """Fills in one server's datasources.

    Args:
        available: what the server has.
        chosen: input or name in the files -> name or uid on the server, as the user says.
        by_name: servers before Grafana 8 know a panel's datasource by its name only.
    """

    def __init__(self, available: Sequence[Datasource], chosen: Mapping[str, str], by_name: bool = False):
        self._available = available
        self._chosen = chosen
        self._by_name = by_name

    def fill_in(self, dashboard: Dashboard) -> dict[str, Any]:
        """The dashboard's model with inputs and names replaced.

        Raises:
            GrafanaError: there is no such datasource, or more than one that could be meant.
        """
        values = {f"${{{one['name']}}}": self._input(dashboard, one) for one in dashboard.inputs if one.get("name")}
        model = _replace_inputs(dashboard.model, values)
        return self._replace_names(dashboard, model)

    def _input(self, dashboard: Dashboard, wanted: Mapping[str, Any]) -> str:
        name, kind = str(wanted["name"]), wanted.get("type")
        if kind != "datasource":
            return str(self._chosen.get(name, wanted.get("value", "")))
        if name in self._chosen:
            return self._reference(self._known(dashboard, name, self._chosen[name]))
        plugin = wanted.get("pluginId")
        fitting = [one for one in self._available if plugin in (None, one.type)]
        best = [one for one in fitting if one.name == wanted.get("label")] or [
            one for one in fitting if one.is_default or len(fitting) == 1
        ]
        if len(best) != 1:
            raise GrafanaError(
                f"{dashboard.label}: cannot tell which datasource is meant by the input {name} ({plugin}); "
                f"{self._there(fitting)}; write `datasources: {{{name}: NAME}}`"
            )
        return self._reference(best[0])

    def _replace_names(self, dashboard: Dashboard, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                key: self._named(dashboard, item)
                if key == "datasource" and _is_fixed(item)
                else self._replace_names(dashboard, item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._replace_names(dashboard, item) for item in value]
        return value

    def _named(self, dashboard: Dashboard, item: Any) -> Any:
        name = item if isinstance(item, str) else item["uid"]
        found = self._known(dashboard, name, self._chosen.get(name, name))
        return self._reference(found) if isinstance(item, str) else {**item, "type": found.type, "uid": found.uid}

    def _known(self, dashboard: Dashboard, asked: str, name: str) -> Datasource:
        for attribute in ("uid", "name"):
            for one in self._available:
                if getattr(one, attribute) == name:
                    return one
        raise GrafanaError(
            f"{dashboard.label}: asks for the datasource {name!r}, which the server does not have; "
            f"{self._there(self._available)}; write `datasources: {{{asked}: NAME}}`"
        )

    def _reference(self, found: Datasource) -> str:
        return found.name if self._by_name else found.uid

    @staticmethod
    def _there(some: Sequence[Datasource]) -> str:
        return f"it has {', '.join(f'{one.name!r} ({one.type})' for one in some)}" if some else "it has none that fits"


def _replace_inputs(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for placeholder, text in values.items():
            value = value.replace(placeholder, text)
        return value
    if isinstance(value, Mapping):
        return {key: _replace_inputs(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace_inputs(item, values) for item in value]
    return value


def _is_fixed(reference: Any) -> bool:
    """Whether it names one datasource, rather than a variable, a built-in one or the default."""
    name = reference.get("uid") if isinstance(reference, Mapping) else reference
    return isinstance(name, str) and not _BUILT_IN.match(name) and not _VARIABLE.match(name)


def _fixed_references(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "datasource" and _is_fixed(item):
                yield item
            else:
                yield from _fixed_references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _fixed_references(item)
