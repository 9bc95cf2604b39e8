"""Datasources: kept in the database, reached through the server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from .database import Database
from .library import RefusedError, check_uid

_SHOWN = {"password": "", "user": "", "database": "", "basicAuth": False}
_TYPE_NAMES = {"prometheus": "Prometheus", "alertmanager": "Alertmanager", "loki": "Loki"}
_FORWARDED = ("Content-Type", "Accept")


class Sources:
    def __init__(self, database: Database):
        self._database = database

    def find(self, column: str, value: Any) -> Any:
        row = self._database.row(f"select * from data_source where {column} = ?", value)  # noqa: S608 a fixed name
        if row is None:
            raise RefusedError(404, "Data source not found")
        return row

    def all(self) -> list:
        return self._database.rows("select * from data_source order by name")

    def create(self, wanted: Mapping[str, Any], read_only: bool = False) -> Any:
        name, uid = str(wanted.get("name") or ""), str(wanted.get("uid") or "")
        check_uid(uid)
        if self._database.row("select id from data_source where name = ?", name):
            raise RefusedError(409, "data source with the same name already exists")
        if uid and self._database.row("select id from data_source where uid = ?", uid):
            raise RefusedError(409, "data source with the same uid already exists")
        with self._database.change() as change:
            if wanted.get("isDefault"):
                change.execute("update data_source set is_default = 0")
            number = change.execute(
                "insert into data_source values (null, ?, ?, ?, ?, ?, ?, 1, ?)", self._columns(wanted, uid, read_only)
            ).lastrowid
            if not uid:
                change.execute("update data_source set uid = ? where id = ?", [f"P{number:016X}", number])
        return self.find("id", number)

    def update(self, row: Any, wanted: Mapping[str, Any], read_only: bool) -> None:
        uid = str(wanted.get("uid") or row["uid"])
        twin = self._database.row("select id from data_source where uid = ? and id <> ?", uid, row["id"])
        if twin:
            raise RefusedError(409, "data source with the same uid already exists")
        with self._database.change() as change:
            if wanted.get("isDefault"):
                change.execute("update data_source set is_default = 0")
            change.execute(
                "update data_source set uid = ?, name = ?, type = ?, url = ?, is_default = ?, data = ?, read_only = ?, "
                "version = version + 1 where id = ?",
                [*self._columns(wanted, uid, read_only), row["id"]],
            )

    @staticmethod
    def _columns(wanted: Mapping[str, Any], uid: str, read_only: bool) -> list:
        data = json.dumps({key: wanted.get(key) for key in ("access", "jsonData", "secureJsonData")})
        default = int(bool(wanted.get("isDefault")))
        return [uid, wanted.get("name"), wanted.get("type"), wanted.get("url") or "", default, data, int(read_only)]

    def delete(self, row: Any) -> None:
        with self._database.change() as change:
            change.execute("delete from data_source where id = ?", [row["id"]])

    @staticmethod
    def shown(row: Any) -> dict:
        """As the API shows one."""
        data = json.loads(row["data"])
        return {
            "id": row["id"],
            "uid": row["uid"],
            "orgId": 1,
            "name": row["name"],
            "type": row["type"],
            "typeLogoUrl": "",
            "access": data["access"] or "proxy",
            "url": row["url"],
            **_SHOWN,
            "basicAuthUser": "",
            "basicAuthPassword": "",
            "withCredentials": False,
            "isDefault": bool(row["is_default"]),
            "jsonData": data["jsonData"] or {},
            "secureJsonFields": dict.fromkeys(data["secureJsonData"] or {}, True),
            "version": row["version"],
            "readOnly": bool(row["read_only"]),
        }

    def listed(self, row: Any) -> dict:
        """As the API lists one: a little differently."""
        shown = self.shown(row)
        kind = row["type"]
        for key in ("basicAuthUser", "basicAuthPassword", "withCredentials", "secureJsonFields", "version"):
            del shown[key]
        shown["typeName"] = _TYPE_NAMES.get(kind, kind)
        shown["typeLogoUrl"] = f"public/app/plugins/datasource/{kind}/img/{kind}_logo.svg"
        return shown

    def health(self, row: Any) -> tuple[int, dict]:
        """Asked of the program behind it, as Grafana's plugins do."""
        path = "/api/v1/query?query=1%2B1" if row["type"] == "prometheus" else "/api/v2/status"
        status, _type, body = self.forward(row, "GET", path, b"", {})
        if status == 200:
            return 200, {"message": "Successfully queried the Prometheus API.", "status": "OK", "details": {}}
        return 400, {"message": body.decode("utf-8", "replace")[:200], "status": "ERROR"}

    @staticmethod
    def forward(row: Any, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        """One request to the program behind it; the user's credentials stay here."""
        sent = {name: headers[name] for name in _FORWARDED if headers.get(name)}
        request = urllib.request.Request(  # noqa: S310 what the administrator provisioned
            row["url"].rstrip("/") + path, data=body or None, headers=sent, method=method
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                return answer.status, answer.headers.get("Content-Type", ""), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get("Content-Type", ""), error.read()
        except OSError as error:
            return 502, "application/json", json.dumps({"message": f"Bad Gateway: {error}"}).encode()
