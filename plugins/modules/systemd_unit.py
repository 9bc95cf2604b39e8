#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: systemd_unit
short_description: Have a systemd unit run what is on disk, and wait until it is ready
description:
  - Loads changed unit files, enables, starts, restarts or reloads as needed, and waits until the service is ready, all
    in one remote call where there is nothing to wait for.
  - Whether a restart or a reload is needed is decided from times alone. A unit is restarted when a file of
    O(restart_on), or one of its own files below C(/etc/systemd/system), is newer than its start. So a run that was
    interrupted between writing a file and restarting is repaired by the next one, and no handlers are needed.
  - A unit that fails, exits or is restarted by systemd over and over is reported within seconds, with the last lines of
    its journal, not when the time is up.
  - While it waits, a line every ten seconds says how far the unit is.
options:
  name:
    description: Full name of the unit, such as V(prometheus.service) or V(vllm@llama.service).
    type: str
    required: true
  state:
    description:
      - V(absent) stops and disables it, removes its file, its drop-ins and links to it below C(/etc/systemd/system),
        and has systemd forget it. An instance leaves its template; a template (V(vllm@.service)) takes all its
        instances.
    type: str
    choices: [started, stopped, absent]
    default: started
  enabled:
    description:
      - Whether it starts at boot. When left out, it does with O(state=started), and it stays as it is with
        O(state=stopped).
    type: bool
  restart_on:
    description:
      - Paths whose change asks for a restart. A link counts as itself, so switching it counts; a directory with the
        files directly in it. Paths that are not there do not count.
    type: list
    elements: path
    default: []
  reload_on:
    description: Paths whose change asks for a reload, or for a restart where the unit has no C(ExecReload=).
    type: list
    elements: path
    default: []
  health_url:
    description: Address that answers GET with 200 when the service is ready. Without one, an active unit is ready.
    type: str
  health_own_port:
    description:
      - The port of O(health_url), where it is a loopback address, is the unit's own. An answer from another process on
        that port then does not count. Write V(false) where a proxy answers.
    type: bool
    default: true
  health_username:
    description: For HTTP Basic authentication at O(health_url).
    type: str
  health_password:
    description: Goes with O(health_username).
    type: str
  health_token:
    description: Bearer token for O(health_url).
    type: str
  health_headers:
    description: Further request headers for O(health_url).
    type: dict
    default: {}
  validate_certs:
    description: Whether the certificate of O(health_url) must be trusted.
    type: bool
    default: true
  ca_path:
    description: File on the host with the CA certificates that O(health_url) is trusted by.
    type: path
  timeout:
    description: Seconds in which the unit must be ready, or stopped.
    type: float
    default: 60
  settle:
    description:
      - Seconds for which it must have been active. When left out, 0 with O(health_url) and 0.5 without.
      - A unit that systemd has had to restart must have been active for ten seconds in any case.
    type: float
  journal_lines:
    description: How many lines of the journal a failure shows.
    type: int
    default: 20
  hints:
    description: Advice for a failure whose journal has a line that matches C(pattern).
    type: list
    elements: dict
    default: []
    suboptions:
      pattern:
        description: Python regular expression.
        type: str
        required: true
      say:
        description: What to tell the operator.
        type: str
        required: true
  wait:
    description: Seconds that one call may wait; set by the action plugin.
    type: float
  resume:
    description: The RV(pending) of the call before; set by the action plugin.
    type: dict
attributes:
  check_mode:
    description: Says what would be done, on a blank host too; never starts anything and does not wait.
    support: full
  diff_mode:
    description: Shows the state before and after.
    support: full
notes:
  - In check mode a restart is only foreseen where the file has changed already.
author: The gpufleet maintainers
"""

EXAMPLES = r"""
- name: Run Prometheus until it is ready
  gpufleet.serving.systemd_unit:
    name: prometheus.service
    restart_on: [/opt/prometheus/current]
    reload_on: [/etc/prometheus/prometheus.yml, /etc/prometheus/rules]
    health_url: http://127.0.0.1:9090/-/ready
    timeout: 300

- name: Run one instance of a template
  gpufleet.serving.systemd_unit:
    name: vllm@llama.service
    restart_on: [/etc/vllm/llama.yaml]
    health_url: http://127.0.0.1:8000/health
    timeout: 900
    hints:
      - pattern: CUDA out of memory
        say: lower gpu_memory_utilization or max_model_len of this instance

- name: Take it off the host
  gpufleet.serving.systemd_unit:
    name: prometheus.service
    state: absent
"""

RETURN = r"""
state:
  description: systemd's C(ActiveState) at the end; V(absent) where the unit was removed.
  type: str
  returned: success
actions:
  description: What was done, or in check mode would be, in order.
  type: list
  elements: str
  returned: always
reason:
  description: Why it was started, restarted or reloaded; empty where it was not.
  type: str
  returned: always
started:
  description: Whether it was started.
  type: bool
  returned: always
restarted:
  description: Whether it was restarted.
  type: bool
  returned: always
reloaded:
  description: Whether it was reloaded.
  type: bool
  returned: always
seconds:
  description: How long the unit took to be ready, or down.
  type: float
  returned: always
journal:
  description: The last lines of its journal.
  type: list
  elements: str
  returned: failure
pending:
  description: Present while the unit is neither ready nor failed; the action plugin goes on waiting with it.
  type: dict
  returned: with O(wait)
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.units.errors import UnitError
from ..module_utils.units.report import explain, result
from ..module_utils.units.run import Progress, Wish, run
from ..module_utils.units.systemctl import Systemd

ARGUMENT_SPEC = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"},
    "enabled": {"type": "bool"},
    "restart_on": {"type": "list", "elements": "path", "default": []},
    "reload_on": {"type": "list", "elements": "path", "default": []},
    "health_url": {"type": "str"},
    "health_own_port": {"type": "bool", "default": True},
    "health_username": {"type": "str"},
    "health_password": {"type": "str", "no_log": True},
    "health_token": {"type": "str", "no_log": True},
    "health_headers": {"type": "dict", "no_log": True, "default": {}},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "timeout": {"type": "float", "default": 60},
    "settle": {"type": "float"},
    "journal_lines": {"type": "int", "default": 20},
    "hints": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"pattern": {"type": "str", "required": True}, "say": {"type": "str", "required": True}},
    },
    "wait": {"type": "float"},
    "resume": {"type": "dict"},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)

    def command(argv: list) -> tuple:
        return module.run_command(argv, environ_update={"SYSTEMD_COLORS": "0", "LC_ALL": "C.UTF-8"})

    systemd = Systemd(command)
    wish = Wish.from_params(module.params)
    progress = Progress.resume(module.params["resume"])
    try:
        seen = run(systemd, wish, progress, module.check_mode)
        outcome = result(systemd, wish, progress, seen)
    except UnitError as error:
        module.fail_json(**explain(systemd, wish, progress, error))
    for warning in progress.warnings:
        module.warn(warning)
    if not module._diff:
        del outcome["diff"]
    module.exit_json(**outcome)


if __name__ == "__main__":
    main()
