"""Bring one release under /opt to the wished state: the order of the steps, and nothing else.

Whatever the moment a run is killed at, the link leads to a complete version: a version gets its name only when it is
complete and on the disk, the link moves only after that, and old versions go last.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from . import disk, fetch, members, modes, shelf, smoke, space, unpack
from .errors import BadRequestError, NotLockedError, ReleaseError
from .http import Client
from .lock import held


@dataclass(frozen=True)
class Layout:
    """archive_format: one of members.FORMATS; strip: see unpack; binary: name for the only file of the release;
    max_bytes: of all unpacked files."""

    archive_format: str
    strip: int | None = None
    binary: str | None = None
    max_bytes: int = 16 * 1024**3


@dataclass(frozen=True)
class Order:
    """What is wanted, and how to get it.

    Attributes:
        path: /opt/<name>.
        address: where to download from.
        smoke: command to try a version with before the link moves; empty for none.
        patience: seconds to wait for another run on the same path.
    """

    path: str
    wish: shelf.Wish
    address: str
    layout: Layout
    client: Client
    limits: fetch.Limits
    smoke: Sequence[str] = ()
    smoke_timeout: float = 30
    patience: float = 900


@dataclass
class Outcome:
    """What was done, or would be."""

    plan: shelf.Plan
    debris: tuple[str, ...] = ()
    downloaded: int = 0
    foreign: tuple[str, ...] = ()


def present(order: Order, check: bool = False) -> Outcome:
    """Install, switch, repair and prune as needed.

    Raises:
        ReleaseError: it was not possible; the link leads where it led before.
    """
    seen = disk.look(order.path)
    plan = shelf.decide(seen, order.wish)
    if plan.action in (shelf.INSTALL, shelf.REINSTALL):
        _require_digest(order.wish)
    if check or not (plan.changes or seen.debris):
        return Outcome(plan, seen.debris)
    with held(order.path, order.patience):
        # Another run may have done it all while we waited.
        seen = disk.look(order.path)
        plan = shelf.decide(seen, order.wish)
        disk.clear(order.path, seen.debris)
        outcome = Outcome(plan, seen.debris)
        if plan.changes:
            what = f"install {order.wish.version}"
            with space.reported(order.path, what), disk.staging(order.path) as workshop:
                _carry_out(order, plan, outcome, workshop)
        return outcome


def _carry_out(order: Order, plan: shelf.Plan, outcome: Outcome, workshop: str) -> None:
    wish = order.wish
    if plan.action in (shelf.INSTALL, shelf.REINSTALL):
        tree = _fetch(order, outcome, workshop)
        _smoke(order, tree)
        disk.put(order.path, wish.version, tree)
    elif plan.switch:
        _smoke(order, os.path.join(order.path, wish.version))
    if plan.switch:
        if plan.previous:
            disk.touch(order.path, plan.previous)
        disk.point(order.path, wish.link, wish.version, workshop)
    for version in plan.remove:
        disk.remove(order.path, version, workshop)


def _require_digest(wish: shelf.Wish) -> None:
    if not wish.sha256:
        raise NotLockedError(
            f"the lock file has no sha256 for {wish.url}. Write it from the publisher's sums: "
            "run `make lock INVENTORY=<your inventory>` on the controller and commit gpufleet_lock.yml",
            url=wish.url,
        )


def _fetch(order: Order, outcome: Outcome, workshop: str) -> str:
    """Download and unpack; returns the folder with the complete, marked version."""
    wish, layout = order.wish, order.layout
    archive = os.path.join(workshop, "download")
    source = fetch.Source(wish.url, order.address, wish.sha256)
    outcome.downloaded = fetch.download(source, archive, order.client, order.limits)
    try:
        tree = _unpack(layout, archive, workshop, wish.url)
        disk.mark(tree, version=wish.version, url=wish.url, sha256=wish.sha256, size=outcome.downloaded)
    except ReleaseError as error:
        error.args = (f"{wish.url}: {error}",) if wish.url not in str(error) else error.args
        raise
    return tree


def _unpack(layout: Layout, archive: str, workshop: str, url: str) -> str:
    folder = os.path.join(workshop, "unpacked")
    modes.make_folder(folder)
    if layout.archive_format == "file":
        os.rename(archive, os.path.join(folder, layout.binary))
        os.chmod(os.path.join(folder, layout.binary), modes.PROGRAM)
        return folder
    what = f"unpack {url}"
    space.require(workshop, members.unpacked_size(archive, layout.archive_format), what)
    with space.reported(workshop, what), members.opened(archive, layout.archive_format) as found:
        tree = unpack.unpack(found, folder, layout.max_bytes, layout.strip)
    os.unlink(archive)
    if layout.binary:
        _name_binary(tree, layout.binary)
    return tree


def _name_binary(tree: str, binary: str) -> None:
    names = sorted(os.listdir(tree))
    if len(names) != 1 or not os.path.isfile(os.path.join(tree, names[0])):
        raise BadRequestError(f"`binary` is for a release of one file, but this one holds {', '.join(names[:20])}")
    os.rename(os.path.join(tree, names[0]), os.path.join(tree, binary))
    os.chmod(os.path.join(tree, binary), modes.PROGRAM)


def _smoke(order: Order, tree: str) -> None:
    if order.smoke:
        try:
            smoke.try_out(tree, order.smoke, order.smoke_timeout)
        except ReleaseError as error:
            stays = f"{order.path}/{order.wish.link} stays as it was" if order.wish.link else "nothing was changed"
            error.args = (f"{order.wish.version} does not work on this host, so {stays}: {error}",)
            raise


def absent(path: str, version: str | None, patience: float, check: bool = False) -> Outcome:
    """Remove one version, or all versions and links.

    Raises:
        ReleaseError: the version is in use, or not ours.
    """
    seen = disk.look(path)
    plan = shelf.decide_removal(seen, version)
    hollow = plan.whole and not seen.foreign and os.path.isdir(path)
    if check or not (plan.changes or seen.debris or hollow):
        return Outcome(plan, seen.debris, foreign=seen.foreign)
    with held(path, patience):
        seen = disk.look(path)
        plan = shelf.decide_removal(seen, version)
        disk.clear(path, seen.debris)
        if plan.whole:
            for link in seen.links:
                disk.unlink(path, link)
        with disk.staging(path) as workshop:
            for gone in plan.remove:
                disk.remove(path, gone, workshop)
        return Outcome(plan, seen.debris, foreign=seen.foreign)
