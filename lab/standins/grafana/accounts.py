"""The HTTP API of users and datasources, which all versions have."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from .database import Database
from .legacy import Route
from .library import RefusedError
from .sources import Sources


class AccountsApi:
    def __init__(self, database: Database, sources: Sources):
        self._database = database
        self._sources = sources

    def routes(self) -> list[Route]:
        routes: list[Route] = [
            ("GET", "/api/org", lambda request: {"id": 1, "name": "Main Org.", "address": {}}),
            ("GET", "/api/user", self._user),
            ("PUT", "/api/user/password", self._own_password),
            ("PUT", r"/api/admin/users/(\d+)/password", self._password_of),
            ("GET", "/api/datasources", lambda request: [self._sources.listed(one) for one in self._sources.all()]),
            ("POST", "/api/datasources", self._create_source),
        ]
        for column, prefix, value in (("uid", "/uid", "([^/]+)"), ("name", "/name", "([^/]+)"), ("id", "", r"(\d+)")):
            find = self._finder(column)
            routes += [
                ("GET", f"/api/datasources{prefix}/{value}", lambda request, key, find=find: Sources.shown(find(key))),
                ("DELETE", f"/api/datasources{prefix}/{value}", self._deleter(find)),
            ]
        routes.append(("GET", "/api/datasources/uid/([^/]+)/health", self._health))
        return routes

    def _finder(self, column: str) -> Callable[[str], Any]:
        return lambda key: self._sources.find(column, key)

    def _deleter(self, find: Callable[[str], Any]) -> Callable[..., Any]:
        def delete(request: Any, key: str) -> dict:
            row = find(key)
            if row["read_only"]:
                raise RefusedError(403, "Cannot delete read-only data source")
            self._sources.delete(row)
            return {"message": "Data source deleted"}

        return delete

    def _user(self, request: Any) -> dict:
        user = request.user
        return {
            "id": user["id"],
            "email": user["email"],
            "name": "",
            "login": user["login"],
            "theme": "",
            "orgId": 1,
            "isGrafanaAdmin": True,
            "isDisabled": False,
            "isExternal": False,
            "authLabels": [],
            "updatedAt": user["updated"],
            "createdAt": user["created"],
            "avatarUrl": "/avatar/" + hashlib.md5(user["email"].encode()).hexdigest(),  # noqa: S324 as gravatar does
        }

    def _own_password(self, request: Any) -> dict:
        body = request.json()
        if self._database.user_with(request.user["login"], body.get("oldPassword", "")) is None:
            raise RefusedError(401, "Invalid old password")
        self._set_password(request.user["id"], body.get("newPassword", ""))
        return {"message": "User password changed"}

    def _password_of(self, request: Any, number: str) -> dict:
        self._set_password(int(number), request.json().get("password", ""))
        return {"message": "User password updated"}

    def _set_password(self, number: int, password: str) -> None:
        if len(password) < 4:
            raise RefusedError(400, "New password is too short")
        self._database.set_password(number, password)

    def _create_source(self, request: Any) -> dict:
        row = self._sources.create(request.json())
        shown = Sources.shown(row)
        return {"datasource": shown, "id": row["id"], "message": "Datasource added", "name": row["name"]}

    def _health(self, request: Any, uid: str) -> Any:
        status, body = self._sources.health(self._sources.find("uid", uid))
        return request.answer(status, body)
