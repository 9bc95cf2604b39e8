#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: config_files
short_description: Write a set of configuration files, all of them or none
description:
  - Compares a whole set of files and directories with the host in one remote call, has programs check the new set
    before anything of it lands, and then renames each file into place. When a check says no, or a step fails midway,
    every file is what it was before.
  - A file whose content is unchanged keeps its modification time, even where its owner or mode is repaired, so that
    M(gpufleet.serving.systemd_unit) can decide on restarts by modification times.
  - No copies of older contents are kept; the inventory's history has them, and copies of secrets would be a liability.
options:
  files:
    description: The files.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - Absolute path. A symbolic link at this path is refused, a link among its parents is followed.
        type: path
        required: true
      content:
        description: The whole content, as text. It is written as UTF-8, exactly as given.
        type: raw
        required: true
      owner:
        description: Name or numeric id.
        type: str
        default: root
      group:
        description: Name or numeric id.
        type: str
        default: root
      mode:
        description: Quoted octal number.
        type: str
        default: "0644"
      secret:
        description: Keep the content out of diffs, results, logs and error messages.
        type: bool
        default: false
  directories:
    description: Directories that must exist, made before the files; parents first, whatever the order in the list.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path. A link to a directory counts as that directory.
        type: path
        required: true
      owner:
        description: Name or numeric id.
        type: str
        default: root
      group:
        description: Name or numeric id.
        type: str
        default: root
      mode:
        description: Quoted octal number.
        type: str
        default: "0755"
      recursive:
        description: With O(state=absent), remove it with all that is in it.
        type: bool
        default: false
  remove:
    description:
      - Paths that must not exist, each a string or a dictionary of C(path) and C(recursive). A directory that is not
        empty is only removed with C(recursive=true), and never while something is mounted in it.
    type: list
    elements: raw
    default: []
  prune:
    description: Files directly in a directory that match a pattern and are not in O(files) are removed.
    type: list
    elements: dict
    default: []
    suboptions:
      directory:
        description: Absolute path. It need not exist.
        type: path
        required: true
      pattern:
        description: Glob for file names. Hidden files match only a pattern that begins with a dot.
        type: str
        required: true
  validate:
    description:
      - Programs that must exit with status 0 before anything lands. They run when anything changes, and also when the
        program, named by its full path, came onto the host after the files did.
      - In check mode they are left out while a program or one of O(validate[].needs) is not on the host.
    type: list
    elements: dict
    default: []
    suboptions:
      argv:
        description:
          - Program and arguments. C({/absolute/path}) stands for the staged copy of that file or directory of the set,
            which keeps its name, next to the staged copies of the others and to the files that stay.
        type: list
        elements: str
        required: true
      needs:
        description: Further paths without which the check has no meaning, such as the program that a unit starts.
        type: list
        elements: path
        default: []
      in_check_mode:
        description: Write V(false) where the program on disk is not the one that will read the files.
        type: bool
        default: true
      timeout:
        description: Seconds.
        type: float
        default: 60
  state:
    description:
      - V(absent) removes the files, and then the directories that are empty or marked C(recursive); others are left.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Reports what would change. Accounts and parent directories that earlier tasks make may be missing.
    support: full
  diff_mode:
    description: One entry per changed path; secrets and removed files are named without their content.
    support: full
notes:
  - A staged file may refer to others of the set by relative or by full path; full paths are led to the staged copies.
author: The gpufleet maintainers
"""

EXAMPLES = r"""
- name: Write Prometheus' configuration
  gpufleet.serving.config_files:
    directories:
      - {path: /etc/prometheus, group: prometheus, mode: "0750"}
      - {path: /etc/prometheus/rules, group: prometheus, mode: "0750"}
    files:
      - path: /etc/prometheus/prometheus.yml
        content: "{{ lookup('ansible.builtin.template', 'prometheus.yml.j2') }}"
        group: prometheus
        mode: "0640"
      - path: /etc/prometheus/remote_write_password
        content: "{{ vault_remote_write_password }}"
        owner: prometheus
        mode: "0400"
        secret: true
    prune:
      - {directory: /etc/prometheus/rules, pattern: "*.yml"}
    validate:
      - argv: [/opt/prometheus/current/promtool, check, config, "{/etc/prometheus/prometheus.yml}"]

- name: Take it away again
  gpufleet.serving.config_files:
    remove:
      - {path: /etc/prometheus, recursive: true}
"""

RETURN = r"""
changed_files:
  description: Paths of files and directories that were written or whose attributes were repaired.
  type: list
  elements: str
  returned: success
removed:
  description: Paths that were removed.
  type: list
  elements: str
  returned: success
validated:
  description: Command lines of the checks that passed; empty where nothing had to be checked.
  type: list
  elements: str
  returned: success
not_validated:
  description: Programs and paths that were missing in check mode, for which the checks were left out.
  type: list
  elements: str
  returned: success
"""

import os
import signal
import sys

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.config_files.errors import CheckFailedError, ConfigFilesError
from ..module_utils.config_files.freshness import program_is_newer
from ..module_utils.config_files.landing import carry_out, remove_leftovers
from ..module_utils.config_files.locks import locked
from ..module_utils.config_files.plan import Plan, make_plan
from ..module_utils.config_files.request import Check, Request, parse
from ..module_utils.config_files.show import differences
from ..module_utils.config_files.stage import missing_programs, run_checks

_LOCK_SECONDS = 120.0

_OWNERSHIP = {
    "path": {"type": "path", "required": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}
ARGUMENT_SPEC = {
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            **_OWNERSHIP,
            "content": {"type": "raw", "required": True},
            "mode": {"type": "str", "default": "0644"},
            "secret": {"type": "bool", "default": False, "no_log": False},
        },
    },
    "directories": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            **_OWNERSHIP,
            "mode": {"type": "str", "default": "0755"},
            "recursive": {"type": "bool", "default": False},
        },
    },
    "remove": {"type": "list", "elements": "raw", "default": []},
    "prune": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "directory": {"type": "path", "required": True},
            "pattern": {"type": "str", "required": True},
        },
    },
    "validate": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "argv": {"type": "list", "elements": "str", "required": True},
            "needs": {"type": "list", "elements": "path", "default": []},
            "in_check_mode": {"type": "bool", "default": True},
            "timeout": {"type": "float", "default": 60},
        },
    },
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


class SilentModule(AnsibleModule):
    """An AnsibleModule that shows its own arguments nowhere.

    Contents are arguments, and no_log on them would strike every plain content out of the diff too. So the invocation
    is not logged at all and the copy of the arguments that goes with each result is left out.
    """

    def _log_invocation(self):
        """Not even with the constructor's no_log=True does ansible-core keep it out of the journal: the task's wins."""

    def exit_json(self, **result):
        super().exit_json(invocation={}, **result)

    def fail_json(self, msg, **result):
        super().fail_json(msg, invocation={}, **result)


def main() -> None:
    module = SilentModule(ARGUMENT_SPEC, supports_check_mode=True)
    os.umask(0o022)
    _clean_up_when_told_to_stop()
    try:
        result = apply(parse(module.params), module)
    except ConfigFilesError as error:
        module.fail_json(f"{error}\nNothing was changed: the files before still stand.")
    module.exit_json(**result)


def apply(request: Request, module: AnsibleModule) -> dict:
    """Bring the host in line with the request; the module's result."""
    touched = {os.path.dirname(item.path) for item in (*request.files, *request.removals)}
    touched |= {item.directory for item in request.prunes} | {os.path.dirname(d.path) for d in request.directories}
    with locked(touched, _LOCK_SECONDS):
        plan = make_plan(request, module.check_mode)
        validated, missing = _validate(request, plan, module)
        if not module.check_mode:
            remove_leftovers(touched)
            carry_out(plan, _label(module))
    result = {
        "changed": plan.changed,
        "changed_files": [*(c.directory.path for c in plan.directories), *(c.file.path for c in plan.files)],
        "removed": [change.path for change in plan.removals],
        "validated": validated,
        "not_validated": missing,
    }
    if module._diff:
        result["diff"] = differences(plan)
    return result


def _validate(request: Request, plan: Plan, module: AnsibleModule) -> tuple[list[str], list[str]]:
    checks = [check for check in request.checks if _is_due(check, request, plan)]
    missing = missing_programs(checks)
    if module.check_mode and missing:
        return [], missing
    if missing:
        raise CheckFailedError(
            f"The new files cannot be checked: {', '.join(missing)} is not on this host; install it before this task"
        )
    if module.check_mode:
        checks = [check for check in checks if check.in_check_mode]
    # /run is memory, and closed to others: secrets do not touch the disk twice.
    parent = "/run" if os.access("/run", os.W_OK) else module.tmpdir
    return run_checks(request, plan, checks, parent), []


def _is_due(check: Check, request: Request, plan: Plan) -> bool:
    return plan.content_changed or program_is_newer(check, [file.path for file in request.files])


def _label(module: AnsibleModule):
    def label(path: str, final: str) -> None:
        if module.selinux_enabled():
            module.set_context_if_different(path, module.selinux_default_context(final), False)

    return label


def _clean_up_when_told_to_stop() -> None:
    def stop(number, _frame):
        for other in (signal.SIGHUP, signal.SIGTERM):
            # Putting things back must not be interrupted in its turn.
            signal.signal(other, signal.SIG_IGN)
        sys.exit(f"stopped by signal {number}")

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, stop)


if __name__ == "__main__":
    main()
