"""Dashboards as the controller has them, shortened to what their queries need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .grafana.files import DashboardFileError, read_files

_HEAD = ("title", "uid", "templating")
_PANEL = ("title", "id", "type", "datasource", "targets", "gpufleet", "panels")


def read(places: Iterable[Any]) -> list[dict[str, Any]]:
    """The dashboards of files, of all *.json in folders, of grafana_bundle's entries, and those given as mappings.

    Raises:
        DashboardFileError: names the file or folder and what is wrong with it.
    """
    found = []
    for place in places:
        if not isinstance(place, Mapping):
            found += [_parse(file["content"], file["name"]) for file in read_files([Path(str(place))])]
        elif "content" in place:
            found.append(_parse(str(place["content"]), str(place.get("name", "dashboard"))))
        else:
            found.append(_checked(place, str(place.get("title", "dashboard"))))
    return found


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return _checked(json.loads(text), name)
    except ValueError as error:
        raise DashboardFileError(f"{name}: not JSON: {error}") from None


def _checked(document: Any, name: str) -> dict[str, Any]:
    if isinstance(document, Mapping) and isinstance(document.get("dashboard"), Mapping):
        document = document["dashboard"]
    if not isinstance(document, Mapping) or "panels" not in document:
        raise DashboardFileError(f"{name}: not a dashboard: it has no panels")
    return dict(document)


def shortened(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without what has no part in the queries, so that little travels to the host."""
    return {
        **{key: document[key] for key in _HEAD if key in document},
        "panels": [_short_panel(panel) for panel in document.get("panels") or ()],
    }


def _short_panel(panel: Mapping[str, Any]) -> dict[str, Any]:
    short = {key: panel[key] for key in _PANEL if key in panel}
    if "panels" in short:
        short["panels"] = [_short_panel(inner) for inner in short["panels"] or ()]
    return short
