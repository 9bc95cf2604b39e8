# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Which API a server speaks and which datasources it has, found out by asking it."""

from __future__ import annotations

import re
from typing import Mapping

from .apis import ApisServer, find_versions
from .caller import Caller
from .datasources import Datasource, Resolver
from .errors import GrafanaError
from .legacy import LegacyServer
from .objects import Server


def connect(caller: Caller, org_id: int | None = None) -> Server:
    """The legacy API where the server has it, since that keeps dashboards as they are; else the new one.

    Raises:
        GrafanaError: it has neither.
    """
    if caller.call("GET", "/api/folders", query={"limit": 1}, missing=(404, 410)) is not None:
        return LegacyServer(caller)
    versions = find_versions(caller)
    if versions is None:
        raise GrafanaError(
            "The server has neither /api/folders nor /apis/dashboard.grafana.app; is the URL that of a Grafana, with "
            "its sub-path where it has one?"
        )
    return ApisServer(caller, *versions, namespace="default" if org_id in (None, 1) else f"org-{org_id}")


def resolver(caller: Caller, chosen: Mapping[str, str]) -> Resolver:
    """What fills in the server's datasources."""
    found = caller.call("GET", "/api/datasources")
    available = [
        Datasource(
            uid=one.get("uid") or one["name"], name=one["name"], type=one["type"], is_default=bool(one.get("isDefault"))
        )
        for one in found
    ]
    return Resolver(available, chosen, by_name=_before_8(caller))


def _before_8(caller: Caller) -> bool:
    health = caller.call("GET", "/api/health", missing=(404,)) or {}
    match = re.match(r"(\d+)\.", str(health.get("version", "")))
    return bool(match) and int(match.group(1)) < 8
