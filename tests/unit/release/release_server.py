"""A publisher on loopback that behaves as badly as a test asks for, and archives for it to publish."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class Publisher:
    """routes: path -> answers, used up one by one, the last one for ever; requests: what was asked, in order."""

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self.server = server
        self.url = f"{scheme}://127.0.0.1:{server.server_port}"
        self.routes: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, Mapping[str, str]]] = []

    def publish(self, path: str, *answers: Answer) -> str:
        self.routes[path] = list(answers)
        return self.url + path

    def asked(self, path: str) -> int:
        return sum(1 for asked, _headers in self.requests if asked == path)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append((handler.path, dict(handler.headers.items())))
        answers = self.routes.get(handler.path, [status(404)])
        (answers.pop(0) if len(answers) > 1 else answers[0])(handler)


@contextmanager
def serving(tls=None) -> Iterator[Publisher]:
    """A publisher; `tls` is an ssl.SSLContext for https."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            publisher.answer(self)

        def log_message(self, *_arguments):
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    publisher = Publisher(server, "https" if tls else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _send(handler, code: int, body: bytes, **headers: str) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def whole(body: bytes, ranges: bool = True, **headers: str) -> Answer:
    """The body; from an offset when it is asked for one, unless `ranges` is off."""

    def answer(handler):
        wanted = handler.headers.get("Range")
        if wanted and ranges:
            start = int(wanted[len("bytes=") : -1])
            part = f"bytes {start}-{len(body) - 1}/{len(body)}"
            _send(handler, 206, body[start:], Content_Length=str(len(body) - start), Content_Range=part, **headers)
        else:
            _send(handler, 200, body, Content_Length=str(len(body)), **headers)

    return answer


def short(body: bytes, sent: int, **headers: str) -> Answer:
    """The length of the body, and the first bytes of it only."""
    return lambda handler: _send(handler, 200, body[:sent], Content_Length=str(len(body)), **headers)


def status(code: int, **headers: str) -> Answer:
    return lambda handler: _send(handler, code, b"", Content_Length="0", **headers)


def head(code: int, **headers: str) -> Answer:
    """Headers, and then nothing of what they announce."""
    return lambda handler: _send(handler, code, b"", **headers)


def without_length(body: bytes, **headers: str) -> Answer:
    return lambda handler: _send(handler, 200, body, **headers)


def html(text: str = "<!DOCTYPE html><html><title>Sign in</title></html>") -> Answer:
    return whole(text.encode(), ranges=False, Content_Type="text/html; charset=utf-8")


def trickle(body: bytes, step: int, seconds: float) -> Answer:
    """A few bytes at a time."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for start in range(0, len(body), step):
            try:
                handler.wfile.write(body[start : start + step])
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(seconds)

    return answer


def endless(block: bytes) -> Answer:
    """Bytes until the client has enough."""

    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(block)
        except OSError:
            return

    return answer


def hang(seconds: float) -> Answer:
    return lambda handler: time.sleep(seconds)


def reset(handler) -> None:
    """No answer at all."""
    handler.connection.close()


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


PROGRAM = b"#!/bin/sh\necho demo, version %s\n"


def program(version: str) -> bytes:
    return PROGRAM % version.encode()


def tar(files: Mapping[str, bytes | tarfile.TarInfo], mode: str = "w:gz") -> bytes:
    """An archive in memory: name -> content, or a header of one's own. Names that end in `!` are executable.

    The same call gives the same bytes, also in another second: gzip's header would hold the time.
    """
    memory = io.BytesIO()
    zipping = mode == "w:gz"
    with tarfile.open(fileobj=memory, mode="w" if zipping else mode, format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name.rstrip("!"))
            info.size, info.mode, info.mtime = len(content), 0o755 if name.endswith("!") else 0o644, 1_700_000_000
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(memory.getvalue(), mtime=0) if zipping else memory.getvalue()


def zipped(files: Mapping[str, bytes], executable: tuple[str, ...] = ()) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10))
            info.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(info, content)
    return memory.getvalue()


def release(version: str, filler: int = 0) -> bytes:
    """A tarball as the Prometheus project makes them, `filler` bytes larger."""
    top = f"demo-{version}.linux-amd64"
    files = {
        f"{top}/demo!": program(version),
        f"{top}/LICENSE": b"Apache\n",
        f"{top}/share/a/deep/file.txt": b"x" * 10,
        f"{top}/filler": gzip.compress(bytes(filler), mtime=0) if filler else b"",
    }
    return tar(files)
