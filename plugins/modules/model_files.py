# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: model_files
short_description: Fetch the files of a model, each checked against its digest
description:
  - Brings all files of one revision of a model into a folder, from the publisher or from a mirror. The folder appears
    in one step, when every file is there and has the digest that was locked.
  - A download goes on where it ended, after a lost connection as after a killed run. While it runs, a line about every
    fifteen seconds says how far it is.
  - When the files are there as they were checked, nothing is asked of the network.
author: The gpufleet maintainers
options:
  path:
    description: Folder of this revision on the host.
    type: path
    required: true
  url:
    description: Where the publisher has the files; the name of a file follows after a slash.
    type: str
    required: true
  files:
    description: Relative path -> sha256.
    type: dict
    required: true
  mirror:
    description: Address of a mirror to fetch from instead. Must not hold credentials, since it is logged.
    type: str
  mirror_path:
    description: Where the mirror has the files, relative to its root. Required with O(mirror).
    type: str
  token:
    description: Bearer token for the publisher. Never sent to a mirror, nor to a host that the publisher redirects to.
    type: str
  retries:
    description: How many tries in a row may bring nothing.
    type: int
    default: 5
  ca_path:
    description: File of certificates on the host that are trusted instead of the system's.
    type: path
  use_proxy:
    description: Whether to follow C(http_proxy), C(https_proxy) and C(no_proxy) of the environment.
    type: bool
    default: true
  wait:
    description: Seconds that one call may last; set by the action plugin.
    type: float
    default: 15
  resume:
    description: The RV(pending) of the call before; set by the action plugin.
    type: dict
attributes:
  check_mode:
    description: Says whether anything would be fetched, and asks nothing of the network.
    support: full
  diff_mode:
    description: Lists the files that come.
    support: full
"""

EXAMPLES = r"""
- name: Fetch a model
  gpufleet.serving.model_files:
    path: /var/lib/vllm/models/example/tiny/0123456789abcdef0123456789abcdef01234567
    url: https://huggingface.co/example/tiny/resolve/0123456789abcdef0123456789abcdef01234567
    files:
      config.json: 0597cf600a8f4bdd08ead07ea4acdbb5e1d3cbeda39a330b68046f9ba3ea14d5
"""

RETURN = r"""
path:
  description: Folder of the model.
  type: str
  returned: success
fetched:
  description: Files that came, or would come.
  type: list
  elements: str
  returned: success
seconds:
  description: How long it took.
  type: float
  returned: success
pending:
  description: How far it is; only between the calls of the action plugin.
  type: dict
  returned: never
"""

import os
import time
from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import sources
from ..module_utils.model import fetch
from ..module_utils.model.errors import FetchError, ModelError, WrongDigestError
from ..module_utils.model.folder import Folder, make_folders
from ..module_utils.model.request import base_address
from ..module_utils.release import lock
from ..module_utils.release.errors import BusyError
from ..module_utils.release.http import Client

ARGUMENTS = {
    "path": {"type": "path", "required": True},
    "url": {"type": "str", "required": True},
    "files": {"type": "dict", "required": True},
    "mirror": {"type": "str"},
    "mirror_path": {"type": "str"},
    "token": {"type": "str", "no_log": True},
    "retries": {"type": "int", "default": 5},
    "ca_path": {"type": "path"},
    "use_proxy": {"type": "bool", "default": True},
    "wait": {"type": "float", "default": 15},
    "resume": {"type": "dict"},
}

_PATIENCE = 120.0
_PAUSE = 2.0


class Run:
    """One call of the module: as much as fits into its time."""

    def __init__(self, params: dict) -> None:
        self.params = params
        self.folder = Folder(params["path"].rstrip("/"), {str(k): str(v).lower() for k, v in params["files"].items()})
        self.folder.check()
        self.base = base_address(params["url"], params["mirror"], params["mirror_path"])
        resume = params["resume"] or {}
        self.began = float(resume.get("began") or time.time())
        self.failures = int(resume.get("failures") or 0)
        self.fetched = list(resume.get("fetched") or [])
        self.end = time.monotonic() + params["wait"]
        self.client = Client(
            token=None if params["mirror"] else params["token"],
            ca_path=params["ca_path"],
            use_proxy=params["use_proxy"],
        )

    def work(self, check_mode: bool) -> dict:
        missing = self.folder.missing()
        if check_mode or not missing:
            return self._result(missing if check_mode else self.fetched)
        parent = os.path.dirname(self.folder.path)
        make_folders(parent)
        with lock.held(parent, _PATIENCE):
            missing = self.folder.missing()
            for name in self.folder.to_fetch(missing):
                if not self._fetch(name):
                    return self._pending(name, missing)
            if missing:
                self.folder.land(missing)
            self.fetched = sorted({*self.fetched, *missing})
        return self._result(self.fetched)

    def _fetch(self, name: str) -> bool:
        """Gather one file; False when the time is up."""
        path = self.folder.staged(name)
        while True:
            before = os.path.getsize(path) if os.path.exists(path) else 0
            try:
                if not fetch.gather(self.client, f"{self.base}/{quote(name)}", path, self.end):
                    self.failures = 0
                    return False
                break
            except fetch.Interrupted as error:
                moved = os.path.exists(path) and os.path.getsize(path) > before
                self.failures = 0 if moved else self.failures + 1
                if self.failures > self.params["retries"]:
                    remedy = "Is the mirror up?" if self.params["mirror"] else "Without a way out, set gpufleet_mirror."
                    raise FetchError(f"{error}; tried {self.failures} times in a row. {remedy}") from error
                if time.monotonic() + _PAUSE > self.end:
                    return False
                time.sleep(_PAUSE)
        if not self.folder.accept(name):
            raise WrongDigestError(
                f"{self.base}/{name}: wrong checksum: expected sha256 {self.folder.files[name]}. Either the copy is "
                "damaged, or somebody changed what was published; the file was dropped and the model is not in place"
            )
        self.failures = 0
        return True

    def _pending(self, name: str, missing: list[str]) -> dict:
        left = self.folder.to_fetch(missing)
        path = self.folder.staged(name)
        megabytes = (os.path.getsize(path) if os.path.exists(path) else 0) / 1e6
        memory = {"began": self.began, "failures": self.failures, "fetched": self.fetched}
        what = (
            f"{name}, {megabytes:.0f} MB of it are here; {len(missing) - len(left)} of {len(missing)} files are whole"
        )
        return {"changed": True, "seconds": self._seconds(), "pending": {"waiting_for": what, "memory": memory}}

    def _result(self, fetched: list[str]) -> dict:
        return {
            "changed": bool(fetched),
            "path": self.folder.path,
            "fetched": fetched,
            "seconds": self._seconds(),
            "diff": {"before": "", "after": "".join(f"{self.folder.path}/{name}\n" for name in fetched)},
        }

    def _seconds(self) -> float:
        return round(time.time() - self.began, 1)


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        result = Run(module.params).work(module.check_mode)
    except (ModelError, sources.SourceError, BusyError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename or module.params['path']}: {error.strerror}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
