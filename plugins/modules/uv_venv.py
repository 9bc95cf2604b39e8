# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: uv_venv
short_description: Build virtual environments from locked sets of wheels, and lead links to them
description:
  - Builds each environment aside with C(uv) from a requirement set that is locked by hash, tries it, and moves it to
    C(<root>/<name>/<environment>) in one step. An environment is named after what it is made from and never changes.
  - Leads the links C(<root>/<name>/instances/<link>) to environments, each in one step, and keeps the last used ones
    besides, so that going back needs no network.
  - The build runs as a transient unit on the host, so a lost connection does not end it; the next run finds it and goes
    on waiting. A build that was killed is begun again with what it had fetched.
  - root only unpacks. The code of the wheels first runs as nobody, in O(smoke).
  - When all is there and every link leads where it should, there is one short remote call.
author: The gpufleet maintainers
options:
  name:
    description: Name of the program and of its folder under O(root).
    type: str
    required: true
  state:
    description: V(absent) ends builds and removes all that this module made for O(name).
    type: str
    choices: [present, absent]
    default: present
  root:
    description: Folder under which programs are installed.
    type: path
    default: /opt
  environments:
    description: The environments that must be there.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of its folder. Another content must have another name.
        type: str
        required: true
      requirements:
        description: >-
          Path on the controller of the locked set: lines C(name==version --hash=sha256:...), complete, so that nothing
          has to be resolved. It is only sent to hosts that lack the environment.
        type: path
        required: true
  links:
    description: Link name -> environment. Links that are not listed are removed.
    type: dict
    default: {}
  keep:
    description: How many environments stay that no link leads to, the last used ones first.
    type: int
    default: 1
  uv:
    description: Path of C(uv) on the host.
    type: path
  python:
    description: Path of the interpreter that the environments use.
    type: path
  index_urls:
    description: Indexes to take wheels from, the first one that has a package wins. Empty means uv's default.
    type: list
    elements: str
    default: []
  find_links:
    description: Folders or pages with wheels.
    type: list
    elements: str
    default: []
  no_index:
    description: Ask O(find_links) alone.
    type: bool
    default: false
  build_environment:
    description: Environment variables of the build, such as a proxy or credentials for an index.
    type: dict
    default: {}
  smoke:
    description: Command that has to succeed as nobody before an environment is used; its first word is a program of it.
    type: list
    elements: str
    default: []
  compile:
    description: Packages that are compiled whole, beside the modules that O(smoke) needs.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that one build may take.
    type: int
    default: 3600
  wait:
    description: Seconds that one call may wait; set by the action plugin.
    type: float
    default: 15
  resume:
    description: The RV(pending) of the call before; set by the action plugin.
    type: dict
attributes:
  check_mode:
    description: Says what would be done. Works on a host that has nothing yet.
    support: full
  diff_mode:
    description: Shows environments and links before and after.
    support: full
"""

EXAMPLES = r"""
- name: Install vLLM
  gpufleet.serving.uv_venv:
    name: vllm
    uv: /opt/uv/0.13.9/uv
    python: /opt/python/3.11.18+20261110/bin/python3
    environments:
      - name: 0.32.0-cuda-1a2b3c4d
        requirements: "{{ role_path }}/files/requirements/0.32.0-cuda.txt"
    links: {llama: 0.32.0-cuda-1a2b3c4d}
    smoke: [vllm, --version]
"""

RETURN = r"""
built:
  description: Environments that were built.
  type: list
  elements: str
  returned: success
linked:
  description: Links that were set or, with null, removed.
  type: dict
  returned: success
removed:
  description: Environments that were removed.
  type: list
  elements: str
  returned: success
environments:
  description: Environments that are there now, the last used ones first.
  type: list
  elements: str
  returned: success
seconds:
  description: How long it took, waiting included.
  type: float
  returned: success
log:
  description: Last lines of the log of a build that failed.
  type: list
  elements: str
  returned: when a build failed
left:
  description: What O(state=absent) left alone because this module did not make it.
  type: list
  elements: str
  returned: when there is any
pending:
  description: What the build is doing; only between the calls of the action plugin.
  type: dict
  returned: never
"""

import os
import re
import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.release import lock
from ..module_utils.release.errors import BusyError
from ..module_utils.venv import job, script, shelf
from ..module_utils.venv.errors import BadRequestError, BuildError, VenvError

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "root": {"type": "path", "default": "/opt"},
    "environments": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "requirements": {"type": "path", "required": True},
            "text": {"type": "str"},
        },
    },
    "links": {"type": "dict", "default": {}},
    "keep": {"type": "int", "default": 1},
    "uv": {"type": "path"},
    "python": {"type": "path"},
    "index_urls": {"type": "list", "elements": "str", "default": [], "no_log": True},
    "find_links": {"type": "list", "elements": "str", "default": []},
    "no_index": {"type": "bool", "default": False},
    "build_environment": {"type": "dict", "default": {}, "no_log": True},
    "smoke": {"type": "list", "elements": "str", "default": []},
    "compile": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 3600},
    "wait": {"type": "float", "default": 15},
    "resume": {"type": "dict"},
}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]*")
_POLL = 0.5
_PATIENCE = 60.0
# What the task's own `environment:` may say that a download needs.
_PASSED_ON = re.compile(r"(?i)(https?|no|all)_proxy|UV_[A-Z_]+|SSL_CERT_(FILE|DIR)")


def check(params: dict) -> None:
    """Whatever becomes part of a path must be a plain name, and every link must lead somewhere.

    Raises:
        BadRequestError: it does not.
    """
    names = [entry["name"] for entry in params["environments"]]
    for name in [params["name"], *names, *params["links"]]:
        if not _NAME.fullmatch(str(name)):
            raise BadRequestError(f"{name!r} is no plain name; expected letters, digits and . _ + ~ - only")
    for name in (shelf.LINKS, shelf.BUILD):
        if name in names:
            raise BadRequestError(f"an environment must not be called {name}")
    for link, target in params["links"].items():
        if target not in names:
            raise BadRequestError(f"links: {link} leads to {target}, which is not among the environments")
    if params["state"] == "present" and not (params["uv"] and params["python"]):
        raise BadRequestError("uv and python are needed to build environments")


class Run:
    """One call of the module."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params = module.params
        self.folder = os.path.join(self.params["root"], self.params["name"])
        resume = self.params["resume"] or {}
        self.began = float(resume.get("began") or time.time())
        self.built = list(resume.get("built") or [])
        self.runs = dict(resume.get("runs") or {})
        self.end = time.monotonic() + self.params["wait"]

    def present(self) -> dict:
        """Build, link and prune; or say what is pending."""
        plan = self._plan()
        before = shelf.look(self.folder)
        if self.module.check_mode or not (plan.changes or self.built or os.path.isdir(self._work(""))):
            return self._result(plan, before)
        for name in plan.build:
            pending = self._build(name)
            if pending:
                return pending
            self.built.append(name)
        with lock.held(self.folder, _PATIENCE):
            plan = self._plan()
            if plan.build:
                raise VenvError(f"{plan.build[0]} vanished while it was being linked; is another run removing it?")
            shelf.switch(self.folder, plan)
            if not any(job.state(job.unit_of(self.folder, name)).running for name in self._builds()):
                shelf.tidy(self.folder)
        return self._result(plan, before)

    def absent(self) -> dict:
        """Remove everything."""
        there = os.path.isdir(self.folder)
        if self.module.check_mode or not there:
            return {"changed": there}
        job.stop_all(self.folder)
        left = shelf.remove_all(self.folder)
        return {"changed": True, **({"left": left} if left else {})}

    def _plan(self) -> shelf.Plan:
        wanted = [entry["name"] for entry in self.params["environments"]]
        return shelf.decide(shelf.look(self.folder), wanted, self.params["links"], self.params["keep"])

    def _builds(self) -> list[str]:
        folder = self._work("")
        return [name for name in os.listdir(folder) if _NAME.fullmatch(name)] if os.path.isdir(folder) else []

    def _work(self, name: str) -> str:
        return os.path.join(self.folder, shelf.BUILD, name)

    def _build(self, name: str) -> dict | None:
        """Start or go on waiting; None when the environment is there."""
        unit = job.unit_of(self.folder, name)
        while True:
            state = job.state(unit)
            if self._there(name) and not state.running:
                return None
            if state.active == "failed" and state.run == self.runs.get(name):
                raise job.failure(unit, self._work(name), state.result)
            if not state.running:
                needed = self._start(name, unit)
                if needed:
                    return needed
                state = job.state(unit)
            self.runs[name] = state.run or self.runs.get(name)
            if time.monotonic() >= self.end:
                return self._pending(name, job.progress(self._work(name)))
            time.sleep(_POLL)

    def _there(self, name: str) -> bool:
        return name in shelf.look(self.folder).environments

    def _start(self, name: str, unit: str) -> dict | None:
        entry = next(entry for entry in self.params["environments"] if entry["name"] == name)
        if entry["text"] is None:
            return {**self._pending(name, "sending the set of wheels"), "needs": [name]}
        with lock.held(self.folder, _PATIENCE):
            if not job.state(unit).running and not self._there(name):
                job.start(unit, self._recipe(name), entry["text"], self._given(), self.params["timeout"])
        return None

    def _recipe(self, name: str) -> script.Recipe:
        params = self.params
        return script.Recipe(
            name=name,
            work=self._work(name),
            uv=params["uv"],
            python=params["python"],
            mark=shelf.MARK,
            smoke=params["smoke"],
            packages=params["compile"],
            index_urls=params["index_urls"],
            find_links=params["find_links"],
            no_index=params["no_index"],
        )

    def _given(self) -> dict:
        passed = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
        return {**passed, **{str(name): str(value) for name, value in self.params["build_environment"].items()}}

    def _pending(self, name: str, what: str) -> dict:
        memory = {"began": self.began, "built": self.built, "runs": self.runs}
        seconds = round(time.time() - self.began, 1)
        return {
            "changed": True,
            "seconds": seconds,
            "pending": {"environment": name, "waiting_for": what, "memory": memory},
        }

    def _result(self, plan: shelf.Plan, before: shelf.Shelf) -> dict:
        built = plan.build if self.module.check_mode else self.built
        gone = set(plan.remove)
        after = [name for name in [*plan.build, *before.environments] if name not in gone]
        linked = {**plan.link, **dict.fromkeys(plan.unlink)}
        return {
            "changed": bool(plan.changes or built),
            "built": built,
            "linked": linked,
            "removed": plan.remove,
            "environments": after,
            "seconds": round(time.time() - self.began, 1),
            "diff": {
                "before": _shown(before.environments, before.links),
                "after": _shown(after, {**before.links, **linked}),
            },
        }


def _shown(environments: list[str], links: dict) -> str:
    lines = [f"environment {name}" for name in sorted(environments)]
    lines += [f"{name} -> {target}" for name, target in sorted(links.items()) if target]
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        check(module.params)
        run = Run(module)
        result = run.present() if module.params["state"] == "present" else run.absent()
    except BuildError as error:
        module.fail_json(msg=str(error), log=error.log)
    except (VenvError, BusyError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename or module.params['root']}: {error.strerror}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
