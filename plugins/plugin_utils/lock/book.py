"""The lock file itself: read, merged, written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from .errors import LockError

FILE = "group_vars/all/gpufleet_lock.yml"
VARIABLE = "gpufleet_lock"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HEADER = """\
---
# Written by `make lock` from the publishers' checksum files. Commit it, and change it only by running that again.
# sha256 by publisher's URL: whatever a host downloads has to stand here.
"""


@dataclass(frozen=True)
class Merge:
    """entries: what the file is to hold; added, changed, dropped: URLs, by what became of them."""

    entries: Mapping[str, str]
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def path_in(inventory_sources: list[str]) -> Path:
    """The lock file of the inventory that was given as `-i`.

    Raises:
        LockError: there is not one inventory folder, or its variables are laid out so that the file would hide them.
    """
    if len(inventory_sources) != 1 or "," in inventory_sources[0]:
        raise LockError(
            f"expected one inventory folder to put the lock file into, found {', '.join(inventory_sources) or 'none'}. "
            "Give one with -i, or say where with --path"
        )
    source = Path(inventory_sources[0])
    if not source.exists():
        raise LockError(f"{source}: there is no such inventory")
    folder = source if source.is_dir() else source.parent
    # Ansible reads the folder group_vars/all or the file group_vars/all.yml, never both.
    for name in ("all", "all.yml", "all.yaml", "all.json"):
        hidden = folder / "group_vars" / name
        if hidden.is_file():
            raise LockError(
                f"{hidden}: would no longer be read beside a folder group_vars/all, where the lock file goes. "
                f"Move it to {folder}/group_vars/all/main.yml, then run again"
            )
    return folder / FILE


def read(path: Path) -> dict[str, str]:
    """The entries of a lock file; none when it does not exist.

    Raises:
        LockError: it holds something else.
    """
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise LockError(f"{path}: is no YAML: {error}") from error
    entries = content.get(VARIABLE) if isinstance(content, dict) else None
    if not isinstance(entries, dict) or set(content) != {VARIABLE}:
        raise LockError(f"{path}: expected the variable {VARIABLE} and nothing else. Mend it, or remove the file")
    for url, digest in entries.items():
        if not _DIGEST.fullmatch(str(digest)):
            raise LockError(f"{path}: {url}: {digest!r} is no sha256. Mend it, or remove the file")
    return {str(url): str(digest) for url, digest in entries.items()}


def render(entries: Mapping[str, str]) -> str:
    """The file's text; the same entries always give the same text."""
    if not entries:
        return f"{_HEADER}{VARIABLE}: {{}}\n"
    lines = [f"  {json.dumps(url)}:\n    {json.dumps(entries[url])}\n" for url in sorted(entries)]
    return f"{_HEADER}{VARIABLE}:\n{''.join(lines)}"


def merge(old: Mapping[str, str], found: Mapping[str, str], accepted: set[str], prune: bool) -> Merge:
    """Old entries with what was found now. Entries of other versions stay unless `prune`.

    Raises:
        LockError: a publisher's digest differs from the locked one, and it is not among the `accepted` URLs.
    """
    changed = {url for url, digest in found.items() if old.get(url, digest) != digest}
    refused = sorted(changed - accepted)
    if refused:
        raise LockError(
            "THE PUBLISHER CHANGED WHAT WAS LOCKED. The same URL now has another sha256, which an honest release has "
            "no reason for:\n"
            + "\n".join(f"  {url}\n    locked    {old[url]}\n    published {found[url]}" for url in refused)
            + "\nNothing was written. Find out from the publisher why; if it is right, run again with "
            + " ".join(f"--accept-changed {url}" for url in refused)
        )
    stale = sorted(accepted - changed)
    if stale:
        raise LockError(f"--accept-changed {' '.join(stale)}: its sha256 has not changed. Leave the option out")
    kept = {} if prune else dict(old)
    entries = {**kept, **found}
    return Merge(
        entries,
        added=tuple(sorted(set(found) - set(old))),
        changed=tuple(sorted(changed)),
        dropped=tuple(sorted(set(old) - set(entries))),
    )
