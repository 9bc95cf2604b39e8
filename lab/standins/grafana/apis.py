"""The API of Grafana 12 and later: resources in the manner of Kubernetes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .flavour import Flavour
from .legacy import Route
from .library import Library, RefusedError

_IN_FOLDER, _MESSAGE = "grafana.app/folder", "grafana.app/message"
_VERSIONS = {"dashboard.grafana.app": ("v1", "v1beta1", "v0alpha1"), "folder.grafana.app": ("v1", "v1beta1")}
_REASONS = {400: "BadRequest", 404: "NotFound", 409: "Conflict"}


class ApisApi:
    """Where the server has it at all."""

    def __init__(self, library: Library, flavour: Flavour):
        self._library = library
        self._flavour = flavour

    def routes(self) -> list[Route]:
        if not self._flavour.apis:
            return []
        routes: list[Route] = [("GET", f"/apis/({group})", self._group) for group in _VERSIONS]
        base = "/apis/({group})/({versions})/namespaces/default/{plural}"
        for group, plural, kind in (
            ("dashboard.grafana.app", "dashboards", _Dashboards),
            ("folder.grafana.app", "folders", _Folders),
        ):
            path = base.format(group=group, versions="|".join(_VERSIONS[group]), plural=plural)
            resources = kind(self._library)
            routes += [
                ("GET", path, _told(resources.list)),
                ("POST", path, _told(resources.create)),
                ("GET", f"{path}/([^/]+)", _told(resources.get)),
                ("PUT", f"{path}/([^/]+)", _told(resources.update)),
                ("DELETE", f"{path}/([^/]+)", _told(resources.delete)),
            ]
        return routes

    @staticmethod
    def _group(request: Any, group: str) -> dict:
        versions = [{"groupVersion": f"{group}/{one}", "version": one} for one in _VERSIONS[group]]
        return {"kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": versions}


def _told(handler: Any) -> Any:
    """Refusals are Status resources here."""

    def run(request: Any, group: str, version: str, *groups: str) -> Any:
        try:
            return handler(request, f"{group}/{version}", *groups)
        except RefusedError as error:
            status = {412: 409}.get(error.status, error.status)
            message = "the object has been modified; please apply your changes to the latest version and try again"
            body = {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": message if error.status == 412 else str(error),
                "reason": _REASONS.get(status, ""),
                "code": status,
            }
            return request.answer(status, body)

    return run


def _annotations(body: Mapping[str, Any]) -> Mapping[str, str]:
    return (body.get("metadata") or {}).get("annotations") or {}


class _Dashboards:
    def __init__(self, library: Library):
        self._library = library

    def list(self, request: Any, version: str) -> dict:
        query = request.query
        if query.get("labelSelector") == "grafana.app/get-history=true":
            uid = query.get("fieldSelector", "").partition("metadata.name=")[2]
            row = self._row(uid)
            items = [self._old(row, one, version) for one in self._library.versions(row)]
        else:
            items = [self._shown(row, version) for row in self._library.all()]
        start, limit = int(query.get("continue") or 0), int(query.get("limit") or 500)
        more = {"continue": str(start + limit)} if len(items) > start + limit else {}
        return {"kind": "DashboardList", "apiVersion": version, "metadata": more, "items": items[start : start + limit]}

    def get(self, request: Any, version: str, uid: str) -> dict:
        return self._shown(self._row(uid), version)

    def create(self, request: Any, version: str) -> Any:
        body = request.json()
        uid = body["metadata"]["name"]
        if self._library.get(uid) is not None:
            raise RefusedError(409, f'dashboards.dashboard.grafana.app "{uid}" already exists')
        return request.answer(201, self._shown(self._saved(request, body, uid, version), version))

    def update(self, request: Any, version: str, uid: str) -> Any:
        body, row = request.json(), self._row(uid)
        known = body["metadata"].get("resourceVersion")
        if known and known != str(row["resource"]):
            raise RefusedError(412, "version-mismatch")
        if request.query.get("dryRun"):
            shown = self._shown(row, version)
            return {**shown, "spec": _migrated(body["spec"], version)}
        return self._shown(self._saved(request, body, uid, version), version)

    def _saved(self, request: Any, body: Mapping[str, Any], uid: str, version: str) -> Any:
        notes = _annotations(body)
        folder_uid = notes.get(_IN_FOLDER) or ""
        folder = self._library.get(folder_uid, folder=True)
        if folder_uid and folder is None:
            raise RefusedError(400, f'folders.folder.grafana.app "{folder_uid}" not found')
        model = {**_migrated(body["spec"], version), "uid": uid}
        return self._library.save(model, folder, True, request.user["login"], notes.get(_MESSAGE) or "")

    def delete(self, request: Any, version: str, uid: str) -> dict:
        self._row(uid)
        self._library.delete(uid)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": {"name": uid}}

    def _row(self, uid: str) -> Any:
        row = self._library.get(uid)
        if row is None:
            raise RefusedError(404, f'dashboards.dashboard.grafana.app "{uid}" not found')
        return row

    def _shown(self, row: Any, version: str) -> dict:
        notes = {"grafana.app/createdBy": row["created_by"], "grafana.app/updatedBy": row["updated_by"]}
        folder = self._library.by_id(row["folder_id"], folder=True)
        if folder:
            notes[_IN_FOLDER] = folder["uid"]
        owner = self._library.provisioned(row)
        if owner:
            notes["grafana.app/managedBy"] = "classic-file-provisioning"
            notes["grafana.app/sourcePath"] = owner["external_id"]
            if owner["allow_edits"]:
                notes["grafana.app/managerAllowsEdits"] = "true"
        metadata = {
            "name": row["uid"],
            "namespace": "default",
            "resourceVersion": str(row["resource"]),
            "generation": row["version"],
            "creationTimestamp": row["created"],
            "annotations": notes,
        }
        spec = json.loads(row["data"])
        for key in ("id", "uid", "version"):
            spec.pop(key, None)
        spec = _migrated(spec, version)
        return {"kind": "Dashboard", "apiVersion": version, "metadata": metadata, "spec": spec, "status": {}}

    def _old(self, row: Any, saved: Any, version: str) -> dict:
        shown = self._shown({**dict(row), "data": saved["data"], "version": saved["version"]}, version)
        shown["metadata"]["annotations"]["grafana.app/updatedBy"] = saved["created_by"]
        shown["metadata"]["annotations"][_MESSAGE] = saved["message"]
        return shown


class _Folders:
    def __init__(self, library: Library):
        self._library = library

    def list(self, request: Any, version: str) -> dict:
        items = [self._shown(row, version) for row in self._library.all(folder=True)]
        return {"kind": "FolderList", "apiVersion": version, "metadata": {}, "items": items}

    def get(self, request: Any, version: str, uid: str) -> dict:
        row = self._library.get(uid, folder=True)
        if row is None:
            raise RefusedError(404, f'folders.folder.grafana.app "{uid}" not found')
        return self._shown(row, version)

    def create(self, request: Any, version: str) -> Any:
        body = request.json()
        uid, title = body["metadata"]["name"], body["spec"].get("title") or ""
        if self._library.get(uid, folder=True) is not None:
            raise RefusedError(409, f'folders.folder.grafana.app "{uid}" already exists')
        parent = _annotations(body).get(_IN_FOLDER) or ""
        return request.answer(
            201, self._shown(self._library.create_folder(uid, title, parent, request.user["login"]), version)
        )

    def update(self, request: Any, version: str, uid: str) -> Any:
        raise RefusedError(400, "the stand-in does not change folders")

    def delete(self, request: Any, version: str, uid: str) -> dict:
        return self._shown(self._library.delete_folder(uid), version)

    def _shown(self, row: Any, version: str) -> dict:
        parent = self._library.by_id(row["folder_id"], folder=True)
        metadata = {
            "name": row["uid"],
            "namespace": "default",
            "resourceVersion": str(row["resource"]),
            "creationTimestamp": row["created"],
            "annotations": {_IN_FOLDER: parent["uid"]} if parent else {},
        }
        return {"kind": "Folder", "apiVersion": version, "metadata": metadata, "spec": {"title": row["title"]}}


def _migrated(spec: Mapping[str, Any], version: str) -> dict:
    """Only v0alpha1 keeps a dashboard as it is; of the many migrations this is enough for a client to notice."""
    if version.endswith("/v0alpha1"):
        return dict(spec)
    panels = [
        {"fieldConfig": {"defaults": {}, "overrides": []}, **panel} if panel.get("type") != "row" else panel
        for panel in spec.get("panels") or ()
    ]
    schema = spec.get("schemaVersion")
    if isinstance(schema, int) and schema >= 42:
        return dict(spec)
    return {**spec, **({"panels": panels} if panels else {}), "schemaVersion": 42}
