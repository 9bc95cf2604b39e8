"""The mirror's web server: a container on the labs' network, which also keeps the bridge up."""

from __future__ import annotations

from lab import network


def url() -> str:
    """Where machines find the mirror."""
    return f"http://{network.mirror_address()}"
