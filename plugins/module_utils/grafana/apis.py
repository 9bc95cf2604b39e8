# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The API of Grafana 12 and later, /apis: resources in the manner of Kubernetes."""

from __future__ import annotations

from typing import Any, Iterator, Mapping
from urllib.parse import quote

from .caller import Caller
from .documents import Dashboard
from .errors import GrafanaError, RefusedError
from .objects import ROOT, Edit, Existing, Folder, Server

# Versions whose spec is the classic dashboard JSON, best first; v2 and later are another schema.
_CLASSIC = ("v1", "v1beta1", "v0alpha1")
_FOLDERS = ("v1", "v1beta1")
_PAGE = 500
_IN_FOLDER = "grafana.app/folder"
_MESSAGE = "grafana.app/message"


def find_versions(caller: Caller) -> tuple[str, str] | None:
    """The versions of the dashboard and the folder API to speak, or None when the server has no such API.

    Raises:
        GrafanaError: it has, but in no version that is known here.
    """
    chosen = []
    for group, known in (("dashboard.grafana.app", _CLASSIC), ("folder.grafana.app", _FOLDERS)):
        found = caller.call("GET", f"/apis/{group}", missing=(404, 410))
        if found is None:
            return None
        served = [one["version"] for one in found.get("versions", ())]
        fitting = [version for version in known if version in served]
        if not fitting:
            raise GrafanaError(
                f"The server's /apis/{group} has the versions {', '.join(served) or 'none'}; "
                f"known here are {', '.join(known)}"
            )
        chosen.append(fitting[0])
    return chosen[0], chosen[1]


class ApisServer(Server):
    """See objects.Server. `namespace` is `default` for the first organisation, else `org-<id>`."""

    api = "apis"

    def __init__(self, caller: Caller, dashboards: str, folders: str, namespace: str):
        self._call = caller.call
        self._version = dashboards
        self._dashboards = f"/apis/dashboard.grafana.app/{dashboards}/namespaces/{namespace}/dashboards"
        self._folders = f"/apis/folder.grafana.app/{folders}/namespaces/{namespace}/folders"
        self._folder_version = folders

    def folder(self, uid: str) -> Folder | None:
        found = self._call("GET", f"{self._folders}/{quote(uid, safe='')}", missing=(404,))
        return _folder(found) if found else None

    def create_folder(self, uid: str, title: str, parent_uid: str) -> Folder:
        annotations = {_IN_FOLDER: parent_uid} if parent_uid else {}
        body = {
            "apiVersion": f"folder.grafana.app/{self._folder_version}",
            "kind": "Folder",
            "metadata": {"name": uid, "annotations": annotations},
            "spec": {"title": title},
        }
        return _folder(self._call("POST", self._folders, body))

    def delete_folder(self, uid: str) -> None:
        self._call("DELETE", f"{self._folders}/{quote(uid, safe='')}")

    def dashboard(self, uid: str) -> Existing | None:
        found = self._call("GET", f"{self._dashboards}/{quote(uid, safe='')}", missing=(404,))
        return _existing(found) if found else None

    def uids_in(self, folder: Folder) -> list[str]:
        return [
            one["metadata"]["name"]
            for one in self._list({"limit": _PAGE})
            if _annotations(one).get(_IN_FOLDER, ROOT.uid) == folder.uid
        ]

    def newest_edit(self, existing: Existing) -> Edit | None:
        history = {
            "labelSelector": "grafana.app/get-history=true",
            "fieldSelector": f"metadata.name={existing.uid}",
            "limit": 1,
        }
        try:
            newest = next(self._list(history), None)
        except RefusedError as error:
            if error.status not in (400, 404, 405, 501):
                raise
            # Versions before v1 may have no history.
            return None
        if newest is None:
            return None
        notes = _annotations(newest)
        return Edit(
            by=notes.get("grafana.app/updatedBy") or notes.get("grafana.app/createdBy", ""),
            when=notes.get("grafana.app/updatedTimestamp") or newest["metadata"].get("creationTimestamp", ""),
            message=notes.get(_MESSAGE, ""),
        )

    def _list(self, query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        query = dict(query)
        while True:
            page = self._call("GET", self._dashboards, query=query)
            yield from page.get("items") or ()
            query["continue"] = (page.get("metadata") or {}).get("continue")
            if not query["continue"]:
                return

    def save(self, wanted: Dashboard, existing: Existing | None, folder: Folder, overwrite: bool, message: str) -> None:
        resource = self._resource(wanted, folder.uid, message)
        # As Grafana's own pages do: its schema refuses dashboards that it shows without trouble.
        query = {"fieldValidation": "Ignore"}
        if existing is None:
            self._call("POST", self._dashboards, resource, query=query)
            return
        if not overwrite:
            resource["metadata"]["resourceVersion"] = existing.version
        self._call("PUT", f"{self._dashboards}/{quote(wanted.uid, safe='')}", resource, query=query)

    def would_become(self, wanted: Dashboard, existing: Existing) -> Mapping[str, Any] | None:
        resource = self._resource(wanted, existing.folder_uid, "")
        path = f"{self._dashboards}/{quote(wanted.uid, safe='')}"
        return self._call("PUT", path, resource, query={"dryRun": "All", "fieldValidation": "Ignore"})["spec"]

    def _resource(self, wanted: Dashboard, folder_uid: str, message: str) -> dict[str, Any]:
        annotations = {_IN_FOLDER: folder_uid} if folder_uid else {}
        if message:
            annotations[_MESSAGE] = message
        return {
            "apiVersion": f"dashboard.grafana.app/{self._version}",
            "kind": "Dashboard",
            "metadata": {"name": wanted.uid, "annotations": annotations},
            "spec": {key: value for key, value in wanted.model.items() if key != "uid"},
        }

    def delete(self, uid: str) -> None:
        self._call("DELETE", f"{self._dashboards}/{quote(uid, safe='')}")


def _annotations(resource: Mapping[str, Any]) -> Mapping[str, str]:
    return resource["metadata"].get("annotations") or {}


def _folder(found: Mapping[str, Any]) -> Folder:
    return Folder(
        uid=found["metadata"]["name"],
        title=found["spec"]["title"],
        parent_uid=_annotations(found).get(_IN_FOLDER, ""),
    )


def _existing(found: Mapping[str, Any]) -> Existing:
    notes, uid = _annotations(found), found["metadata"]["name"]
    managed = notes.get("grafana.app/managedBy", "")
    if notes.get("grafana.app/managerAllowsEdits") == "true":
        managed = ""
    return Existing(
        uid=uid,
        title=found["spec"].get("title", ""),
        model=found["spec"],
        version=found["metadata"]["resourceVersion"],
        number=found["metadata"].get("generation"),
        folder_uid=notes.get(_IN_FOLDER, ROOT.uid),
        url=f"/d/{uid}",
        provisioned_by=managed and (notes.get("grafana.app/sourcePath") or managed),
    )
