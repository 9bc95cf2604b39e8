# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Carrying a plan out, and reading back what the server made of it."""

from __future__ import annotations

from typing import Any, Callable

from .errors import GrafanaError, RefusedError
from .normal import both_outlines, contents, differences
from .objects import Folder, Server
from .plan import SIGNATURE, Plan, Step, is_same


def carry_out(
    server: Server, plan: Plan, overwrite: bool, message: str, done: Callable[[str], None] = lambda what: None
) -> None:
    """Do what the plan says, in its order; `done` is told of each thing that has been done.

    Raises:
        GrafanaError: the server refuses, or has not done what it said it has.
    """
    folder = plan.folder
    for wish, parent in plan.new_folders:
        folder = _create_folder(server, wish.uid, wish.title, parent)
        done(f"folder {wish.uid}")
    for step in plan.steps:
        if step.action == "delete":
            server.delete(step.uid)
            if server.dashboard(step.uid) is not None:
                raise GrafanaError(f"The dashboard {step.title!r} (uid {step.uid}) is still there after its deletion")
        elif step.changes:
            assert folder is not None  # a plan without a folder creates one
            _save(server, step, folder, overwrite, f"{message} {SIGNATURE}".strip())
        else:
            continue
        done(f"{step.action} {step.uid}")


def _create_folder(server: Server, uid: str, title: str, parent_uid: str) -> Folder:
    folder = server.create_folder(uid, title, parent_uid)
    if folder.parent_uid != parent_uid:
        folder = server.folder(uid) or folder
    if folder.parent_uid != parent_uid:
        # It is empty, and it is ours: it goes again, instead of staying where nobody wanted it.
        server.delete_folder(uid)
        raise GrafanaError(
            f"This Grafana does not nest folders: it put {uid} into {folder.parent_uid or 'the root'}, not into "
            f"{parent_uid}; leave `folder_parents` out, or use Grafana 11 or later"
        )
    return folder


def _save(server: Server, step: Step, folder: Folder, overwrite: bool, message: str) -> None:
    wanted = step.wanted
    assert wanted is not None  # only what is wanted is saved
    try:
        server.save(wanted, step.existing, folder, overwrite, message)
    except RefusedError as error:
        raise GrafanaError(f"{wanted.label}: {error}{_advice(error)}") from error
    saved = server.dashboard(wanted.uid)
    if saved is None:
        raise GrafanaError(f"{wanted.label}: Grafana says that it saved it, but does not have it")
    if saved.folder_uid != folder.uid:
        raise GrafanaError(
            f"{wanted.label}: Grafana says that it saved it, but put it into the folder "
            f"{saved.folder_uid or 'General'}, not into {folder.uid or 'General'}"
        )
    if not is_same(server, wanted, saved):
        raise GrafanaError(
            f"{wanted.label}: Grafana says that it saved it, but has something else in: "
            f"{'; '.join(differences(wanted.model, saved.model))}"
        )


def _advice(error: RefusedError) -> str:
    said = error.said.lower()
    if "changed by someone else" in said or (error.status == 409 and "exists" not in said) or "use overwrite" in said:
        return "; it was changed while this ran: see its version history, then run again, or write `overwrite: true`"
    if error.status == 412 and "same name" in said:
        return "; that other dashboard has another uid: give the file its uid, or another title"
    if "provisioned" in said:
        return "; choose one way for each dashboard: provisioned files, or this module"
    return ""


def diff(plan: Plan) -> list[dict[str, Any]]:
    """The plan in ansible-core's diff format: one entry per dashboard, in lines for people."""
    entries = [_entry(f"folder {wish.uid}", [], [f"title: {wish.title}"]) for wish, _parent in plan.new_folders]
    return entries + [entry for step in plan.steps for entry in _diff(step, plan)]


def _diff(step: Step, plan: Plan) -> list[dict[str, Any]]:
    name = f"dashboard {step.uid} ({step.title})"
    if step.action == "create" and step.wanted:
        return [_entry(name, [], contents(step.wanted.model))]
    if step.action == "delete" and step.existing:
        return [_entry(name, contents(step.existing.model), [])]
    if step.action == "update" and step.wanted and step.existing:
        after, before = both_outlines(step.wanted.model, step.existing.model)
        return [_entry(name, before, after)]
    if step.action == "move" and step.existing:
        return [_entry(name, [f"folder: {step.existing.folder_uid or 'General'}"], [f"folder: {_target(plan)}"])]
    return []


def _target(plan: Plan) -> str:
    uid = plan.folder.uid if plan.folder else plan.new_folders[-1][0].uid
    return uid or "General"


def _entry(name: str, before: list[str], after: list[str]) -> dict[str, Any]:
    return {
        "before_header": name,
        "after_header": name,
        "before": "".join(f"{line}\n" for line in before),
        "after": "".join(f"{line}\n" for line in after),
    }
