"""Controller side of gpufleet.serving.lock_file: see plugins/modules/lock_file.py."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils.release.http import Client
from ..module_utils.sources import SourceError
from ..plugin_utils.components import ComponentError, find_components
from ..plugin_utils.host_variables import HostVariables
from ..plugin_utils.lock import book, collect, wanted
from ..plugin_utils.lock.errors import LockError

_OPTIONS = {
    "path": {"type": "path"},
    "from_mirror": {"type": "str"},
    "accept_changed": {"type": "list", "elements": "str", "default": []},
    "prune": {"type": "bool", "default": False},
    "ca_path": {"type": "path"},
}


class ActionModule(ActionBase):
    """Works out what the inventory asks for, finds the digests and writes them down."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(_OPTIONS)
        try:
            return {**result, **self._lock(options, task_vars)}
        except (LockError, ComponentError, SourceError, AnsibleError) as error:
            return {**result, "failed": True, "msg": str(error)}

    def _lock(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        path = Path(options["path"]) if options["path"] else book.path_in(list(task_vars["ansible_inventory_sources"]))
        old = book.read(path)
        components = find_components(self._loader, tuple(task_vars.get("gpufleet_component_paths", ())))
        variables = HostVariables(self._templar, task_vars["hostvars"])
        downloads = wanted.downloads(components.values(), task_vars["groups"], variables)
        found = self._find(downloads, options)
        if found.problems:
            raise LockError("Nothing was written:\n" + "\n".join(f"- {problem}" for problem in found.problems))
        merged = book.merge(old, found.digests, set(options["accept_changed"]), options["prune"])
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = book.render(merged.entries)
        if after != before and not self._task.check_mode:
            _write(path, after)
        return {
            "changed": after != before,
            "path": str(path),
            "entries": len(merged.entries),
            "added": merged.added,
            "changed_urls": merged.changed,
            "dropped": merged.dropped,
            "warnings": found.notes,
            "diff": {"before_header": str(path), "after_header": str(path), "before": before, "after": after},
            "msg": f"{path}: {len(merged.entries)} downloads are locked, {len(merged.added)} of them new",
        }

    @staticmethod
    def _find(downloads: list[wanted.Download], options: dict[str, Any]) -> collect.Found:
        client = Client(ca_path=options["ca_path"])
        if options["from_mirror"]:
            return collect.from_manifest(downloads, *collect.manifest(options["from_mirror"], client))
        return collect.from_publishers(downloads, client, Display().display)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(prefix=".gpufleet_lock.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
