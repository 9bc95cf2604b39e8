"""Provisioning from files, with the habits of the real one."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from .library import Library, RefusedError
from .sources import Sources


class ProvisioningError(Exception):
    """The real server does not start with such files either."""


def _files(folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except yaml.YAMLError as error:
            raise ProvisioningError(f"{path}: {error}") from error
        if not isinstance(document, dict) or document.get("apiVersion") != 1:
            raise ProvisioningError(f"{path}: apiVersion must be 1")
        yield path, _expanded(document)


def _expanded(value: Any) -> Any:
    """Environment variables, $NAME and ${NAME}; $$ is one $."""
    if isinstance(value, str):
        return re.sub(
            r"\$\$|\$\{(\w+)\}|\$(\w+)",
            lambda found: "$" if found.group() == "$$" else os.environ.get(found.group(1) or found.group(2), ""),
            value,
        )
    if isinstance(value, dict):
        return {key: _expanded(item) for key, item in value.items()}
    return [_expanded(item) for item in value] if isinstance(value, list) else value


def datasources(folder: Path, sources: Sources) -> None:
    """Once, at the start. A uid that another datasource has keeps the server from starting.

    Raises:
        ProvisioningError: as the real one says it.
    """
    documents = list(_files(folder / "datasources"))
    wanted = [one for _path, document in documents for one in document.get("datasources") or ()]
    if sum(bool(one.get("isDefault")) for one in wanted) > 1:
        raise ProvisioningError(
            "datasource.yaml config is invalid. Only one datasource per organization can be default"
        )
    try:
        for _path, document in documents:
            for one in document.get("deleteDatasources") or ():
                for row in [row for row in sources.all() if row["name"] == one["name"]]:
                    sources.delete(row)
        for one in wanted:
            row = next((row for row in sources.all() if row["name"] == one["name"]), None)
            read_only = not one.get("editable", False)
            sources.create(one, read_only) if row is None else sources.update(row, one, read_only)
        if any(document.get("prune") for _path, document in documents):
            names = {one["name"] for one in wanted}
            for row in [row for row in sources.all() if row["read_only"] and row["name"] not in names]:
                sources.delete(row)
    except RefusedError as error:
        raise ProvisioningError(f"Datasource provisioning error: {error}") from error


class Dashboards:
    """The providers; `sweep` is called again and again."""

    def __init__(self, folder: Path, library: Library):
        self._library = library
        self._providers = [one for _path, doc in _files(folder / "dashboards") for one in doc.get("providers") or ()]
        names = [one["name"] for one in self._providers]
        if len(set(names)) < len(names):
            raise ProvisioningError("provider names must be unique")

    @property
    def interval(self) -> float:
        return min((one.get("updateIntervalSeconds") or 10 for one in self._providers), default=10)

    def forget_removed_providers(self) -> None:
        """The dashboards of a provider that is gone go with it."""
        for name in self._library.providers() - {one["name"] for one in self._providers}:
            for row in self._library.of_provider(name):
                self._library.release(row, delete=True)

    def sweep(self) -> None:
        for provider in self._providers:
            self._sweep(provider)

    def _sweep(self, provider: Mapping[str, Any]) -> None:
        root = Path((provider.get("options") or {}).get("path") or "/nonexistent")
        known = {row["external_id"]: row for row in self._library.of_provider(provider["name"])}
        found = {str(path.relative_to(root)): path for path in sorted(root.rglob("*.json"))}
        for name, path in found.items():
            raw = path.read_bytes()
            check_sum = hashlib.md5(raw).hexdigest()  # noqa: S324 as the real one
            row = known.get(name)
            # Only content counts: a provider whose folder changes moves nothing.
            if row is not None and row["check_sum"] == check_sum:
                continue
            try:
                model = json.loads(raw)
                self._save(provider, name, model, row, check_sum)
            except (ValueError, RefusedError) as error:
                print(f"logger=provisioning.dashboard level=error msg=failed file={path} error={error}", flush=True)
        for name, row in known.items():
            if name not in found:
                self._library.release(row, delete=not provider.get("disableDeletion"))

    def _save(self, provider: Mapping[str, Any], name: str, model: dict, row: Any, check_sum: str) -> None:
        model.pop("id", None)
        if row is not None and not model.get("uid"):
            model["uid"] = row["uid"]
        uids = self._provisioned_elsewhere(model.get("uid"), provider["name"], name)
        if uids:
            raise RefusedError(400, f"the same UID is used more than once: {model['uid']}")
        folder = self._folder(str(provider.get("folder") or ""), str(provider.get("folderUid") or ""))
        saved = self._library.save(model, folder, True, "Anonymous", "", by_file=True)
        self._library.mark_provisioned(saved, provider["name"], name, check_sum, bool(provider.get("allowUiUpdates")))

    def _provisioned_elsewhere(self, uid: Any, provider: str, name: str) -> bool:
        row = self._library.get(uid) if uid else None
        owner = self._library.provisioned(row) if row else None
        return owner is not None and (owner["name"], owner["external_id"]) != (provider, name)

    def _folder(self, title: str, uid: str) -> Any:
        if not title:
            return None
        for row in self._library.all(folder=True):
            if (row["uid"] == uid) if uid else (row["title"] == title and row["folder_id"] == 0):
                return row
        return self._library.create_folder(uid, title, "", "Anonymous")
