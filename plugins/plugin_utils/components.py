"""What stands in a component's room: its defaults, its argument specs and what it brings to monitoring.

A component is a role; the group of the same name in the inventory says on which hosts it runs. Nothing here
knows a component by name: adding one is adding its folder under roles/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader

COLLECTION_ROOT = Path(__file__).resolve().parents[2]


class ComponentError(Exception):
    """A component's own files cannot be used as they stand."""


@dataclass(frozen=True)
class Component:
    """One role and the files that describe it."""

    name: str
    path: Path
    loader: DataLoader

    def _load(self, relative: str) -> dict[str, Any]:
        file = self.path / relative
        if not file.is_file():
            return {}
        data = self.loader.load_from_file(str(file), trusted_as_template=True)
        if data is not None and not isinstance(data, Mapping):
            raise ComponentError(f"{file}: expected a mapping, found {type(data).__name__}")
        return dict(data or {})

    @cached_property
    def defaults(self) -> dict[str, Any]:
        return self._load("defaults/main.yml")

    @cached_property
    def options(self) -> dict[str, Any]:
        """Argument specs of the entry point `main`: option name -> specification."""
        specs = self._load("meta/argument_specs.yml").get("argument_specs", {})
        return dict(specs.get("main", {}).get("options", {}))

    @cached_property
    def scrape(self) -> dict[str, Any]:
        """Where the component is scraped (files/monitoring/scrape.yml); empty when it has no endpoint."""
        return self._load("files/monitoring/scrape.yml")

    @cached_property
    def alerting(self) -> dict[str, Any]:
        """What it says of alerts (files/monitoring/alerting.yml); plugin_utils/alerting.py tells the keys."""
        return self._load("files/monitoring/alerting.yml")

    @cached_property
    def service_levels(self) -> dict[str, Any]:
        """What can be promised of it (files/monitoring/service_levels.yml); plugin_utils/slo makes rules of it."""
        return self._load("files/monitoring/service_levels.yml")

    @property
    def rules(self) -> dict[str, Path]:
        """Prometheus rule files by the name they land under: `<component>-<file>`."""
        return {f"{self.name}-{file.name}": file for file in sorted(self.path.glob("files/monitoring/rules/*.yml"))}

    @property
    def has_verify(self) -> bool:
        return (self.path / "tasks" / "verify.yml").is_file()


def find_components(loader: DataLoader, extra_paths: tuple[str, ...] = ()) -> dict[str, Component]:
    """All components by name, from the collection's roles/ and from the operator's own role folders.

    Raises:
        ComponentError: a folder of `extra_paths` does not exist, or brings a component that exists already.
    """
    found: dict[str, Component] = {}
    for folder in (COLLECTION_ROOT / "roles", *(Path(path) for path in extra_paths)):
        if not folder.is_dir():
            raise ComponentError(f"{folder}: no such folder of roles")
        for role in sorted(folder.iterdir()):
            if not (role / "tasks").is_dir():
                continue
            if role.name in found:
                raise ComponentError(f"{role}: the component {role.name!r} exists already in {found[role.name].path}")
            found[role.name] = Component(role.name, role, loader)
    return found
