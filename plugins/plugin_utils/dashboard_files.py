"""Dashboards in files on the controller, shortened to what their queries need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_HEAD = ("title", "uid", "templating")
_PANEL = ("title", "id", "type", "datasource", "targets", "gpufleet", "panels")


class DashboardFileError(Exception):
    """A file that is no dashboard, or a folder that has none."""


def read(places: Iterable[Any]) -> list[dict[str, Any]]:
    """The dashboards of files, of all *.json in folders, and those that are given as mappings.

    Raises:
        DashboardFileError: names the file or folder and what is wrong with it.
    """
    found = []
    for place in places:
        if isinstance(place, Mapping):
            found.append(dict(place))
            continue
        path = Path(str(place))
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise DashboardFileError(f"{path}: no *.json in this folder")
        found += [_load(file) for file in files]
    return found


def _load(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DashboardFileError(f"{file}: cannot read this dashboard: {error}") from None
    except ValueError as error:
        raise DashboardFileError(f"{file}: not JSON: {error}") from None
    if isinstance(document, Mapping) and isinstance(document.get("dashboard"), Mapping):
        document = document["dashboard"]
    if not isinstance(document, Mapping) or "panels" not in document:
        raise DashboardFileError(f"{file}: not a dashboard: it has no panels")
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
