# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What can go wrong between a client and a server, told to an operator: the URL, what is wrong, what to do."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import urllib.error
import zlib
from typing import Any, Iterable, NoReturn
from urllib.parse import urlsplit, urlunsplit


class HttpError(Exception):
    """No usable answer.

    Attributes:
        reason: one word for programs, listed at http.send.
        retry: whether the same request may well succeed a little later.
        status: the HTTP status, where there was one.
    """

    def __init__(self, reason: str, message: str, retry: bool = False, status: int | None = None):
        super().__init__(message)
        self.reason = reason
        self.retry = retry
        self.status = status


def visible(url: str) -> str:
    """The URL without user name and password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def refuse_url(url: str) -> None:
    """Raise for a URL that cannot be asked, or that carries credentials, which would end up in logs."""
    wrong = HttpError("url", f"{visible(url)!r}: expected http://HOST:PORT/PATH or https://HOST:PORT/PATH")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong
    if parts.username is not None:
        raise HttpError("url", f"{visible(url)}: write user name and password as `url_username` and `url_password`")


def explain(error: Exception, url: str, received: bool = False) -> Any:
    """Raise what `error` means; an HTTP status is no failure of the exchange, so its response is handed back."""
    if isinstance(error, urllib.error.HTTPError):
        return error
    shown = visible(url)
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLError):
        raise _tls(cause, shown) from error
    if isinstance(cause, socket.gaierror):
        raise HttpError(
            "dns", f"{shown}: the name does not resolve on this host ({cause.strerror})", retry=True
        ) from error
    if isinstance(cause, (socket.timeout, TimeoutError)):
        raise HttpError("timeout", f"{shown}: silent for too long", retry=True) from error
    if isinstance(cause, http.client.IncompleteRead) or (received and isinstance(cause, ConnectionError)):
        raise HttpError(
            "truncated",
            f"{shown}: the connection broke in the middle of the body; the service or a proxy in between cuts it off",
            retry=True,
        ) from error
    if isinstance(cause, zlib.error):
        raise HttpError(
            "protocol", f"{shown}: says Content-Encoding gzip, but the body is not gzip ({cause})"
        ) from error
    if isinstance(cause, http.client.RemoteDisconnected):
        raise HttpError(
            "protocol",
            f"{shown}: closes the connection without an answer; does it speak {_other_scheme(shown)} there?",
            retry=True,
        ) from error
    if isinstance(cause, http.client.HTTPException):
        raise HttpError(
            "protocol", f"{shown}: does not speak HTTP ({type(cause).__name__}: {cause}); check host and port"
        ) from error
    if isinstance(cause, OSError):
        raise _system(cause, shown) from error
    raise HttpError("protocol", f"{shown}: {type(error).__name__}: {error}") from error


def _system(cause: OSError, url: str) -> HttpError:
    if isinstance(cause, ConnectionRefusedError):
        return HttpError(
            "refused",
            f"{url}: connection refused, nothing listens there; is the service started, on this address and port?",
            retry=True,
        )
    if isinstance(cause, ConnectionError):
        return HttpError(
            "protocol",
            f"{url}: the connection was reset before an answer; does it speak {_other_scheme(url)} there?",
            retry=True,
        )
    if cause.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
        return HttpError("unreachable", f"{url}: {cause.strerror}; check the route and the firewall", retry=True)
    return HttpError("unreachable", f"{url}: {cause}", retry=True)


def _tls(cause: ssl.SSLError, url: str) -> HttpError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return HttpError(
            "tls",
            f"{url}: its certificate is not trusted: {cause.verify_message}; give the CA that signed it as `ca_path`",
        )
    if cause.reason in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return HttpError("tls", f"{url}: does not speak TLS; write http:// if plain HTTP is meant")
    if "CERTIFICATE_REQUIRED" in str(cause.reason) or "ALERT" in str(cause.reason):
        return HttpError(
            "tls", f"{url}: refuses the TLS handshake ({cause.reason}); does it ask for `client_cert` and `client_key`?"
        )
    return HttpError(
        "tls", f"{url}: TLS fails ({cause.reason or cause}); does it ask for `client_cert`, or for another TLS?"
    )


def _other_scheme(url: str) -> str:
    return "HTTPS" if url.startswith("http://") else "plain HTTP"


def refuse_status(answer: Any, secrets: Iterable[str]) -> NoReturn:
    """Raise what a status other than 2xx means. `answer` is an http.Answer."""
    status, url = answer.status, answer.url
    if 300 <= status < 400:
        target = visible(answer.headers.get("location", "nowhere"))
        raise HttpError(
            "redirect",
            f"{url}: redirects ({status}) to {target}; write that URL, or `follow_redirects: safe` if it is right",
            status=status,
        )
    if status in (401, 403):
        raise HttpError(
            "auth",
            f"{url}: refuses the credentials ({status}); check `url_username` and `url_password`, or `token`",
            status=status,
        )
    words = first_words(answer.text, secrets)
    said = f", saying {words!r}" if words else ""
    remedy = {
        404: "; check the path",
        405: "; check the path",
        429: "; it is asked too often",
        502: "; the proxy is up, the service behind it is not",
        503: "; it is not ready",
        504: "; the proxy is up, the service behind it is silent",
    }.get(status, "; see its log" if status >= 500 else "")
    raise HttpError(
        "status", f"{url}: answers {status}{said}{remedy}", retry=status >= 500 or status in (404, 429), status=status
    )


def first_words(text: str, secrets: Iterable[str] = (), limit: int = 160) -> str:
    """The beginning of a body on one line, with every secret struck out."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "********")
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
