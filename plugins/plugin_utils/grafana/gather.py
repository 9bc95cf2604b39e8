"""What the components bring to Grafana: dashboards, and themselves as datasources.

A room says in files/monitoring/datasource.yml what Grafana may ask its hosts for:

    type: prometheus
    name: Prometheus
    url: "http://{{ prometheus_scrape_address }}"    # templates know the component's variables of that host
    wanted: "{{ prometheus_mode == 'server' }}"      # optional
    default: true                                    # optional
    username, password: for basic authentication     # optional
    json_data: {httpMethod: POST}                    # optional, Grafana's jsonData
    probe: /api/v1/query?query=1                     # what a healthy one answers with 200
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ...module_utils.grafana.documents import Dashboard, read_set
from ...module_utils.grafana.errors import GrafanaError
from ..plain import plain

UID_PREFIX = "gpufleet"
_KEYS = {"type", "name", "url", "wanted", "default", "username", "password", "json_data", "probe"}


@dataclass(frozen=True)
class Offer:
    """One host's datasource.yml with its templates filled in."""

    component: str
    host: str
    entry: Mapping[str, Any]


def dashboards(files: Iterable[Mapping[str, str]], folder_uid: str) -> list[dict[str, str]]:
    """All of them with `name`, `uid`, `title` and `content`.

    Raises:
        GrafanaError: one is none, or two clash.
    """
    files = list(files)
    found: list[Dashboard] = read_set(files, folder_uid)
    texts = {file["name"]: file["content"] for file in files}
    return [{"name": d.source, "uid": d.uid, "title": d.title, "content": texts[d.source]} for d in found]


def split(found: Sequence[Mapping[str, str]], patterns: Sequence[str]) -> tuple[list, list]:
    """Dashboards to provision and dashboards to push: those whose uid one of `patterns` matches.

    Raises:
        GrafanaError: a pattern matches none.
    """
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(one["uid"], pattern) for one in found):
            raise GrafanaError(
                f"grafana_pushed_dashboards: {pattern!r} matches no dashboard; there are "
                f"{', '.join(sorted(one['uid'] for one in found)) or 'none'}"
            )
    pushed = [one for one in found if any(fnmatch.fnmatchcase(one["uid"], pattern) for pattern in patterns)]
    return [one for one in found if one not in pushed], pushed


def datasources(offers: Sequence[Offer], options: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Grafana's provisioning entries. The first host of a component has the uid `gpufleet-<component>`, others
    `gpufleet-<component>-<host>`; `options` are settings of Grafana's by uid that are laid on top.

    Raises:
        GrafanaError: an offer or a uid that is not to be understood.
    """
    seen: set[str] = set()
    found = []
    for offer in offers:
        if unknown := sorted(set(offer.entry) - _KEYS):
            raise GrafanaError(f"{offer.component}: datasource.yml: unknown key {', '.join(unknown)}")
        first = offer.component not in seen
        seen.add(offer.component)
        found.append(_merged(_entry(offer, first), options))
    if unknown := sorted(set(options) - {one["uid"] for one in found}):
        raise GrafanaError(
            f"grafana_datasource_options: no datasource has the uid {unknown[0]!r}; there are "
            f"{', '.join(one['uid'] for one in found) or 'none'}"
        )
    return found


def _entry(offer: Offer, first: bool) -> dict[str, Any]:
    entry, name = offer.entry, str(offer.entry["name"])
    uid = f"{UID_PREFIX}-{offer.component.replace('_', '-')}"
    found: dict[str, Any] = {
        "name": name if first else f"{name} ({offer.host})",
        "uid": uid if first else f"{uid}-{offer.host}"[:40],
        "type": entry["type"],
        "access": "proxy",
        "url": entry["url"],
        "isDefault": bool(entry.get("default")) and first,
        "editable": False,
        "jsonData": dict(entry.get("json_data") or {}),
    }
    if entry.get("username"):
        found.update(basicAuth=True, basicAuthUser=entry["username"])
        found["secureJsonData"] = {"basicAuthPassword": entry.get("password") or ""}
    return found


def _merged(entry: dict[str, Any], options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    for key, value in options.get(entry["uid"], {}).items():
        entry[key] = {**entry.get(key, {}), **value} if isinstance(value, Mapping) else value
    return entry


def datasource_file(entries: Sequence[Mapping[str, Any]]) -> str:
    """The provisioning file; `prune` takes away what this file brought before and brings no more."""
    return _yaml({"apiVersion": 1, "prune": True, "datasources": [_literal(one) for one in entries]})


def provider_file(name: str, folder_uid: str, folder_title: str, path: str) -> str:
    """The provisioning file of the dashboards in `path`."""
    provider = {
        "name": name,
        "type": "file",
        "folder": _literal(folder_title),
        "folderUid": folder_uid,
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 10,
        "options": {"path": path},
    }
    return _yaml({"apiVersion": 1, "providers": [provider]})


def _literal(value: Any) -> Any:
    """Text in which Grafana finds no environment variables."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in value.items()}
    return [_literal(item) for item in value] if isinstance(value, list) else value


def _yaml(document: Mapping[str, Any]) -> str:
    head = "# Managed by Ansible (gpufleet.serving.grafana); changes made here are lost.\n"
    return head + yaml.safe_dump(plain(document), sort_keys=False, allow_unicode=True, width=1000)
