"""Controller side of gpufleet.serving.inventory_preflight: see plugins/modules/inventory_preflight.py."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ..plugin_utils import inventory_check
from ..plugin_utils.components import Component, ComponentError, find_components
from ..plugin_utils.host_variables import HostVariables

_SHARED = Path(__file__).parents[1] / "plugin_utils" / "shared_variables.yml"


class ActionModule(ActionBase):
    """Judges the variables of every host of the play against the argument specs of the components it runs."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset()

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        groups = task_vars["groups"]
        try:
            components = find_components(self._loader, tuple(task_vars.get("gpufleet_component_paths", ())))
        except ComponentError as error:
            return {**result, "failed": True, "msg": str(error)}
        self._shared = self._loader.load_from_file(str(_SHARED))
        # component -> host -> values that are in order by themselves.
        self._fleet: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._known = {name for component in components.values() for name in component.options} | set(self._shared)

        variables = HostVariables(self._templar, task_vars["hostvars"])
        hosts = sorted(task_vars["ansible_play_hosts_all"])
        problems = {host: self._problems(variables, host, components, groups) for host in hosts}
        said = self._group_problems(groups, components) + inventory_check.group_by_host(problems)
        said += [problem for name, values in self._fleet.items() for problem in _fleet_problems(name, values)]
        if said:
            what = "1 problem" if len(said) == 1 else f"{len(said)} problems"
            result["failed"] = True
            result["msg"] = f"The inventory has {what}; no host was touched.\n" + "\n".join(
                f"- {line}" for line in said
            )
        else:
            result["msg"] = f"The variables of {len(hosts)} hosts are in order."
        return result

    def _problems(
        self, variables: HostVariables, host: str, components: Mapping[str, Component], groups: Mapping[str, list[str]]
    ) -> list[str]:
        raw = variables.raw(host)
        allowed = raw.get("gpufleet_foreign_variables", ())
        problems = inventory_check.misspelt(raw, self._known, components, allowed)
        problems += inventory_check.spec_problems(
            self._shared, {name: raw[name] for name in self._shared if name in raw and not _is_template(raw[name])}
        )
        for component in components.values():
            if host not in groups.get(component.name, ()):
                continue
            try:
                values = variables.options(component, raw)
            except AnsibleError as error:
                problems.append(f"{component.name}: {error}")
                continue
            wrong = inventory_check.spec_problems(component.options, values)
            wrong = wrong or _own_problems(component.name, values)
            if not wrong:
                self._fleet.setdefault(component.name, {})[host] = values
            problems += wrong
        return problems

    @staticmethod
    def _group_problems(groups: Mapping[str, list[str]], components: Mapping[str, Component]) -> list[str]:
        if not any(groups.get(name) for name in components):
            return [
                "no host is in a group named like a component, so there is nothing to do; "
                f"the components are {', '.join(sorted(components))}. See inventory/example."
            ]
        problems = []
        for group in sorted(set(groups) - set(components) - {"all", "ungrouped"}):
            near = inventory_check.nearest(group, components, cutoff=0.85)
            # A group of the operator's own, such as llm, may look like vllm as long as its hosts do run vllm.
            if near and not set(groups[group]) <= set(groups.get(near, ())):
                problems.append(f"group {group}: no component has this name; did you mean {near}?")
        return problems


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


def _own_problems(component: str, values: Mapping[str, Any]) -> list[str]:
    """What the component's own check says of one host, where it has one."""
    module = _own_check(component)
    return [f"{component}: {problem}" for problem in module.problems(values)] if module else []


def _fleet_problems(component: str, values: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What it says of all its hosts together."""
    check = getattr(_own_check(component), "fleet_problems", None)
    return [f"{component}: {problem}" for problem in check(values)] if check else []


def _own_check(component: str) -> ModuleType | None:
    """The module `plugin_utils/preflight/<component>.py`."""
    package = __package__.rpartition(".")[0]
    try:
        return import_module(f"{package}.plugin_utils.preflight.{component}")
    except ModuleNotFoundError:
        return None
