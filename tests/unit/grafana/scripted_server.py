"""A server on loopback that expects exactly the requests of a script, and answers each as the script says."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NO_BODY = object()


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    reply: Any
    status: int = 200
    body: Any = NO_BODY


class ScriptedServer:
    """Answers in the order of `expect` only; whatever differs is kept in `problems`."""

    def __init__(self):
        self.script: list[Exchange] = []
        self.problems: list[str] = []
        self.headers: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def expect(self, method: str, path: str, reply: Any, status: int = 200, body: Any = NO_BODY) -> None:
        self.script.append(Exchange(method, path, reply, status, body))

    def finish(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        assert self.problems == []
        assert [f"{one.method} {one.path}" for one in self.script] == [], "expected, but never asked"

    def answer(self, method: str, path: str, raw: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        self.headers.append(headers)
        expected = self.script.pop(0) if self.script else None
        if expected is None or (method, path) != (expected.method, expected.path):
            self.problems.append(f"asked {method} {path}, expected {expected}")
            return 599, {"message": "not in the script"}
        body = json.loads(raw) if raw else NO_BODY
        if body != expected.body:
            self.problems.append(f"{method} {path}: sent {raw.decode()}, expected {json.dumps(expected.body)}")
        return expected.status, expected.reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, reply = script.answer(self.command, self.path, raw, dict(self.headers))
                content = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 the names are http.server's

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler
