"""The HTTP server: sub-path, TLS, who is asking, and the way to the API."""

from __future__ import annotations

import base64
import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .accounts import AccountsApi
from .apis import ApisApi
from .database import Database, now
from .flavour import Flavour
from .ini import Settings
from .legacy import LegacyApi, Route
from .library import Library, RefusedError
from .metrics import page
from .sources import Sources

_PROXY = re.compile(r"/api/datasources/proxy/(?:uid/([^/]+)|(\d+))(/.*)")
_OPEN = "application/json; charset=UTF-8"


class Answer:
    def __init__(self, status: int, body: Any, content_type: str = "application/json"):
        self.status = status
        self.content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.content_type = content_type


class Asked:
    """One request, with the user who asks."""

    def __init__(self, method: str, path: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]):
        self.method, self.path, self.query, self.body, self.headers = method, path, query, body, headers
        self.user: Any = None

    def json(self) -> dict:
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            raise RefusedError(400, "bad request data") from None
        if not isinstance(found, dict):
            raise RefusedError(400, "bad request data")
        return found

    @staticmethod
    def answer(status: int, body: Any) -> Answer:
        return Answer(status, body)


class Application:
    """From a request to its answer; knows nothing of sockets."""

    def __init__(self, settings: Settings, database: Database, flavour: Flavour):
        self._settings = settings
        self._database = database
        self._flavour = flavour
        self._counts: dict[tuple[str, int], int] = {}
        self._started = time.time()
        self.library = Library(database, flavour)
        self.sources = Sources(database)
        self._routes: list[Route] = [
            *AccountsApi(database, self.sources).routes(),
            *LegacyApi(self.library, flavour).routes(),
            *ApisApi(self.library, flavour).routes(),
        ]
        self.prefix = ""
        if settings.on("server", "serve_from_sub_path"):
            self.prefix = urlsplit(settings.root_url).path.rstrip("/")

    def handle(self, asked: Asked) -> Answer:
        try:
            answer = self._answer(asked)
        except RefusedError as error:
            answer = Answer(error.status, error.body)
        key = (asked.method, answer.status)
        self._counts[key] = self._counts.get(key, 0) + 1
        return answer

    def _answer(self, asked: Asked) -> Answer:
        if asked.path in ("/api/health", "/healthz"):
            return self._health()
        if asked.path == "/metrics" and self._settings.on("metrics", "enabled"):
            return self._metrics(asked)
        if asked.path == "/api/user/signup" and not self._settings.on("users", "allow_sign_up"):
            return Answer(401, {"message": "User signup is disabled"}, _OPEN)
        if asked.path == "/login":
            return Answer(200, b"<!DOCTYPE html><html><head><title>Grafana</title></head></html>", "text/html")
        if not asked.path.startswith(("/api/", "/apis/")):
            return Answer(302, b"", "text/html")
        asked.user, fault = self._who(asked)
        if asked.user is None:
            return Answer(401, {"message": fault}, _OPEN)
        if asked.user["id"] == 0 and asked.method != "GET":
            return Answer(403, {"message": "Permission denied"})
        return self._routed(asked)

    def _routed(self, asked: Asked) -> Answer:
        proxied = _PROXY.fullmatch(asked.path)
        if proxied:
            uid, number, path = proxied.groups()
            row = self.sources.find("uid" if uid else "id", unquote(uid) if uid else int(number))
            query = asked.headers.get("X-Query") or ""
            target = path + (f"?{query}" if query else "")
            status, kind, content = self.sources.forward(row, asked.method, target, asked.body, asked.headers)
            return Answer(status, content, kind)
        for method, pattern, handler in self._routes:
            found = re.fullmatch(pattern, asked.path) if method == asked.method else None
            if found:
                reply = handler(asked, *(unquote(group) for group in found.groups()))
                return reply if isinstance(reply, Answer) else Answer(200, reply)
        return Answer(404, {"message": "Not found"})

    def _who(self, asked: Asked) -> tuple[Any, str]:
        """The user, or why there is none."""
        scheme, _blank, value = asked.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic" and self._settings.on("auth.basic", "enabled"):
            login, _colon, password = base64.b64decode(value).decode("utf-8", "replace").partition(":")
            user = self._database.user_with(login, password)
            return (
                user,
                "invalid username or password" if self._flavour.version < "8" else "Invalid username or password",
            )
        if scheme.lower() == "bearer":
            return None, "invalid API key" if not self._flavour.by_uid else "Invalid API key"
        if self._settings.on("auth.anonymous", "enabled"):
            return {"id": 0, "login": "anonymous", "email": "", "created": now(), "updated": now()}, ""
        return None, "Unauthorized"

    def _health(self) -> Answer:
        shown = {"commit": "x", "database": "ok", "version": self._flavour.version}
        if self._settings.on("auth.anonymous", "hide_version"):
            shown = {"database": "ok"}
        return Answer(200, shown, _OPEN)

    def _metrics(self, asked: Asked) -> Answer:
        user = self._settings.get("metrics", "basic_auth_username")
        if user:
            expected = f"{user}:{self._settings.get('metrics', 'basic_auth_password')}".encode()
            if asked.headers.get("Authorization") != f"Basic {base64.b64encode(expected).decode()}":
                return Answer(401, b"Unauthorized", "text/plain")
        totals = {
            "dashboard": len(self.library.all()),
            "folder": len(self.library.all(folder=True)),
            "datasource": len(self.sources.all()),
        }
        text = page(self._flavour.version, totals, self._counts, self._started)
        return Answer(200, text.encode(), "text/plain; version=0.0.4; charset=utf-8")


class _Handler(BaseHTTPRequestHandler):
    application: Application
    log: Callable[[str], None]
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        prefix, path = self.application.prefix, parts.path
        if prefix and not (path + "/").startswith(prefix + "/"):
            self._reply(Answer(301, b"", "text/html"), {"Location": prefix + path})
            return
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {**dict(self.headers.items()), "X-Query": parts.query}
        answer = self.application.handle(Asked(self.command, path[len(prefix) :] or "/", query, body, headers))
        self._reply(answer, {"Location": f"{prefix}/login"} if answer.status == 302 else {})

    def _reply(self, answer: Answer, headers: Mapping[str, str]) -> None:
        self.send_response(answer.status)
        for name, value in {**headers, "Content-Type": answer.content_type}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = answer  # noqa: N815 the names are http.server's

    def log_message(self, text: str, *values: Any) -> None:
        self.log(f"logger=context level=info msg={json.dumps(text % values)}")


def serve(application: Application, settings: Settings, log: Callable[[str], None]) -> ThreadingHTTPServer:
    """A server that listens; whoever calls lets it run.

    Raises:
        OSError: address or certificate cannot be used.
    """
    handler = type("Handler", (_Handler,), {"application": application, "log": staticmethod(log)})
    address = settings.get("server", "http_addr") or "0.0.0.0"  # noqa: S104 as Grafana does
    server = ThreadingHTTPServer((address, int(settings.get("server", "http_port"))), handler)
    if settings.get("server", "protocol") in ("https", "h2"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.get("server", "cert_file"), settings.get("server", "cert_key"))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server
