"""What stands under /opt/<name>, and what should: pure decisions over a picture of the disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .errors import BadRequestError, NotOursError

NONE, LINK, INSTALL, REINSTALL, REMOVE = "none", "link", "install", "reinstall", "remove"


@dataclass(frozen=True)
class Installed:
    """One complete version. used: when the link last led to it, or else when it was installed (seconds since the
    epoch); damage: what of it is missing since, empty when nothing is."""

    version: str
    url: str = ""
    sha256: str = ""
    used: float = 0
    damage: str = ""


@dataclass(frozen=True)
class Shelf:
    """links: name -> the version it leads to, None when it leads elsewhere; foreign: what this module did not make;
    debris: what killed runs have left."""

    path: str
    versions: Mapping[str, Installed] = field(default_factory=dict)
    links: Mapping[str, str | None] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()
    debris: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wish:
    """sha256: None when the lock file has none; link: None leaves all links alone; keep: old versions that stay."""

    version: str
    url: str
    sha256: str | None
    link: str | None
    keep: int


@dataclass(frozen=True)
class Plan:
    """action: NONE, LINK (switch to what is there), INSTALL, REINSTALL or REMOVE; reason: why, for REINSTALL;
    previous: version the link leads to before; switch: whether the link is set anew; remove: versions that go;
    kept: versions that stay beside the wanted one; whole: nothing at all is to stay."""

    action: str
    reason: str = ""
    previous: str | None = None
    switch: bool = False
    remove: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    whole: bool = False

    @property
    def changes(self) -> bool:
        return self.action != NONE or bool(self.remove)


def decide(shelf: Shelf, wish: Wish) -> Plan:
    """What has to be done so that `wish` is true.

    Raises:
        NotOursError: something that this module did not make stands where the version or the link should be.
    """
    for needed in (wish.version, wish.link):
        if needed in shelf.foreign:
            raise NotOursError(
                f"{shelf.path}/{needed} was not made by gpufleet.serving.release. Move it away, then run again",
                path=f"{shelf.path}/{needed}",
            )
    previous = shelf.links.get(wish.link) if wish.link else None
    action, reason = _action(shelf, wish)
    linked = wish.link is None or previous == wish.version
    if action == NONE and not linked:
        action = LINK
    # A link that is set anew is newer than the service that runs from it, which is how the service gets restarted.
    switch = wish.link is not None and action != NONE
    remove = _superfluous(shelf, wish, previous)
    kept = sorted(set(shelf.versions) - {wish.version} - set(remove))
    return Plan(action, reason, previous, switch, remove, tuple(kept))


def _action(shelf: Shelf, wish: Wish) -> tuple[str, str]:
    there = shelf.versions.get(wish.version)
    if there is None:
        return INSTALL, ""
    if there.damage:
        return REINSTALL, there.damage
    if wish.sha256 and there.sha256 != wish.sha256:
        return REINSTALL, f"its sha256 is {there.sha256}, the lock file wants {wish.sha256}"
    return NONE, ""


def _superfluous(shelf: Shelf, wish: Wish, previous: str | None) -> tuple[str, ...]:
    """Without a link nobody knows here which versions are in use, so none goes."""
    if wish.link is None:
        return ()
    pinned = {version for name, version in shelf.links.items() if name != wish.link}
    others = [one for one in shelf.versions.values() if one.version != wish.version]
    others.sort(key=lambda one: (one.version == previous, one.used, one.version), reverse=True)
    return tuple(sorted(one.version for one in others[wish.keep :] if one.version not in pinned))


def decide_removal(shelf: Shelf, version: str | None) -> Plan:
    """What has to be done so that `version`, or all that this module made when it is None, is gone.

    Raises:
        BadRequestError: a link leads to `version` and there are others that it could lead to.
        NotOursError: `version` is something that this module did not make.
    """
    if version is None or set(shelf.versions) == {version}:
        gone = tuple(sorted(shelf.versions))
        there = bool(gone or shelf.links or shelf.debris)
        return Plan(REMOVE if there else NONE, remove=gone, whole=True)
    if version in shelf.foreign:
        raise NotOursError(
            f"{shelf.path}/{version} was not made by gpufleet.serving.release, so it stays", path=shelf.path
        )
    kept = tuple(sorted(set(shelf.versions) - {version}))
    users = sorted(name for name, target in shelf.links.items() if target == version)
    if version in shelf.versions and users:
        raise BadRequestError(
            f"{shelf.path}/{version} is in use: {', '.join(users)} leads to it. Switch to one of "
            f"{', '.join(kept)} first, or leave `version` out to remove everything"
        )
    if version in shelf.versions:
        return Plan(REMOVE, remove=(version,), kept=kept)
    return Plan(NONE, kept=kept)
