# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What --diff shows. A secret never appears, neither the old one nor the new one."""

from __future__ import annotations

from typing import Any

from .plan import DirectoryChange, FileChange, Plan, RemovalChange

# As much as ansible-core's own limit for one file.
_LARGEST = 104448


def differences(plan: Plan) -> list[dict[str, Any]]:
    """One entry per changed path, in ansible-core's diff format."""
    return [
        *(_directory(change) for change in plan.directories),
        *(entry for change in plan.files for entry in _file(change)),
        *(_removal(change) for change in plan.removals),
    ]


def _entry(path: str, before: Any, after: Any) -> dict[str, Any]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _directory(change: DirectoryChange) -> dict[str, Any]:
    if change.exists:
        return _entry(change.directory.path, change.attributes_before, change.attributes_after)
    return _entry(change.directory.path, {"state": "absent"}, {"state": "directory"})


def _file(change: FileChange) -> list[dict[str, Any]]:
    path, entries = change.file.path, []
    if change.content_changed:
        before, after = _text(change.before), _text(change.file.content)
        if change.file.secret:
            before, after = ("" if change.before is None else "(secret content)\n"), "(secret content changed)\n"
        entries.append(_entry(path, before, after))
    if change.attributes_before:
        entries.append(_entry(path, change.attributes_before, change.attributes_after))
    return entries


def _text(content: bytes | None) -> str:
    if content is None:
        return ""
    if len(content) > _LARGEST:
        return f"({len(content)} bytes, too many to show)\n"
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"({len(content)} bytes that are not UTF-8)\n"


def _removal(change: RemovalChange) -> dict[str, Any]:
    # Nothing says whether a file that nobody lists any more held a secret.
    kind = "directory" if change.is_directory else f"file of {change.size} bytes"
    return _entry(change.path, {"state": kind}, {"state": "absent"})
