# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What has to be done so that a server has a set of dashboards; the server is only read here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Mapping, Sequence

from .documents import Dashboard
from .errors import GrafanaError, several
from .normal import differences, normalise, same
from .objects import ROOT, Existing, Folder, Server

# At the end of each message in a version history, so that a push knows its own work from a person's.
SIGNATURE = "[gpufleet]"


@dataclass(frozen=True)
class FolderWish:
    """A folder that must be there, inside the one before it."""

    uid: str
    title: str


@dataclass(frozen=True)
class Step:
    """What happens to one dashboard.

    Attributes:
        action: create, update, move (the same content in another folder), unchanged, delete or absent.
        differences: where content differs, for people.
    """

    action: str
    uid: str
    title: str
    wanted: Dashboard | None = None
    existing: Existing | None = None
    differences: Sequence[str] = ()

    @property
    def changes(self) -> bool:
        return self.action not in ("unchanged", "absent")


@dataclass(frozen=True)
class Plan:
    """Folders to create, from the outermost, each with the uid of its parent; then the steps.

    `folder` is the target, None where it has to be created. `kept` are dashboards that prune leaves, with the reason.
    """

    folder: Folder | None
    new_folders: Sequence[tuple[FolderWish, str]]
    steps: Sequence[Step]
    kept: Mapping[str, str]

    @property
    def changes(self) -> bool:
        return bool(self.new_folders) or any(step.changes for step in self.steps)


def present(
    server: Server, folders: Sequence[FolderWish], dashboards: Sequence[Dashboard], overwrite: bool, prune: bool
) -> Plan:
    """The plan for dashboards that shall be there.

    Args:
        folders: from the outermost to the one that the dashboards belong into; empty for the root.

    Raises:
        GrafanaError: something must not be done; with everything of that kind.
    """
    folder, new_folders = _folders(server, folders)
    target = folder.uid if folder else folders[-1].uid
    steps, problems = [], []
    for dashboard in dashboards:
        try:
            steps.append(_step(server, dashboard, target, overwrite))
        except GrafanaError as error:
            problems.append(str(error))
    if problems:
        raise several("Nothing was sent:", problems)
    pruned, kept = _pruned(server, folder, {one.uid for one in dashboards}) if prune and folder else ([], {})
    return Plan(folder, new_folders, [*steps, *pruned], kept)


def absent(server: Server, uids: Sequence[str]) -> Plan:
    """The plan for dashboards that shall be gone.

    Raises:
        GrafanaError: some are provisioned.
    """
    steps, problems = [], []
    for uid in uids:
        existing = server.dashboard(uid)
        if existing is None:
            steps.append(Step("absent", uid, ""))
        elif existing.provisioned_by:
            problems.append(_provisioned(existing, "deleted", "take that file away"))
        else:
            steps.append(Step("delete", uid, existing.title, existing=existing))
    if problems:
        raise several("Nothing was deleted:", problems)
    return Plan(ROOT, (), steps, {})


def _folders(server: Server, wishes: Sequence[FolderWish]) -> tuple[Folder | None, Sequence[tuple[FolderWish, str]]]:
    folder, parent, new = ROOT, ROOT.uid, []
    for wish in wishes:
        found = server.folder(wish.uid) if not new else None
        if found is None:
            new.append((wish, parent))
        elif found.parent_uid != parent and len(wishes) > 1:
            raise GrafanaError(
                f"The folder {wish.uid} is there, but inside {found.parent_uid or 'the root'}, not inside "
                f"{parent or 'the root'}; move it in Grafana, or name its real parents in `folder_parents`"
            )
        else:
            folder = found
        parent = wish.uid
    return (None if new else folder), new


def _step(server: Server, wanted: Dashboard, folder_uid: str, overwrite: bool) -> Step:
    existing = server.dashboard(wanted.uid)
    if existing is None:
        return Step("create", wanted.uid, wanted.title, wanted)
    if existing.provisioned_by:
        raise GrafanaError(
            f"{wanted.label}: "
            + _provisioned(existing, "saved", "take it out of the provisioned files, or out of this set")
        )
    same_folder = existing.folder_uid == folder_uid
    if is_same(server, wanted, existing):
        return Step("unchanged" if same_folder else "move", wanted.uid, wanted.title, wanted, existing)
    found = differences(wanted.model, existing.model)
    if not overwrite:
        _refuse_foreign_edit(server, wanted, existing, found)
    return Step("update", wanted.uid, wanted.title, wanted, existing, found)


def is_same(server: Server, wanted: Dashboard, existing: Existing) -> bool:
    """Whether the server has what is wanted, as it is or as the server migrates it."""
    there = normalise(existing.model)
    if same(normalise(wanted.model), there):
        return True
    if wanted.model.get("schemaVersion") == existing.model.get("schemaVersion"):
        return False
    migrated = server.would_become(wanted, existing)
    return migrated is not None and same(normalise(migrated), there)


def _refuse_foreign_edit(server: Server, wanted: Dashboard, existing: Existing, found: Sequence[str]) -> None:
    if existing.number in (1, wanted.based_on):
        # Nobody has changed the first version; its history entry says "Initial save" whatever was sent.
        return
    edit = server.newest_edit(existing)
    if edit is None or edit.message.endswith(SIGNATURE):
        return
    said = f" with the message {edit.message!r}" if edit.message else ""
    raise GrafanaError(
        f"{wanted.label}: version {existing.number} on the server was saved by {edit.by or 'someone else'}"
        f"{f' on {edit.when}' if edit.when else ''}{said}, not by a push, and differs from the file in: "
        f"{'; '.join(found)}. Take that change over into the file, or write `overwrite: true` to replace it"
    )


def _pruned(server: Server, folder: Folder, wanted: set[str]) -> tuple[list[Step], dict[str, str]]:
    steps, kept = [], {}
    for uid in server.uids_in(folder):
        existing = server.dashboard(uid) if uid not in wanted else None
        if existing is None or existing.folder_uid != folder.uid:
            continue
        if existing.provisioned_by:
            kept[uid] = f"provisioned by {existing.provisioned_by}"
        else:
            steps.append(Step("delete", uid, existing.title, existing=existing))
    return steps, kept


def _provisioned(existing: Existing, verb: str, choice: str) -> str:
    return (
        f"the dashboard {existing.title!r} (uid {existing.uid}) is provisioned by {existing.provisioned_by}, so it "
        f"cannot be {verb} over the API; choose one way for each dashboard: {choice}"
    )


def filled_in(dashboards: Sequence[Dashboard], fill_in: Callable[[Dashboard], Mapping]) -> list[Dashboard]:
    """The dashboards with inputs and datasources filled in.

    Raises:
        GrafanaError: with all that could not be.
    """
    found, problems = [], []
    for dashboard in dashboards:
        try:
            found.append(replace(dashboard, model=fill_in(dashboard), inputs=()))
        except GrafanaError as error:
            problems.append(str(error))
    if problems:
        raise several("Nothing was sent:", problems)
    return found
