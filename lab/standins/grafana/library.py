"""Folders and dashboards: the rules of saving them, with the statuses and messages of a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .database import Database, now
from .flavour import Flavour


class RefusedError(Exception):
    """A refusal as the server words it."""

    def __init__(self, status: int, message: str, word: str = ""):
        super().__init__(message)
        self.status = status
        self.body = {"message": message, **({"status": word} if word else {})}


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def check_uid(uid: str) -> None:
    if len(uid) > 40:
        raise RefusedError(400, "uid too long, max 40 characters")
    if not re.match(r"^[a-zA-Z0-9_-]*$", uid):
        raise RefusedError(400, "uid contains illegal characters")


class Library:
    """Rows are those of the table dashboard; a folder is one too, as in the real database."""

    def __init__(self, database: Database, flavour: Flavour):
        self._database = database
        self._flavour = flavour

    def get(self, uid: str, folder: bool = False) -> Any:
        return self._database.row("select * from dashboard where uid = ? and is_folder = ?", uid, int(folder))

    def by_id(self, number: int, folder: bool = False) -> Any:
        return self._database.row("select * from dashboard where id = ? and is_folder = ?", number, int(folder))

    def all(self, folder: bool = False) -> list:
        return self._database.rows("select * from dashboard where is_folder = ? order by title, id", int(folder))

    def provisioned(self, row: Any) -> Any:
        return self._database.row("select * from dashboard_provisioning where dashboard_id = ?", row["id"])

    def versions(self, row: Any) -> list:
        return self._database.rows(
            "select * from dashboard_version where dashboard_id = ? order by version desc", row["id"]
        )

    def create_folder(self, uid: str, title: str, parent_uid: str, user: str) -> Any:
        if not title:
            raise RefusedError(400, "folder title cannot be empty")
        check_uid(uid)
        parent = 0
        if parent_uid and self._flavour.nested:
            found = self.get(parent_uid, folder=True)
            if found is None:
                raise RefusedError(404, "folder not found", "not-found")
            parent = found["id"]
        if uid and self._database.row("select id from dashboard where uid = ?", uid):
            raise RefusedError(412, "the folder has been changed by someone else", "version-mismatch")
        if any(row["title"] == title and row["folder_id"] == parent for row in self.all(folder=True)):
            raise RefusedError(400, "a folder or dashboard in the general folder with the same name already exists")
        return self._write(None, uid, title, True, parent, {"title": title, "uid": uid}, user, "")

    def delete_folder(self, uid: str) -> Any:
        row = self.get(uid, folder=True)
        if row is None:
            raise RefusedError(404, "folder not found", "not-found")
        inside = self._database.rows("select * from dashboard where folder_id = ?", row["id"])
        if any(self.provisioned(one) for one in inside):
            raise RefusedError(400, "provisioned dashboard cannot be deleted")
        for one in inside:
            self.delete_folder(one["uid"]) if one["is_folder"] else self._remove(one)
        self._remove(row)
        return row

    def save(
        self, model: Mapping[str, Any], folder: Any, overwrite: bool, user: str, message: str, by_file: bool = False
    ) -> Any:
        """Save a dashboard; `folder` is its folder's row or None for the root. Keys: see the recorded requests."""
        title, uid = str(model.get("title") or ""), str(model.get("uid") or "")
        if not title.strip():
            raise RefusedError(400, "Dashboard title cannot be empty")
        check_uid(uid)
        folder_id = folder["id"] if folder else 0
        existing = self.get(uid) if uid else self._by_model_id(model)
        if existing is not None and not by_file:
            owner = self.provisioned(existing)
            if owner is not None and not owner["allow_edits"]:
                raise RefusedError(400, "Cannot save provisioned dashboard")
            if not overwrite and model.get("version") != existing["version"]:
                raise RefusedError(412, "The dashboard has been changed by someone else", "version-mismatch")
        if not self._flavour.nested:
            # Later servers let titles repeat.
            twins = self._database.rows(
                "select * from dashboard where title = ? and folder_id = ? and is_folder = 0", title, folder_id
            )
            others = [one for one in twins if existing is None or one["id"] != existing["id"]]
            if others and not overwrite:
                raise RefusedError(412, "A dashboard with the same name in the folder already exists", "name-exists")
        return self._write(existing, uid, title, False, folder_id, model, user, message)

    def _by_model_id(self, model: Mapping[str, Any]) -> Any:
        number = model.get("id")
        return self.by_id(number) if isinstance(number, int) and number > 0 else None

    def _write(
        self, existing: Any, uid: str, title: str, folder: bool, folder_id: int, model: Mapping, user: str, message: str
    ) -> Any:
        version = existing["version"] + 1 if existing else 1
        created = existing["created"] if existing else now()
        by = (existing["created_by"] if existing else user, user)
        resource = self._database.next_number("resource") + 1000
        with self._database.change() as change:
            number = existing["id"] if existing else None
            cursor = change.execute(
                "insert or replace into dashboard values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, uid, title, slug(title), int(folder), folder_id, "", version, created, now(), *by, resource),
            )
            number = number or cursor.lastrowid
            uid = uid or f"a{number:08x}"
            data = json.dumps({**model, "id": number, "uid": uid, "version": version}, sort_keys=True)
            change.execute("update dashboard set data = ?, uid = ? where id = ?", [data, uid, number])
            change.execute(
                "insert into dashboard_version values (null, ?, ?, 0, ?, ?, ?, ?, ?)",
                [number, version - 1, version, now(), user, message, data],
            )
        return self.by_id(number, folder)

    def delete(self, uid: str) -> Any:
        row = self.get(uid)
        if row is None:
            raise RefusedError(404, "Dashboard not found")
        if self.provisioned(row) is not None:
            raise RefusedError(400, "provisioned dashboard cannot be deleted")
        self._remove(row)
        return row

    def _remove(self, row: Any) -> None:
        with self._database.change() as change:
            change.execute("delete from dashboard where id = ?", [row["id"]])
            change.execute("delete from dashboard_version where dashboard_id = ?", [row["id"]])
            change.execute("delete from dashboard_provisioning where dashboard_id = ?", [row["id"]])

    def mark_provisioned(self, row: Any, provider: str, path: str, check_sum: str, allow_edits: bool) -> None:
        with self._database.change() as change:
            change.execute(
                "insert or replace into dashboard_provisioning values (?, ?, ?, ?, ?)",
                [row["id"], provider, path, check_sum, int(allow_edits)],
            )

    def of_provider(self, provider: str) -> list:
        return self._database.rows(
            "select d.*, p.external_id, p.check_sum from dashboard d join dashboard_provisioning p "
            "on p.dashboard_id = d.id where p.name = ?",
            provider,
        )

    def providers(self) -> set:
        return {row["name"] for row in self._database.rows("select distinct name from dashboard_provisioning")}

    def release(self, row: Any, delete: bool) -> None:
        """What happens to a provisioned dashboard whose file has gone."""
        if delete:
            self._remove(row)
            return
        with self._database.change() as change:
            change.execute("delete from dashboard_provisioning where dashboard_id = ?", [row["id"]])
