"""From the schema that the SDK writes to that of Grafana 7.5, the oldest one served; each later Grafana migrates it.

Grafana 7.5 takes a data source by name only, value mappings of another shape and the tooltip under another key; and it
does not migrate a document whose schemaVersion is above its own. Grafana 12 and later migrate from schemaVersion 9 on.
Source: Grafana 7.5's own types; apps/dashboard/pkg/migration/schemaversion in Grafana's repository (V30 value mappings
and tooltip, V33 and V36 data sources, V38 cells of tables).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SCHEMA_VERSION = 27
# What the SDK writes by itself and no Grafana misses.
_IDLE = {"allowCustomValue", "auto", "auto_count", "auto_min"}


def translate(document: dict[str, Any]) -> dict[str, Any]:
    """The same dashboard in the older schema; changes `document`."""
    document["schemaVersion"] = SCHEMA_VERSION
    document["annotations"] = {"list": []}
    document["graphTooltip"] = 1
    document.pop("fiscalYearStartMonth", None)
    for variable in document["templating"]["list"]:
        _name_datasource(variable)
        for key in _IDLE:
            variable.pop(key, None)
    for panel in panels_of(document):
        _name_datasource(panel)
        panel.pop("repeatDirection", None)
        for properties in _settings(panel):
            if properties.get("mappings"):
                properties["mappings"] = _old_mappings(properties["mappings"])
            properties.get("mappings") == [] and properties.pop("mappings")
        options = panel.get("options", {})
        if "tooltip" in options:
            options["tooltipOptions"] = {"mode": options.pop("tooltip")["mode"]}
    return document


def panels_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels, those in collapsed rows too."""
    for panel in document.get("panels", ()):
        yield panel
        yield from panel.get("panels", ())


def _name_datasource(thing: dict[str, Any]) -> None:
    if isinstance(thing.get("datasource"), dict):
        thing["datasource"] = thing["datasource"]["uid"]


def _settings(panel: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Where a panel keeps value mappings: its defaults, and each override as a mapping of its own."""
    config = panel.get("fieldConfig", {})
    yield config.get("defaults", {})
    for override in config.get("overrides", ()):
        for entry in override["properties"]:
            if entry["id"] == "mappings":
                entry["value"] = _old_mappings(entry["value"])


def _old_mappings(mappings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`{type: value, options: {"1": {text: up}}}` -> `{id: 0, type: 1, value: "1", text: up}`."""
    pairs = [(value, result["text"]) for mapping in mappings for value, result in mapping["options"].items()]
    return [{"id": place, "type": 1, "value": value, "text": text} for place, (value, text) in enumerate(pairs)]
