# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The legacy API, /api: from Grafana 7.5 to today."""

from __future__ import annotations

import re
from typing import Any, Mapping
from urllib.parse import quote

from .caller import Caller
from .documents import Dashboard
from .objects import ROOT, Edit, Existing, Folder, Server

_PAGE = 1000
_FOLDER_IN_URL = re.compile(r"/dashboards/f/([^/]+)/")


class LegacyServer(Server):
    """See objects.Server."""

    api = "legacy"

    def __init__(self, caller: Caller):
        self._call = caller.call

    def folder(self, uid: str) -> Folder | None:
        found = self._call("GET", f"/api/folders/{quote(uid, safe='')}", missing=(404,))
        return _folder(found) if found else None

    def create_folder(self, uid: str, title: str, parent_uid: str) -> Folder:
        body = {"uid": uid, "title": title}
        if parent_uid:
            body["parentUid"] = parent_uid
        return _folder(self._call("POST", "/api/folders", body))

    def delete_folder(self, uid: str) -> None:
        self._call("DELETE", f"/api/folders/{quote(uid, safe='')}")

    def dashboard(self, uid: str) -> Existing | None:
        found = self._call("GET", f"/api/dashboards/uid/{quote(uid, safe='')}", missing=(404,))
        if found is None:
            return None
        model, meta = found["dashboard"], found["meta"]
        return Existing(
            uid=uid,
            title=model.get("title", ""),
            model=model,
            version=meta.get("version", model.get("version")),
            number=meta.get("version", model.get("version")),
            folder_uid=_folder_uid(meta),
            url=meta.get("url", ""),
            id=model.get("id"),
            provisioned_by=(meta.get("provisionedExternalId") or "files") if meta.get("provisioned") else "",
        )

    def uids_in(self, folder: Folder) -> list[str]:
        # Each server knows one of the two; where both are known, they say the same.
        query: dict[str, Any] = {"type": "dash-db", "folderUIDs": folder.uid, "limit": _PAGE}
        if folder.id is not None:
            query["folderIds"] = folder.id
        uids: list[str] = []
        for page in range(1, 1000):
            rows = self._call("GET", "/api/search", query={**query, "page": page})
            uids += [row["uid"] for row in rows if row.get("folderUid") == folder.uid and row["uid"] not in uids]
            if len(rows) < _PAGE:
                break
        return uids

    def newest_edit(self, existing: Existing) -> Edit | None:
        paths = [f"/api/dashboards/uid/{quote(existing.uid, safe='')}/versions"]
        if existing.id is not None:
            # Before Grafana 9 they were asked for by id only.
            paths.append(f"/api/dashboards/id/{existing.id}/versions")
        for path in paths:
            found = self._call("GET", path, query={"limit": 1}, missing=(404,))
            versions = found.get("versions") if isinstance(found, dict) else found
            if versions:
                return Edit(
                    by=versions[0].get("createdBy", ""),
                    when=versions[0].get("created", ""),
                    message=versions[0].get("message", ""),
                )
        return None

    def save(self, wanted: Dashboard, existing: Existing | None, folder: Folder, overwrite: bool, message: str) -> None:
        dashboard = dict(wanted.model)
        if existing:
            dashboard["version"] = existing.version
        body: dict[str, Any] = {"dashboard": dashboard, "folderUid": folder.uid, "overwrite": overwrite}
        if folder.id is not None:
            # 7.5 knows folders by id only; where both count, the uid wins.
            body["folderId"] = folder.id
        body["message"] = message
        self._call("POST", "/api/dashboards/db", body)

    def would_become(self, wanted: Dashboard, existing: Existing) -> Mapping[str, Any] | None:
        # It keeps what it is sent, in newer servers too: they store it under v0alpha1, which migrates nothing.
        return None

    def delete(self, uid: str) -> None:
        self._call("DELETE", f"/api/dashboards/uid/{quote(uid, safe='')}")


def _folder(found: Mapping[str, Any]) -> Folder:
    return Folder(
        uid=found["uid"], title=found["title"], id=found.get("id") or None, parent_uid=found.get("parentUid") or ""
    )


def _folder_uid(meta: Mapping[str, Any]) -> str:
    """The folder's uid; 7.5 tells it in the folder's URL only."""
    if meta.get("folderUid"):
        return str(meta["folderUid"])
    match = _FOLDER_IN_URL.search(meta.get("folderUrl") or "")
    return match.group(1) if match else ROOT.uid
