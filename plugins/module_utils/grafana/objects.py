# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What a server has, whichever of its APIs told so, and what that API must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .documents import Dashboard


@dataclass(frozen=True)
class Folder:
    """A folder. `uid` is empty for the root, `id` None where the server tells none any more."""

    uid: str
    title: str
    id: int | None = None
    parent_uid: str = ""


ROOT = Folder(uid="", title="General", id=0)


@dataclass(frozen=True)
class Existing:
    """A dashboard on the server.

    Attributes:
        version: what a save must quote to show that it knows the newest one: the version number of the legacy API,
            the resourceVersion of the new one.
        provisioned_by: where it comes from when it belongs to files or another manager; else empty.
    """

    uid: str
    title: str
    model: Mapping[str, Any]
    version: Any
    folder_uid: str
    url: str
    id: int | None = None
    number: int | None = None
    provisioned_by: str = ""


@dataclass(frozen=True)
class Edit:
    """The newest entry of a version history."""

    by: str
    when: str
    message: str


class Server:
    """The part of a Grafana that pushing takes; one class per API."""

    api = ""

    def folder(self, uid: str) -> Folder | None:
        raise NotImplementedError

    def create_folder(self, uid: str, title: str, parent_uid: str) -> Folder:
        """Create it and say what the server made of it."""
        raise NotImplementedError

    def delete_folder(self, uid: str) -> None:
        raise NotImplementedError

    def dashboard(self, uid: str) -> Existing | None:
        raise NotImplementedError

    def uids_in(self, folder: Folder) -> list[str]:
        """The dashboards directly in a folder."""
        raise NotImplementedError

    def newest_edit(self, existing: Existing) -> Edit | None:
        """None when the server cannot say."""
        raise NotImplementedError

    def save(self, wanted: Dashboard, existing: Existing | None, folder: Folder, overwrite: bool, message: str) -> None:
        raise NotImplementedError

    def would_become(self, wanted: Dashboard, existing: Existing) -> Mapping[str, Any] | None:
        """What the server would make of it, where it migrates what it is sent; None where it does not."""
        raise NotImplementedError

    def delete(self, uid: str) -> None:
        raise NotImplementedError
