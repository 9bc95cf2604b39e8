"""The legacy HTTP API of folders and dashboards."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .flavour import Flavour
from .library import Library, RefusedError

# Method, pattern of the path, and what answers: it gets the request and the pattern's groups.
Route = tuple[str, str, Callable[..., Any]]


class LegacyApi:
    """Where the server has it at all."""

    def __init__(self, library: Library, flavour: Flavour):
        self._library = library
        self._flavour = flavour

    def routes(self) -> list[Route]:
        if not self._flavour.legacy:
            return []
        routes: list[Route] = [
            ("GET", "/api/folders", self._folders),
            ("POST", "/api/folders", self._create_folder),
            ("GET", "/api/folders/([^/]+)", self._folder),
            ("DELETE", "/api/folders/([^/]+)", self._delete_folder),
            ("GET", "/api/search", self._search),
            ("POST", "/api/dashboards/db", self._save),
            ("GET", "/api/dashboards/uid/([^/]+)", self._dashboard),
            ("DELETE", "/api/dashboards/uid/([^/]+)", self._delete),
            ("GET", r"/api/dashboards/id/(\d+)/versions", self._versions_by_id),
        ]
        if self._flavour.by_uid:
            routes.append(("GET", "/api/dashboards/uid/([^/]+)/versions", self._versions_by_uid))
        return routes

    def _folders(self, request: Any) -> list:
        limit = int(request.query.get("limit", 1000))
        parent = request.query.get("parentUid")
        above = self._library.get(parent, folder=True)["id"] if parent else 0
        rows = [row for row in self._library.all(folder=True) if row["folder_id"] == above]
        return [{"id": row["id"], "uid": row["uid"], "title": row["title"]} for row in rows[:limit]]

    def _create_folder(self, request: Any) -> dict:
        body = request.json()
        row = self._library.create_folder(
            body.get("uid") or "", body.get("title") or "", body.get("parentUid") or "", request.user["login"]
        )
        return self._shown_folder(row)

    def _folder(self, request: Any, uid: str) -> dict:
        row = self._library.get(uid, folder=True)
        if row is None:
            raise RefusedError(404, "folder not found", "not-found")
        return self._shown_folder(row)

    def _delete_folder(self, request: Any, uid: str) -> dict:
        row = self._library.delete_folder(uid)
        return {"id": row["id"], "message": f"Folder {row['title']} deleted", "title": row["title"]}

    def _shown_folder(self, row: Any) -> dict:
        shown = {
            "id": row["id"],
            "uid": row["uid"],
            "title": row["title"],
            "url": _folder_url(row),
            "hasAcl": False,
            "canSave": True,
            "canEdit": True,
            "canAdmin": True,
            "createdBy": row["created_by"],
            "created": row["created"],
            "updatedBy": row["updated_by"],
            "updated": row["updated"],
            "version": row["version"],
        }
        parent = self._library.by_id(row["folder_id"], folder=True)
        return {**shown, "parentUid": parent["uid"]} if parent else shown

    def _save(self, request: Any) -> Any:
        body, fault = _go_json(request.body)
        required = {"fieldNames": ["Dashboard"], "classification": "RequiredError", "message": "Required"}
        if fault:
            return request.answer(400, [{"classification": "DeserializationError", "message": fault}, required])
        model = body.get("dashboard")
        if not isinstance(model, dict):
            return request.answer(422, [required])
        row = self._library.save(
            model,
            self._target(body),
            bool(body.get("overwrite")),
            request.user["login"],
            body.get("message") or "",
        )
        answer = {
            "id": row["id"],
            "slug": row["slug"],
            "status": "success",
            "uid": row["uid"],
            "url": _url(row),
            "version": row["version"],
        }
        return {**answer, "folderUid": body.get("folderUid") or ""} if self._flavour.by_uid else answer

    def _target(self, body: Mapping[str, Any]) -> Any:
        """The folder's row: 7.5 goes by id and ignores the uid, later servers the other way round."""
        if self._flavour.by_uid:
            uid = body.get("folderUid") or ""
            folder = self._library.get(uid, folder=True)
            if uid and folder is None:
                raise RefusedError(400, "folder not found")
            return folder
        number = body.get("folderId") or 0
        folder = self._library.by_id(number, folder=True)
        if number and folder is None:
            raise RefusedError(404, "Folder not found")
        return folder

    def _dashboard(self, request: Any, uid: str) -> dict:
        row = self._library.get(uid)
        if row is None:
            raise RefusedError(404, "Dashboard not found")
        folder = self._library.by_id(row["folder_id"], folder=True)
        owner = self._library.provisioned(row)
        meta = {
            "type": "db",
            **dict.fromkeys(("canSave", "canEdit", "canAdmin", "canStar"), True),
            "slug": row["slug"],
            "url": _url(row),
            "expires": "0001-01-01T00:00:00Z",
            **{key: row[column] for key, column in _META.items()},
            "hasAcl": False,
            "isFolder": False,
            "folderId": row["folder_id"],
            "folderTitle": folder["title"] if folder else "General",
            "folderUrl": _folder_url(folder) if folder else "",
            "provisioned": bool(owner and not owner["allow_edits"]),
            "provisionedExternalId": owner["external_id"] if owner else "",
        }
        if self._flavour.by_uid:
            meta["folderUid"] = folder["uid"] if folder else ""
        return {"meta": meta, "dashboard": json.loads(row["data"])}

    def _delete(self, request: Any, uid: str) -> dict:
        row = self._library.delete(uid)
        return {"id": row["id"], "message": f"Dashboard {row['title']} deleted", "title": row["title"]}

    def _versions_by_id(self, request: Any, number: str) -> list:
        row = self._library.by_id(int(number))
        if row is None:
            raise RefusedError(404, f"No versions found for dashboardId {number}")
        return self._versions(request, row)

    def _versions_by_uid(self, request: Any, uid: str) -> Any:
        row = self._library.get(uid)
        if row is None:
            raise RefusedError(404, "Dashboard not found")
        return {"continueToken": "", "versions": self._versions(request, row)}

    def _versions(self, request: Any, row: Any) -> list:
        limit = int(request.query.get("limit", 1000))
        return [
            {
                "id": one["id"],
                "dashboardId": row["id"],
                "parentVersion": one["parent_version"],
                "restoredFrom": one["restored_from"],
                "version": one["version"],
                "created": one["created"],
                "createdBy": one["created_by"],
                # The first one is always called that, whatever was sent with it.
                "message": one["message"] if one["parent_version"] else "Initial save",
            }
            for one in self._library.versions(row)[:limit]
        ]

    def _search(self, request: Any) -> list:
        wanted = request.query
        rows = [] if wanted.get("type") == "dash-folder" else self._library.all()
        if not wanted.get("type") and "folderIds" not in wanted and "folderUIDs" not in wanted:
            rows = self._library.all(folder=True) + rows
        if not self._flavour.by_uid and "folderIds" in wanted:
            rows = [row for row in rows if str(row["folder_id"]) == wanted["folderIds"]]
        if self._flavour.by_uid and "folderUIDs" in wanted:
            folder = self._library.get(wanted["folderUIDs"], folder=True)
            rows = [row for row in rows if folder is not None and row["folder_id"] == folder["id"]]
        query = wanted.get("query", "").lower()
        rows = [row for row in rows if query in row["title"].lower()]
        limit, page = int(wanted.get("limit", 1000)), int(wanted.get("page", 1))
        return [self._found(row) for row in rows[(page - 1) * limit : page * limit]]

    def _found(self, row: Any) -> dict:
        kind = "dash-folder" if row["is_folder"] else "dash-db"
        found = {
            "id": row["id"],
            "uid": row["uid"],
            "title": row["title"],
            "uri": f"db/{row['slug']}",
            "url": _folder_url(row) if row["is_folder"] else _url(row),
            "slug": "",
            "type": kind,
            "tags": json.loads(row["data"]).get("tags") or [],
            "isStarred": False,
            "sortMeta": 0,
        }
        folder = self._library.by_id(row["folder_id"], folder=True)
        if folder:
            found.update(
                folderId=folder["id"],
                folderUid=folder["uid"],
                folderTitle=folder["title"],
                folderUrl=_folder_url(folder),
            )
        return found


_META = {
    "created": "created",
    "updated": "updated",
    "updatedBy": "updated_by",
    "createdBy": "created_by",
    "version": "version",
}


def _url(row: Any) -> str:
    return f"/d/{row['uid']}/{row['slug']}"


def _folder_url(row: Any) -> str:
    return f"/dashboards/f/{row['uid']}/{row['slug']}"


def _go_json(raw: bytes) -> tuple[dict, str]:
    """The body, or what Go's decoder says of it."""
    try:
        body = json.loads(raw)
        return (body, "") if isinstance(body, dict) else ({}, "json: cannot unmarshal into Go value of type object")
    except ValueError:
        text = raw.decode("utf-8", "replace").lstrip()
        found = re.match(r"\{\s*([^\s\"])", text)
        if found:
            return {}, f"invalid character {found.group(1)!r} looking for beginning of object key string"
        return {}, f"invalid character {text[:1]!r} looking for beginning of value"
