"""The lab's Grafana in this process, in the flavour of a version."""

from __future__ import annotations

import base64
import json
import threading
import urllib.error
import urllib.request
from typing import Any

from lab.standins.grafana import flavour, ini
from lab.standins.grafana.database import Database
from lab.standins.grafana.web import Application, serve

PASSWORD = "correct horse"  # noqa: S105


class StandIn:
    def __init__(self, folder: Any, version: str, text: str = "", legacy: bool = True):
        settings = ini.load(f"[server]\nhttp_addr = 127.0.0.1\nhttp_port = 0\n{text}", {})
        database = Database(folder / "grafana.db")
        database.create_admin("admin", PASSWORD)
        kind = flavour.of(version)
        if not legacy:
            kind = flavour.Flavour(version, legacy=False)
        self.application = Application(settings, database, kind)
        self.database = database
        self._server = serve(self.application, settings, lambda line: None)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def ask(
        self, method: str, path: str, body: Any = None, auth: str = "basic", login: str = ""
    ) -> tuple[int, str, Any]:
        """Status, content type and body; `auth` as the recording names it."""
        headers = {"Content-Type": "application/json"}
        login = login or {"basic": f"admin:{PASSWORD}", "wrong password": "admin:wrong"}.get(auth, "")
        if login:
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        if auth == "token":
            headers["Authorization"] = "Bearer eyJrIjoiT0"
        raw = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        request = urllib.request.Request(self.url + path, data=raw, headers=headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.headers["Content-Type"], json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], json.loads(error.read())
