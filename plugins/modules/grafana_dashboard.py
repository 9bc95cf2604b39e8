#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: grafana_dashboard
short_description: Push dashboards to a Grafana, one file or a whole folder in one call
description:
  - Sends the dashboards that differ from what the server has, reads back what it saved, and fails if folder or content
    are not what was asked for. A second run sends nothing.
  - Speaks the legacy API of Grafana 7.5 and later, and the API C(/apis) where a server no longer has the legacy one.
  - The whole set is checked before anything is sent - JSON, titles, uids and clashes between files, datasources,
    provisioned dashboards and changes that people made in Grafana.
  - A dashboard without uid gets one from its file name and O(folder_uid), always the same.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
options:
  src:
    description:
      - Files with one dashboard each, or folders of which every C(*.json) is one. On the controller, found as by
        M(ansible.builtin.copy).
      - Classic dashboard JSON, as an export, an answer of the API or a resource of C(dashboard.grafana.app) before v2.
    type: list
    elements: path
  dashboards:
    description: Dashboards that are no files. Beside, or instead of, O(src).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What messages call it; a dashboard without uid gets one from it.
        type: str
        required: true
      content:
        description: The JSON text.
        type: str
        required: true
  uids:
    description: With O(state=absent), uids of dashboards to delete, beside those of O(src) and O(dashboards).
    type: list
    elements: str
    default: []
  state:
    description: Whether the dashboards are there. V(absent) deletes them and leaves folders alone.
    type: str
    choices: [present, absent]
    default: present
  folder_uid:
    description: The folder they belong into; created when absent. Without it they go to the root, C(General).
    type: str
    default: ""
  folder_title:
    description: Title of the folder if it is created. Default is the uid.
    type: str
  folder_parents:
    description: The folders around it, from the outermost; created when absent. Grafana nests folders from 11 on.
    type: list
    elements: dict
    default: []
    suboptions:
      uid:
        description: Uid of the folder.
        type: str
        required: true
      title:
        description: Title if it is created. Default is the uid.
        type: str
  datasources:
    description:
      - Which of the server's datasources, by name or uid, stands for an input C(DS_...) of an export or for a name in
        the dashboards. Values of other inputs can be given too.
      - An input that is not named takes the one of its type that is the only one, the default, or of the same name.
    type: dict
    default: {}
  overwrite:
    description:
      - Whether a dashboard that a person has changed in Grafana since the last push is replaced. Else that is an
        error which says who changed what.
    type: bool
    default: false
  prune:
    description:
      - Whether dashboards in the folder that are not in the set are deleted. Never those of other folders, nor
        provisioned ones. Takes O(folder_uid).
    type: bool
    default: false
  message:
    description: What the version history says. C([gpufleet]) is put behind it, by which a push knows its own work.
    type: str
    default: Pushed
  org_id:
    description: Organisation to work in. Default is the account's own.
    type: int
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
notes:
  - Listing datasources, which inputs and fixed names take, needs the role Admin; all else needs Editor.
  - Dashboards that Grafana provisions from files cannot be saved. Choose one way for each.
"""

EXAMPLES = r"""
- name: Push all dashboards of a folder
  gpufleet.serving.grafana_dashboard:
    url: http://127.0.0.1:3000
    url_username: admin
    url_password: "{{ grafana_admin_password }}"
    src: [files/dashboards]
    folder_uid: fleet
    folder_title: Fleet
    prune: true

- name: Push an export whose input is a certain datasource
  gpufleet.serving.grafana_dashboard:
    url: https://grafana.example.com/grafana
    token: "{{ grafana_token }}"
    src: [exports/node.json]
    folder_uid: hosts
    folder_parents: [{uid: fleet, title: Fleet}]
    datasources: {DS_PROMETHEUS: gpufleet-prometheus}
    message: "{{ release }}"
"""

RETURN = r"""
dashboards:
  description: What became, or in check mode would become, of each dashboard of the set and of each that was pruned.
  type: list
  elements: dict
  returned: always
  sample: [{uid: gpufleet-vllm, title: vLLM, action: update, differences: ["panel 3 'Latency': targets A expr"]}]
kept:
  description: Dashboards that O(prune) left where they are, by uid, with the reason.
  type: dict
  returned: success
api:
  description: Which API the server was spoken to, V(legacy) or V(apis).
  type: str
  returned: success
done:
  description: What had been done until a failure.
  type: list
  elements: str
  returned: failure
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.caller import Caller
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.datasources import needs_server
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.documents import read_set
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.errors import GrafanaError
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.plan import (
    FolderWish,
    Plan,
    absent,
    filled_in,
    present,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.push import carry_out, diff
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.servers import connect, resolver
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError


def argument_spec() -> dict:
    """The options; those of a folder are shared."""
    folder = {"uid": {"type": "str", "required": True}, "title": {"type": "str"}}
    document = {"name": {"type": "str", "required": True}, "content": {"type": "str", "required": True}}
    return {
        **connection_spec(),
        "src": {"type": "list", "elements": "path"},
        "dashboards": {"type": "list", "elements": "dict", "default": [], "options": document},
        "uids": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "folder_uid": {"type": "str", "default": ""},
        "folder_title": {"type": "str"},
        "folder_parents": {"type": "list", "elements": "dict", "default": [], "options": folder},
        "datasources": {"type": "dict", "default": {}},
        "overwrite": {"type": "bool", "default": False},
        "prune": {"type": "bool", "default": False},
        "message": {"type": "str", "default": "Pushed"},
        "org_id": {"type": "int"},
    }


def contradiction(params: dict) -> str:
    """What in the options cannot be meant; empty if nothing."""
    here = params["state"] == "present"
    if here and not params["dashboards"]:
        return "src, dashboards: name at least one dashboard"
    if not here and not (params["dashboards"] or params["uids"]):
        return "src, dashboards, uids: say which dashboards shall be absent"
    if here and params["uids"]:
        return "uids: only goes with `state: absent`"
    if params["prune"] and not (here and params["folder_uid"]):
        return "prune: needs `folder_uid` and `state: present`; the root is never pruned, it belongs to everybody"
    if params["folder_parents"] and not params["folder_uid"]:
        return "folder_parents: needs `folder_uid`"
    return ""


def make_plan(caller: Caller, params: dict) -> tuple:
    """The server and the plan; nothing is changed."""
    dashboards = read_set(params["dashboards"], params["folder_uid"])
    server = connect(caller, params["org_id"])
    if params["state"] == "absent":
        uids = [one.uid for one in dashboards] + params["uids"]
        return server, absent(server, list(dict.fromkeys(uids)))
    if any(needs_server(one) for one in dashboards):
        dashboards = filled_in(dashboards, resolver(caller, params["datasources"]).fill_in)
    folders = [FolderWish(one["uid"], one["title"] or one["uid"]) for one in params["folder_parents"]]
    if params["folder_uid"]:
        folders.append(FolderWish(params["folder_uid"], params["folder_title"] or params["folder_uid"]))
    return server, present(server, folders, dashboards, params["overwrite"], params["prune"])


def report(plan: Plan) -> list:
    """The plan's steps as the module returns them."""
    return [
        {"uid": step.uid, "title": step.title, "action": step.action, "differences": list(step.differences)}
        for step in plan.steps
    ]


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True, **CONNECTION_RULES)
    params = module.params
    problem = contradiction(params)
    if problem:
        module.fail_json(msg=problem)
    caller = Caller(Connection.from_params(params), params["url"], params["org_id"])
    done: list = []
    steps: list = []
    try:
        server, plan = make_plan(caller, params)
        steps = report(plan)
        if not module.check_mode:
            carry_out(server, plan, params["overwrite"], params["message"], done.append)
    except (GrafanaError, HttpError) as error:
        module.fail_json(msg=str(error), dashboards=steps, done=done, changed=bool(done))
    module.exit_json(
        changed=plan.changes,
        dashboards=steps,
        kept=dict(plan.kept),
        api=server.api,
        diff=diff(plan),
        msg=_summary(plan),
    )


def _summary(plan: Plan) -> str:
    counts: dict = {}
    for step in plan.steps:
        counts[step.action] = counts.get(step.action, 0) + 1
    return ", ".join(f"{action}: {count}" for action, count in counts.items()) or "nothing to do"


if __name__ == "__main__":
    main()
