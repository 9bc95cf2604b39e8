# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Dashboards in a form that can be compared: without what a server adds, and line by line for people."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List, Mapping, Tuple

# Set by the server at each save, or by the browser at each load.
_SERVER_KEYS = ("id", "uid", "version", "iteration")
_NAMES = ("id", "refId", "name")

Path = Tuple[str, ...]
Titles = Mapping[str, str]


def normalise(model: Mapping[str, Any]) -> dict[str, Any]:
    """The dashboard without the server's own keys, and without nulls: later servers drop those that they are sent."""
    return {key: _plain(value) for key, value in model.items() if key not in _SERVER_KEYS and value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        # JSON knows one kind of number; servers write 1.0 as 1.
        return int(value)
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two normalised values are equal, where true is not 1 as it is to Python."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def panels(model: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All panels, those in collapsed rows and in the rows of old schemas included."""
    for key in ("panels", "rows"):
        found = model.get(key)
        for panel in found if isinstance(found, list) else ():
            if isinstance(panel, Mapping):
                if key == "panels":
                    yield panel
                yield from panels(panel)


def contents(model: Mapping[str, Any]) -> list[str]:
    """What is in a dashboard, in a few lines: for one that is new or that goes."""
    templating = model.get("templating")
    variables = templating.get("list") if isinstance(templating, Mapping) else None
    return [
        f"title: {model.get('title')}",
        *(f"variable {one.get('name')}" for one in variables or () if isinstance(one, Mapping)),
        *(f"panel {panel.get('id')} {panel.get('title', '')!r} ({panel.get('type')})" for panel in panels(model)),
    ]


def both_outlines(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Two dashboards as lines `where: value`, panel by panel: their diff shows what a person looks for."""
    titles = {**_titles(there), **_titles(wanted)}
    first, second = (
        [f"{' > '.join(path)}: {_show(value)}" for path, value in _leaves(normalise(model), (), titles)]
        for model in (wanted, there)
    )
    return first, second


def differences(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """Where two dashboards differ, one entry per panel or top-level key: `panel 3 'Latency': targets A expr`."""
    titles = {**_titles(there), **_titles(wanted)}
    ours, theirs = (dict(_leaves(normalise(model), (), titles)) for model in (wanted, there))
    places: Dict[str, List[str]] = {}
    for path in [*ours, *(path for path in theirs if path not in ours)]:
        if path in ours and path in theirs and same(ours[path], theirs[path]):
            continue
        depth = max((number + 1 for number, part in enumerate(path) if part.startswith("panel ")), default=1)
        found = places.setdefault(" > ".join(path[:depth]), [])
        if path[depth:]:
            found.append(" ".join(path[depth:]))
    return [f"{place}: {', '.join(what)}" if what else place for place, what in places.items()]


def _titles(model: Mapping[str, Any]) -> dict[str, str]:
    """Panels' titles by id: a panel that is renamed stays the same panel."""
    return {str(panel.get("id")): str(panel.get("title") or "") for panel in panels(model)}


def _leaves(value: Any, path: Path, titles: Titles) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _leaves(value[key], (*path, key), titles)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        used: Dict[str, int] = {}
        names = []
        for number, item in enumerate(value):
            name = _item_name(path, item, number, titles)
            used[name] = used.get(name, 0) + 1
            names.append(name if used[name] == 1 else f"{name} (no. {used[name]})")
            yield from _leaves(item, (*path[:-1], names[-1]), titles)
        yield (*path, "order"), names
    else:
        yield path, value


def _item_name(path: Path, item: Any, number: int, titles: Titles) -> str:
    """A name that stays when something is put in before: the id, the name, and only else the number."""
    kind = path[-1] if path else ""
    if isinstance(item, dict) and kind == "panels" and "id" in item:
        title = titles.get(str(item["id"]))
        return f"panel {item['id']} {title!r}" if title else f"panel {item['id']}"
    for key in _NAMES if isinstance(item, dict) else ():
        if isinstance(item.get(key), (str, int)):
            return f"{'variable' if path[-2:] == ('templating', 'list') else kind} {item[key]}"
    return f"{kind} {number + 1}"


def _show(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return " ".join(text.split())
