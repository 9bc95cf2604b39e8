# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Whether a service answers, and whether it is the service that answers."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping
from urllib.parse import urlsplit

from ..host.ports import port_holders
from ..host.processes import PROC
from .errors import HealthError
from .state import UnitState

_SECONDS = 5.0
_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Health:
    """An address that answers 200 when the service is ready.

    Attributes:
        connection: keyword arguments of http.Connection.
        own_port: the address is the unit's own, so that an answer of some other unit on that port is none.
    """

    url: str
    connection: Mapping[str, Any] = field(default_factory=dict, repr=False)
    own_port: bool = True

    @property
    def port(self) -> int | None:
        parts = urlsplit(self.url)
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme)

    def complaint(self, unit: UnitState) -> str | None:
        """Why the unit is not ready yet, or None when it is.

        Raises:
            HealthError: it will never be, whatever the unit does: no such CA file, an untrusted certificate.
        """
        # Not at the top: TLS and its friends take 70 ms to import, which calls without a health address shall not pay.
        from ..http import Connection, send
        from ..http_errors import HttpError

        try:
            answer = send(
                Connection(**self.connection, timeout=_SECONDS), self.url, max_bytes=_MOST_BYTES, any_status=True
            )
        except HttpError as error:
            if error.reason in ("url", "tls", "file"):
                raise HealthError(f"it runs, but its health address cannot be asked: {error}", unit) from error
            return "refuses connections" if error.reason == "refused" else str(error)
        if answer.status != 200:
            return f"answers {answer.status}"
        return self.stranger(unit)

    def stranger(self, unit: UnitState, proc: Path = PROC) -> str | None:
        """Who answers instead of the unit, as far as that can be seen."""
        host = urlsplit(self.url).hostname or ""
        if not self.own_port or not _loopback(host) or not self.port:
            return None
        _, found = port_holders(host, self.port, proc, first=unit.main_pid)
        if not found or any(unit.name in process.units or process.pid == unit.main_pid for process in found):
            return None
        return f"is answered by another process on its port: {found[0]}"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
