"""GET over http(s) with redirects that never carry credentials to another host."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit

MAX_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)


class RedirectError(Exception):
    """A redirect that leads from https to something weaker, to no http URL at all, or in circles."""


@dataclass(frozen=True)
class Client:
    """How to ask.

    Attributes:
        timeout: seconds to wait for a connection and for each part of an answer.
        username, password, token: HTTP Basic or a bearer token; sent to the host that is asked first, to no other.
        validate_certs: False accepts any certificate.
        ca_path: file of certificates that replace the system's.
        use_proxy: follow http_proxy, https_proxy and no_proxy of the environment.
    """

    timeout: float = 30
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    use_proxy: bool = True

    def get(self, url: str, headers: dict[str, str] | None = None) -> Any:
        """The open answer (http.client.HTTPResponse), its body not decoded.

        Raises:
            urllib.error.HTTPError: status 400 or more.
            RedirectError: see there.
            OSError, http.client.HTTPException: no answer.
        """
        # Not at the top: a run with nothing to download shall not pay for importing TLS and friends.
        from ansible.module_utils.urls import Request

        address = url
        for _hop in range(MAX_REDIRECTS + 1):
            sent = {"Accept-Encoding": "identity", **(headers or {})}
            if origin(address) == origin(url):
                sent.update(self._authorization())
            try:
                return Request().open(
                    "GET",
                    address,
                    headers=sent,
                    timeout=self.timeout,
                    validate_certs=self.validate_certs,
                    ca_path=self.ca_path,
                    use_proxy=self.use_proxy,
                    http_agent="gpufleet",
                    follow_redirects="no",
                    decompress=False,
                    use_netrc=False,
                )
            except HTTPError as error:
                if error.code not in _REDIRECTS or not error.headers.get("Location"):
                    raise
                error.close()
                address = _next(address, error.headers["Location"])
        raise RedirectError(f"more than {MAX_REDIRECTS} redirects, the last one to {address}")

    def _authorization(self) -> dict[str, str]:
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.username:
            pair = f"{self.username}:{self.password or ''}".encode()
            return {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        return {}


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: who is asked."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _next(address: str, location: str) -> str:
    target = urljoin(address, location)
    scheme = urlsplit(target).scheme
    if scheme not in ("http", "https"):
        raise RedirectError(f"{address} redirects to {target}, which is no http address")
    if scheme == "http" and address.startswith("https:"):
        raise RedirectError(f"{address} redirects to {target}, which is not encrypted")
    return target
