"""Controller side of gpufleet.serving.monitoring_bundle: see plugins/modules/monitoring_bundle.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ..plugin_utils import alerting
from ..plugin_utils.components import Component, ComponentError, find_components
from ..plugin_utils.host_variables import HostVariables
from ..plugin_utils.scrape import (
    ScrapeError,
    Series,
    Target,
    file_sd,
    inventory_rules,
    lend_labels,
    members,
    series_of,
    targets_of,
)
from ..plugin_utils.slo.gather import gather as gather_levels

_INVENTORY_RULES = "inventory.yml"


class ActionModule(ActionBase):
    """Gathers what the roles of the inventory bring to monitoring; opens no connection."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset({"hosts"})

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        groups, variables = task_vars["groups"], HostVariables(self._templar, task_vars["hostvars"])
        targets: list[Target] = []
        series: list[Series] = []
        try:
            found = find_components(self._loader, tuple(task_vars.get("gpufleet_component_paths", ())))
            present = [component for component in found.values() if groups.get(component.name)]
            scraped = members(self._task.args.get("hosts", ["all"]), groups)
            for component in present:
                if component.scrape:
                    hosts = [host for host in groups[component.name] if host in scraped]
                    for found_targets, found_series in _of_hosts(component, hosts, variables):
                        targets += found_targets
                        series += found_series
            alerts = alerting.gather(present, lambda component: _running(component, groups[component.name], variables))
            levels = gather_levels(
                present,
                lambda c: _running(c, [host for host in groups[c.name] if host in scraped], variables),
            )
        except (ComponentError, ScrapeError) as error:
            return {**result, "failed": True, "msg": str(error)}
        targets = lend_labels(targets)
        inventory = inventory_rules(series)
        return {
            **result,
            "jobs": {c.scrape["job"]: c.scrape.get("options", {}) for c in present if c.scrape},
            "targets": file_sd(targets),
            "expected": [{"job": t.job, "instance": t.labels["instance"], "address": t.address} for t in targets],
            "rules": {
                name: file.read_text(encoding="utf-8")
                for component in present
                for name, file in component.rules.items()
            }
            | ({_INVENTORY_RULES: inventory} if inventory else {})
            | levels.rules,
            "longest_window": levels.longest_window,
            "alerting": alerts,
        }


def _of_hosts(
    component: Component, hosts: Iterable[str], variables: HostVariables
) -> Iterator[tuple[list[Target], list[Series]]]:
    for host, template in _running(component, hosts, variables):
        try:
            labels = template(_host_labels(host, variables.raw(host)))
            asked = (component.name, component.scrape, host, template, labels)
            yield targets_of(*asked), series_of(*asked)
        except AnsibleError as error:
            raise ScrapeError(f"{host}: cannot work out where {component.name} is scraped: {error}") from error


def _running(
    component: Component, hosts: Iterable[str], variables: HostVariables
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The hosts on which the component is present, each with a function that templates in its context."""
    for host in hosts:
        raw = variables.raw(host)
        if raw.get(f"{component.name}_state", "present") == "present":
            yield host, partial(variables.template, component, raw)


def _host_labels(host: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """`instance` is the host's name in the inventory in every job, so that series of one box join."""
    site = {"site": raw["gpufleet_site"]} if "gpufleet_site" in raw else {}
    return {"instance": host, **site, **raw.get("gpufleet_labels", {})}
