#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_admin_password
short_description: Make sure that Grafana's administrator has this password
description:
  - Grafana takes the password in C(grafana.ini) at its first start only. This logs in with the wanted one and, where
    that is refused, sets it with Grafana's own C(grafana cli admin reset-admin-password) and logs in again.
  - The password is handed over on the standard input, so that no process list shows it.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
options:
  url_username:
    description: Login of the administrator.
    type: str
    required: true
  url_password:
    description: The password that it shall have.
    type: str
    required: true
  program:
    description: Grafana's program on the host.
    type: path
    default: /usr/share/grafana/bin/grafana
  home:
    description: Grafana's own files.
    type: path
    default: /usr/share/grafana
  config:
    description: Its configuration, which says where the database is.
    type: path
    default: /etc/grafana/grafana.ini
  run_as:
    description: The account that owns the database.
    type: str
    default: grafana
  user_id:
    description: Grafana's number for the administrator.
    type: int
    default: 1
attributes:
  check_mode: {support: full}
  diff_mode: {description: A password is never shown., support: none}
"""

EXAMPLES = r"""
- name: Set the administrator's password
  gpufleet.serving.grafana_admin_password:
    url: http://127.0.0.1:3000
    url_username: admin
    url_password: "{{ grafana_admin_password }}"
"""

RETURN = r"""
checked:
  description: Whether there was a server to log in to; in check mode there may be none yet.
  type: bool
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.caller import Caller
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.errors import RefusedError
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError


def command(params: dict) -> list:
    """What sets the password that it reads from its standard input."""
    return [
        "runuser",
        "-u",
        params["run_as"],
        "--",
        params["program"],
        "cli",
        "--homepath",
        params["home"],
        "--config",
        params["config"],
        "admin",
        "reset-admin-password",
        "--password-from-stdin",
        *(["--user-id", str(params["user_id"])] if params["user_id"] != 1 else []),
    ]


def logs_in(caller: Caller) -> bool:
    """Whether the password is the one that the server knows.

    Raises:
        RefusedError: the server answers something else than yes or no.
    """
    try:
        caller.call("GET", "/api/user")
    except RefusedError as error:
        if error.status != 401:
            raise
        return False
    return True


def argument_spec() -> dict:
    """The options; here one cannot go without name and password."""
    spec = connection_spec()
    return {
        **spec,
        "url_username": {**spec["url_username"], "required": True},
        "url_password": {**spec["url_password"], "required": True},
        "program": {"type": "path", "default": "/usr/share/grafana/bin/grafana"},
        "home": {"type": "path", "default": "/usr/share/grafana"},
        "config": {"type": "path", "default": "/etc/grafana/grafana.ini"},
        "run_as": {"type": "str", "default": "grafana"},
        "user_id": {"type": "int", "default": 1},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True, **CONNECTION_RULES)
    params = module.params
    caller = Caller(Connection.from_params(params), params["url"])
    try:
        if logs_in(caller):
            module.exit_json(changed=False, checked=True)
        if module.check_mode:
            module.exit_json(changed=True, checked=True)
        code, out, err = module.run_command(command(params), data=params["url_password"])
        if code:
            words = " ".join((err or out).replace(params["url_password"], "********").split())
            module.fail_json(msg=f"Grafana did not take the new password: {words}")
        if not logs_in(caller):
            module.fail_json(
                msg=f"{params['url']}: Grafana changed the password of user {params['user_id']}, but still refuses the "
                f"login {params['url_username']!r}; is that its login? After five wrong passwords Grafana refuses "
                "right ones too, for five minutes",
                changed=True,
            )
    except HttpError as error:
        if module.check_mode and error.reason in ("refused", "file"):
            module.exit_json(changed=False, checked=False)
        module.fail_json(msg=str(error))
    except RefusedError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True, checked=True)


if __name__ == "__main__":
    main()
