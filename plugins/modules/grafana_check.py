#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_check
short_description: Ask a Grafana whether it has what it should
description:
  - Asks for its health and version, whether strangers are turned away, whether each datasource answers through Grafana,
    and whether each dashboard is there, in its folder and in the way it should have come.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
  - gpufleet.serving.check
options:
  version:
    description: The version it must have. A suffix such as C(+security-01) is left out of account.
    type: str
  probes:
    description: Path by datasource uid; asked of the datasource through Grafana's proxy, it must answer with 200.
    type: dict
    default: {}
  provisioned:
    description: Uids of the dashboards that must have been provisioned.
    type: list
    elements: str
    default: []
  pushed:
    description: Uids of the dashboards that must be there without being provisioned.
    type: list
    elements: str
    default: []
  folder_uid:
    description: The folder of the dashboards.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Grafana reaches Prometheus and has its dashboards
  gpufleet.serving.grafana_check:
    url: http://127.0.0.1:3000
    url_username: admin
    url_password: "{{ grafana_admin_password }}"
    probes: {gpufleet-prometheus: "/api/v1/query?query=1"}
    provisioned: [gpufleet-vllm]
    folder_uid: gpufleet
"""

RETURN = r"""
passed:
  description: Whether all is as it should be.
  type: bool
  returned: always
problems:
  description: What was expected and what was found.
  type: list
  elements: str
  returned: always
"""

import re
from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.caller import Caller
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.errors import GrafanaError, RefusedError
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.objects import Server
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.servers import connect
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, check_spec, keep_trying

CHECK = "grafana"


def check(params: dict, check_mode: bool) -> Verdict:
    """One look at everything."""
    url, connection = params["url"], Connection.from_params(params)
    caller = Caller(connection, url)
    try:
        problems = health(caller, params["version"])
        problems += strangers(Caller(without_credentials(connection), url))
        problems += [said for uid, path in params["probes"].items() for said in datasource(caller, uid, path)]
        server = connect(caller)
        for uids, by_file in ((params["provisioned"], True), (params["pushed"], False)):
            problems += [said for uid in uids for said in dashboard(server, uid, params["folder_uid"], by_file)]
    except HttpError as error:
        return Verdict.from_error(CHECK, url, error, check_mode)
    except GrafanaError as error:
        return Verdict(CHECK, url, [str(error)], final=True)
    count = len(params["provisioned"]) + len(params["pushed"])
    return Verdict(CHECK, url, problems, detail=f"{len(params['probes'])} datasources answer, {count} dashboards")


def without_credentials(connection: Connection) -> Connection:
    """The same way to the server, as a stranger goes it."""
    kept = ("validate_certs", "ca_path", "client_cert", "client_key", "use_proxy", "timeout")
    return Connection(**{name: getattr(connection, name) for name in kept})


def health(caller: Caller, version: str | None) -> list:
    """Problems of the server itself."""
    try:
        found = caller.call("GET", "/api/health")
    except RefusedError as error:
        return [f"the server is not healthy: {error}"]
    problems = []
    if found.get("database") != "ok":
        problems.append(f"expected the database to be ok, found {found.get('database')!r}")
    runs = found.get("version")
    if version and runs and re.split(r"[+-]", runs)[0] != version:
        problems.append(f"expected version {version}, found {runs}")
    return problems


def strangers(caller: Caller) -> list:
    """Problems of the door."""
    try:
        caller.call("GET", "/api/org")
    except RefusedError as error:
        return [] if error.status == 401 else [f"expected strangers to get 401, found {error.status}: {error.said}"]
    return ["expected strangers to be turned away, but they can read; is auth.anonymous on?"]


def datasource(caller: Caller, uid: str, path: str) -> list:
    """Problems of a datasource, asked through Grafana as panels do."""
    try:
        caller.call("GET", f"/api/datasources/proxy/uid/{quote(uid, safe='')}{path}")
    except RefusedError as error:
        return [f"the datasource {uid} does not answer through Grafana: {error.status}, saying {error.said!r}"]
    return []


def dashboard(server: Server, uid: str, folder_uid: str, by_file: bool) -> list:
    """Problems of a dashboard."""
    found = server.dashboard(uid)
    if found is None:
        return [f"expected the dashboard {uid}, which is not there"]
    problems = []
    if found.folder_uid != folder_uid:
        problems.append(
            f"expected the dashboard {uid} in the folder {folder_uid or 'General'}, found it in "
            f"{found.folder_uid or 'General'}"
        )
    if bool(found.provisioned_by) != by_file:
        words = ("pushed", "provisioned")
        problems.append(f"expected the dashboard {uid} to be {words[by_file]}, found it {words[not by_file]}")
    return problems


def argument_spec() -> dict:
    """The options."""
    return {
        **connection_spec(),
        **check_spec(),
        "version": {"type": "str"},
        "probes": {"type": "dict", "default": {}},
        "provisioned": {"type": "list", "elements": "str", "default": []},
        "pushed": {"type": "list", "elements": "str", "default": []},
        "folder_uid": {"type": "str", "default": ""},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True, **CONNECTION_RULES)
    params = module.params
    verdict = keep_trying(lambda: check(params, module.check_mode), params["deadline"], params["interval"])
    module.exit_json(**verdict.as_result(params["on_problem"]))


if __name__ == "__main__":
    main()
