"""Controller side of gpufleet.serving.grafana_bundle: see plugins/modules/grafana_bundle.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils.grafana.errors import GrafanaError
from ..plugin_utils.components import Component, ComponentError, find_components
from ..plugin_utils.grafana import gather
from ..plugin_utils.grafana.files import DashboardFileError, read_files
from ..plugin_utils.host_variables import HostVariables

_OPTIONS = {
    "paths": {"type": "list", "elements": "path", "default": []},
    "pushed": {"type": "list", "elements": "str", "default": []},
    "folder_uid": {"type": "str", "default": ""},
    "datasource_options": {"type": "dict", "default": {}},
}
_DASHBOARDS, _DATASOURCE = "files/monitoring/dashboards", "files/monitoring/datasource.yml"


class ActionModule(ActionBase):
    """Gathers what the roles of the inventory bring to Grafana; opens no connection."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(_OPTIONS)
        try:
            return {**result, "changed": False, **self._gather(options, task_vars)}
        except (GrafanaError, ComponentError, DashboardFileError) as error:
            return {**result, "failed": True, "msg": str(error)}

    def _gather(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        groups = task_vars["groups"]
        found = find_components(self._loader, tuple(task_vars.get("gpufleet_component_paths", ())))
        present = [component for component in found.values() if groups.get(component.name)]
        files = [file for component in present for file in _files_of(component)]
        files += read_files(Path(self._find_needle("files", path)) for path in options["paths"])
        provisioned, pushed = gather.split(gather.dashboards(files, options["folder_uid"]), options["pushed"])
        variables = HostVariables(self._templar, task_vars["hostvars"])
        offers = [offer for component in present for offer in self._offers(component, groups, variables)]
        datasources = gather.datasources(offers, options["datasource_options"])
        probes = {one["uid"]: offer.entry.get("probe", "/") for one, offer in zip(datasources, offers, strict=True)}
        return {"provisioned": provisioned, "pushed": pushed, "datasources": datasources, "probes": probes}

    def _offers(
        self, component: Component, groups: Mapping[str, Iterable[str]], variables: HostVariables
    ) -> Iterator[gather.Offer]:
        file = component.path / _DATASOURCE
        if not file.is_file():
            return
        entry = self._loader.load_from_file(str(file), trusted_as_template=True)
        for host in groups[component.name]:
            raw = variables.raw(host)
            if raw.get(f"{component.name}_state", "present") != "present":
                continue
            try:
                told = variables.template(component, raw, entry)
            except AnsibleError as error:
                raise GrafanaError(f"{host}: cannot work out {component.name} as a datasource: {error}") from error
            if told.get("wanted", True):
                yield gather.Offer(component.name, host, told)


def _files_of(component: Component) -> list[dict[str, str]]:
    folder = component.path / _DASHBOARDS
    if not any(folder.glob("*.json")):
        return []
    return [{**file, "name": f"{component.name}-{file['name']}"} for file in read_files([folder])]
