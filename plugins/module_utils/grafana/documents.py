# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""From the text of files to a set of dashboards that may be sent: nothing here asks a server."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, NoReturn

from .errors import GrafanaError, several

# Grafana's own limits: longer or other ones are refused with 400.
_UID = re.compile(r"^[A-Za-z0-9_-]{1,40}$")
_API_GROUP = "dashboard.grafana.app/"
# Keys of a file that belong to an export or to one server, never to the dashboard.
_NOT_SENT = ("id", "version", "iteration", "__inputs", "__requires", "__elements")


@dataclass(frozen=True)
class Dashboard:
    """One dashboard as it shall be.

    Attributes:
        source: the file's name, for messages.
        model: the classic dashboard JSON with uid and title, without what belongs to a server.
        inputs: the export's `__inputs`, which are to be filled in.
        based_on: the version that the file says it is, if it does.
    """

    source: str
    uid: str
    title: str
    model: Mapping[str, Any]
    inputs: tuple[Mapping[str, Any], ...] = ()
    based_on: int | None = None
    label: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", f"{self.source} ({self.title!r}, uid {self.uid})")


def read_set(files: Iterable[Mapping[str, str]], folder_uid: str) -> list[Dashboard]:
    """All dashboards of a set.

    Args:
        files: each with `name` and `content`, the JSON text.
        folder_uid: the folder they go to; empty for the root.

    Raises:
        GrafanaError: with all that is wrong in the set, clashes of uids and titles included.
    """
    found, problems = [], []
    for file in files:
        try:
            found.append(read(file["name"], file["content"], folder_uid))
        except GrafanaError as error:
            problems.append(str(error))
    problems += _clashes(found)
    if problems:
        raise several("Nothing was sent:", problems)
    return found


def read(name: str, text: str, folder_uid: str) -> Dashboard:
    """One dashboard.

    Raises:
        GrafanaError: the text is none that Grafana could take.
    """
    document = _unwrap(name, _parse(name, text))
    if "elements" in document and "layout" in document:
        raise GrafanaError(
            f"{name}: holds a dashboard of schema v2, which servers before Grafana 12 do not know; "
            "export it as classic JSON"
        )
    if document.get("__elements"):
        raise GrafanaError(
            f"{name}: holds library panels (__elements), which are objects of one server; unlink them and export again"
        )
    title = document.get("title")
    if not isinstance(title, str) or not title.strip():
        raise GrafanaError(f"{name}: has no `title`; is it a dashboard?")
    uid = document.get("uid") or stable_uid(folder_uid, name)
    if not isinstance(uid, str) or not _UID.match(uid):
        raise GrafanaError(
            f"{name}: uid {uid!r} is none: up to 40 letters, digits, - and _; without one it is made of the file name"
        )
    model = {key: value for key, value in document.items() if key not in _NOT_SENT}
    based_on = document.get("version")
    return Dashboard(
        source=name,
        uid=uid,
        title=title,
        model={**model, "uid": uid},
        inputs=tuple(document.get("__inputs") or ()),
        based_on=based_on if isinstance(based_on, int) and not isinstance(based_on, bool) else None,
    )


def stable_uid(folder_uid: str, name: str) -> str:
    """A uid for a dashboard that has none: the same for the same file name and folder, whatever its title becomes."""
    stem = re.sub(r"\.json$", "", name.rpartition("/")[2])
    digest = hashlib.sha256(f"{folder_uid}/{stem}".encode()).hexdigest()[:12]
    readable = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:27].strip("-")
    return f"{readable}-{digest}" if readable else digest


def _parse(name: str, text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError as error:
        raise GrafanaError(f"{name}: is not JSON: {error}") from error


def _unwrap(name: str, document: Any) -> Mapping[str, Any]:
    """The dashboard itself, out of what the API or a resource file wraps around it."""
    if not isinstance(document, dict):
        raise GrafanaError(f"{name}: expected a dashboard, found {type(document).__name__}")
    if isinstance(document.get("dashboard"), dict):
        return document["dashboard"]
    kind = document.get("apiVersion")
    if not isinstance(kind, str) or not isinstance(document.get("spec"), dict):
        return document
    if not kind.startswith(_API_GROUP):
        raise GrafanaError(f"{name}: is a resource of {kind}, not a dashboard")
    return {**document["spec"], "uid": document.get("metadata", {}).get("name")}


def _clashes(dashboards: Iterable[Dashboard]) -> list[str]:
    problems = []
    for what, key in (("uid", lambda d: d.uid), ("title", lambda d: d.title)):
        groups: dict[str, list[str]] = {}
        for dashboard in dashboards:
            groups.setdefault(key(dashboard), []).append(dashboard.source)
        problems += [
            f"{' and '.join(sources)}: have the same {what} {value!r}; one would replace the other, so change one"
            for value, sources in groups.items()
            if len(sources) > 1
        ]
    return problems
