# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""One HTTP exchange with a server that may be slow, broken, endless or not there at all.

Used on the target. The connection options that all modules share stand here and, for ansible-doc, in
plugins/doc_fragments/http.py.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
import zlib
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

from ansible.module_utils.urls import Request

from .http_errors import HttpError, explain, refuse_status, refuse_url, visible

MAX_BYTES = 64 * 1024 * 1024
_CHUNK = 65536


def connection_spec() -> dict[str, dict[str, Any]]:
    """The connection options as an argument spec."""
    return {
        "url": {"type": "str", "required": True},
        "url_username": {"type": "str"},
        "url_password": {"type": "str", "no_log": True},
        "token": {"type": "str", "no_log": True},
        "headers": {"type": "dict", "no_log": True, "default": {}},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path"},
        "follow_redirects": {"type": "str", "choices": ["none", "safe"], "default": "none"},
        "use_proxy": {"type": "bool", "default": False},
        "timeout": {"type": "float", "default": 10.0},
    }


# What AnsibleModule must refuse about them.
CONNECTION_RULES: dict[str, Any] = {
    "required_together": [("url_username", "url_password")],
    "mutually_exclusive": [("url_username", "token")],
    "required_by": {"client_key": "client_cert"},
}


@dataclass(frozen=True)
class Connection:
    """How to speak to a server: credentials, TLS, and the seconds that one exchange may last in all."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    headers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    follow_redirects: str = "none"
    use_proxy: bool = False
    timeout: float = 10.0

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        """From the parameters of a module that uses connection_spec()."""
        renamed = {"username": params["url_username"], "password": params["url_password"]}
        same = {name: params[name] for name in cls.__dataclass_fields__ if name not in renamed}
        return cls(**renamed, **{**same, "headers": same["headers"] or {}})

    @property
    def secrets(self) -> list[str]:
        """Every value that must not be shown."""
        values = [self.password, self.token, *self.headers.values()]
        return [str(value) for value in values if value not in (None, "")]

    def require_files(self, url: str) -> None:
        """Raise for a certificate or key that cannot be read: the TLS library would not say which."""
        for path in (self.ca_path, self.client_cert, self.client_key):
            try:
                if path is not None:
                    with open(path, "rb"):
                        pass
            except OSError as error:
                raise HttpError("file", f"{url}: cannot read {path} on this host: {error.strerror}") from error


@dataclass(frozen=True)
class Answer:
    """What a server answered. `body` is decoded from gzip; `seconds` run from the first packet to the last byte."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def content_type(self) -> str | None:
        return self.headers.get("content-type")

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            HttpError: it is none; with its first words.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise HttpError(
                "not_json",
                f"{self.url}: expected JSON, found {self.content_type or 'no Content-Type'} that begins "
                f"{self.text[:80]!r}; check host, port and path",
            ) from error


def send(
    connection: Connection,
    url: str,
    method: str = "GET",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    timeout: float | None = None,
    any_status: bool = False,
) -> Answer:
    """One exchange, which never lasts longer than `timeout` seconds (default: the connection's) in all.

    Args:
        body: bytes as they are; anything else is sent as JSON.
        headers: beside the connection's own, which win.
        max_bytes: a longer body is an error, however it is packed.
        any_status: hand back 3xx, 4xx and 5xx as an answer too.

    Raises:
        HttpError: no complete answer, or a status other than 2xx (unless `any_status`). Its `reason` is one of
            url, refused, unreachable, dns, timeout, tls, file, protocol, truncated, too_large, redirect, auth, status.
    """
    refuse_url(url)
    connection.require_files(visible(url))
    seconds = connection.timeout if timeout is None else timeout
    sent = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    sent.update({name: str(value) for name, value in connection.headers.items()})
    if connection.token:
        sent["Authorization"] = f"Bearer {connection.token}"
    answer = _within(
        seconds,
        lambda expired: _exchange(connection, url, method, body, sent, max_bytes, seconds, expired),
        visible(url),
    )
    if not any_status and not 200 <= answer.status < 300:
        refuse_status(answer, connection.secrets)
    return answer


def _within(seconds: float, work: Callable[[threading.Event], Answer], url: str) -> Answer:
    """Run `work` for at most `seconds`: a thread may be left behind, since neither a name server that is silent nor a
    server that drips its headers can be interrupted otherwise."""
    expired, outcome = threading.Event(), []

    def run() -> None:
        try:
            outcome.append(work(expired))
        except BaseException as error:  # handed to the caller's thread, below
            outcome.append(error)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    worker.join(seconds)
    if not outcome:
        expired.set()
        raise HttpError(
            "timeout",
            f"{url}: no complete answer within {seconds:g} s; is the service overloaded, or does a firewall drop "
            "packets? Raise `timeout` only if it is known to be slow",
            retry=True,
        )
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _exchange(
    connection: Connection,
    url: str,
    method: str,
    body: bytes | None,
    headers: Mapping[str, str],
    max_bytes: int,
    seconds: float,
    expired: threading.Event,
) -> Answer:
    start = time.monotonic()
    try:
        response = Request().open(
            method,
            url,
            data=body,
            headers=dict(headers),
            timeout=seconds,
            use_proxy=connection.use_proxy,
            validate_certs=connection.validate_certs,
            url_username=connection.username,
            url_password=connection.password,
            force_basic_auth=connection.username is not None,
            follow_redirects=connection.follow_redirects,
            client_cert=connection.client_cert,
            client_key=connection.client_key,
            ca_path=connection.ca_path,
            unredirected_headers=["Authorization", *connection.headers],
            decompress=False,
            use_netrc=False,
            http_agent="gpufleet",
            context=_bare_context(connection, url),
        )
    except Exception as error:  # whatever it is, it becomes one clear HttpError
        response = explain(error, url)
    with response:
        try:
            content = _read(response, visible(url), max_bytes, expired)
        except HttpError:
            raise
        except Exception as error:
            explain(error, url, received=True)
            raise
        return Answer(
            url=visible(url),
            status=response.status if hasattr(response, "status") else response.code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=content,
            seconds=time.monotonic() - start,
        )


def _bare_context(connection: Connection, url: str) -> ssl.SSLContext | None:
    """For plain HTTP that cannot be redirected: the library would load all authorities of the system, which takes
    longer than many a scrape and would be counted in its seconds."""
    if url.startswith("http://") and connection.follow_redirects == "none":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return None


def _read(response: Any, url: str, max_bytes: int, expired: threading.Event) -> bytes:
    """The whole body, decoded. Length is counted here: http.client passes a short body off as complete."""
    headers = response.headers
    length = headers.get("Content-Length") if not headers.get("Transfer-Encoding") else None
    packed = (headers.get("Content-Encoding") or "identity").lower()
    if packed not in ("identity", "gzip"):
        raise HttpError(
            "protocol", f"{url}: answers with Content-Encoding {packed!r}; only gzip and identity are known"
        )
    inflate = zlib.decompressobj(wbits=31) if packed == "gzip" else None
    parts, size, received = [], 0, 0
    while not expired.is_set():
        piece = response.read1(_CHUNK)
        if not piece:
            break
        received += len(piece)
        while piece:
            plain = inflate.decompress(piece, max_bytes + 1 - size) if inflate else piece
            piece = inflate.unconsumed_tail if inflate else b""
            parts.append(plain)
            size += len(plain)
            if size > max_bytes:
                raise HttpError(
                    "too_large",
                    f"{url}: the body has more than {max_bytes} bytes and did not end there; "
                    "is this the right path? Raise `max_bytes` if it really is that long",
                )
    if length is not None and length.isdigit() and received < int(length):
        raise HttpError(
            "truncated",
            f"{url}: the body ends after {received} of the {length} bytes that Content-Length announces; "
            "the service or a proxy in between cuts it off",
            retry=True,
        )
    if inflate and not inflate.eof:
        raise HttpError("truncated", f"{url}: the gzip body ends before its end after {received} bytes", retry=True)
    return b"".join(parts)
