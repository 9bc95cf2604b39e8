"""A server on loopback that misbehaves in every way a metrics endpoint has been seen to: one way per path."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

PAGE = b'# TYPE a gauge\na{b="c"} 1\n'
TEXT = "text/plain; version=0.0.4; charset=utf-8"
USER, PASSWORD, TOKEN = "scraper", "open sesame", "t0ken"


class BrokenServer:
    """Answers by path with the method of that name; see Answers."""

    def __init__(self, tls: ssl.SSLContext | None = None):
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = f"{'https' if tls else 'http'}://{self.address}"
        self.requests: list[str] = []
        self.closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.closed.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                head = self._head(connection)
                self.requests.append(head)
                path = head.split(" ")[1].partition("?")[0].strip("/")
                getattr(Answers(self, connection, head), path)()
        except OSError:
            # The client went away, which is what most of these ways are for.
            pass

    @staticmethod
    def _head(connection: socket.socket) -> str:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionError
            head += piece
            if not head[:1].isalpha():
                connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                raise ConnectionError
        return head.decode("latin-1")

    def close(self) -> None:
        self.closed.set()
        self._socket.close()


class Answers:
    """What each path answers."""

    def __init__(self, server: BrokenServer, connection: socket.socket, head: str):
        self.server, self.connection, self.head = server, connection, head

    def reply(self, body: bytes = b"", status: str = "200 OK", length: bool = True, **headers: str) -> None:
        headers = {"Content-Type": TEXT, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if length:
            headers.setdefault("Content-Length", str(len(body)))
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items()), "Connection: close"]
        self.connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def good(self):
        self.reply(PAGE)

    def without_length(self):
        self.reply(PAGE, length=False)

    def chunked(self):
        self.reply(b"5\r\nhello\r\n0\r\n\r\n", length=False, Transfer_Encoding="chunked")

    def packed(self):
        self.reply(gzip.compress(PAGE), Content_Encoding="gzip")

    def empty(self):
        self.reply(b"")

    def html(self):
        self.reply(b"<!doctype html>\n<title>Grafana</title>\n", Content_Type="text/html; charset=utf-8")

    def html_as_text(self):
        self.reply(b"\n<html><body>nginx</body></html>\n")

    def json(self):
        self.reply(b'{"status":"ok"}', Content_Type="application/json")

    def octets(self):
        self.reply(PAGE, Content_Type="application/octet-stream")

    def without_type(self):
        self.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE))

    def malformed(self):
        self.reply(b"a 1\nb x\n")

    def openmetrics(self):
        page = b"# TYPE a counter\na_total 1\n# EOF\n"
        self.reply(page, Content_Type="application/openmetrics-text; version=1.0.0; charset=utf-8")

    def endless(self):
        self.reply(length=False)
        self._pour(PAGE * 1000)

    def endless_in_chunks(self):
        self.reply(length=False, Transfer_Encoding="chunked")
        self._pour(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    def bomb(self):
        self.reply(gzip.compress(b"a 1\n" * 1_000_000), Content_Encoding="gzip")

    def _pour(self, piece: bytes) -> None:
        while not self.server.closed.is_set():
            self.connection.sendall(piece)

    def truncated(self):
        self.reply(PAGE, Content_Length=str(len(PAGE) + 100))

    def truncated_chunk(self):
        self.reply(b"64\r\nhello", length=False, Transfer_Encoding="chunked")

    def truncated_between_chunks(self):
        self.reply(b"5\r\nhello\r\n", length=False, Transfer_Encoding="chunked")

    def truncated_gzip(self):
        self.reply(gzip.compress(PAGE)[:-6], Content_Encoding="gzip")

    def not_gzip(self):
        self.reply(PAGE, Content_Encoding="gzip")

    def brotli(self):
        self.reply(PAGE, Content_Encoding="br")

    def drip(self):
        self.reply(length=False)
        self._drip(PAGE * 1000)

    def drip_head(self):
        self._drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000)

    def _drip(self, content: bytes) -> None:
        for position in range(len(content)):
            self.connection.sendall(content[position : position + 1])
            if self.server.closed.wait(0.1):
                return

    def silent(self):
        self.server.closed.wait(60)

    def hang_up(self):
        pass

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def ssh(self):
        self.connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")

    def redirect(self):
        self.reply(status="302 Found", Location="http://other:secret@127.0.0.1:1/login")

    def redirect_home(self):
        self.reply(status="302 Found", Location=f"{self.server.url}/good")

    def refused(self):
        self.reply(b"who are you?", status="401 Unauthorized")

    def forbidden(self):
        self.reply(b"no", status="403 Forbidden")

    def missing(self):
        self.reply(b"404 page not found\n", status="404 Not Found")

    def broken(self):
        self.reply(b"  something\n  broke: " + self.head.encode("latin-1"), status="500 Internal Server Error")

    def starting(self):
        self.reply(b"Service Unavailable", status="503 Service Unavailable")

    def third_time(self):
        good = sum("third_time" in request for request in self.server.requests) >= 3
        self.reply(PAGE) if good else self.starting()

    def basic(self):
        wanted = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self.reply(PAGE) if f"Authorization: Basic {wanted}" in self.head else self.refused()

    def bearer(self):
        self.reply(PAGE) if f"Authorization: Bearer {TOKEN}" in self.head else self.refused()

    def echo(self):
        time.sleep(0.01)
        self.reply(self.head.encode("latin-1"))


@contextmanager
def broken_server(tls: ssl.SSLContext | None = None) -> Iterator[BrokenServer]:
    server = BrokenServer(tls)
    try:
        yield server
    finally:
        server.close()
