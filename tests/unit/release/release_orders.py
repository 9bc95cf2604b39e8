"""Orders against a publisher on loopback."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ansible_collections.gpufleet.serving.plugins.module_utils.release.fetch import Limits
from ansible_collections.gpufleet.serving.plugins.module_utils.release.http import Client
from ansible_collections.gpufleet.serving.plugins.module_utils.release.install import Layout, Order
from ansible_collections.gpufleet.serving.plugins.module_utils.release.shelf import Wish
from release_server import Answer, Publisher, release, sha256, whole


def make(
    publisher: Publisher,
    path: Path,
    version: str,
    body: bytes | None = None,
    answers: tuple[Answer, ...] = (),
    **changes: object,
) -> Order:
    """Publish `body` (or a tarball of `version`) and order it; `changes` replace parts of the order or of its wish."""
    body = release(version) if body is None else body
    url = publisher.publish(f"/demo-{version}.tar.gz", *(answers or (whole(body),)))
    wish = Wish(version, url, sha256(body), "current", 2)
    order = Order(
        path=str(path),
        wish=wish,
        address=url,
        layout=Layout("tar.gz"),
        client=Client(timeout=5, use_proxy=False),
        limits=Limits(retries=2, backoff=0.01),
        smoke=("demo",),
        patience=20,
    )
    about_wish = {name: changes.pop(name) for name in list(changes) if name in Wish.__dataclass_fields__}
    return replace(order, wish=replace(wish, **about_wish), **changes)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())
