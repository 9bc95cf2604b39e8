"""The database: users, folders, dashboards with their versions, datasources, and what was provisioned."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_TABLES = """
create table if not exists user (
    id integer primary key, login text unique, email text, salt text, password text, created text, updated text);
create table if not exists dashboard (
    id integer primary key autoincrement, uid text unique, title text, slug text, is_folder integer, folder_id integer,
    data text, version integer, created text, updated text, created_by text, updated_by text, resource integer);
create table if not exists dashboard_version (
    id integer primary key autoincrement, dashboard_id integer, parent_version integer, restored_from integer,
    version integer, created text, created_by text, message text, data text);
create table if not exists dashboard_provisioning (
    dashboard_id integer primary key, name text, external_id text, check_sum text, allow_edits integer);
create table if not exists data_source (
    id integer primary key autoincrement, uid text unique, name text unique, type text, url text, is_default integer,
    data text, version integer, read_only integer);
create table if not exists counter (name text primary key, value integer);
"""


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Database:
    """One connection, used by one thread at a time."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=10)
        self._connection.row_factory = sqlite3.Row
        with self.change() as change:
            change.executescript(_TABLES)

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> sqlite3.Row | None:
        found = self.rows(query, *values)
        return found[0] if found else None

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        with self._lock, self._connection:
            yield self._connection

    def next_number(self, name: str) -> int:
        with self.change() as change:
            change.execute(
                "insert into counter values (?, 1) on conflict(name) do update set value = value + 1", [name]
            )
            return change.execute("select value from counter where name = ?", [name]).fetchone()[0]

    def create_admin(self, login: str, password: str) -> None:
        """Only at the first start: that is why a password changed in grafana.ini has no effect."""
        if self.row("select id from user") is None:
            with self.change() as change:
                change.execute(
                    "insert into user values (1, ?, ?, '', '', ?, ?)", [login, f"{login}@localhost", now(), now()]
                )
            self.set_password(1, password)

    def set_password(self, user_id: int, password: str) -> None:
        salt = secrets.token_hex(5)
        with self.change() as change:
            change.execute(
                "update user set salt = ?, password = ?, updated = ? where id = ?",
                [salt, _hashed(password, salt), now(), user_id],
            )

    def user_with(self, login: str, password: str) -> sqlite3.Row | None:
        user = self.row("select * from user where login = ? or email = ?", login, login)
        if user and secrets.compare_digest(_hashed(password, user["salt"]), user["password"]):
            return user
        return None


def _hashed(password: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 10000, 50).hex()
