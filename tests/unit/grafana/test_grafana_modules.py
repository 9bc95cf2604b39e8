"""The modules that look at a Grafana and set its password, against the lab's."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.gpufleet.serving.plugins.doc_fragments import check, http
from ansible_collections.gpufleet.serving.plugins.modules import grafana_admin_password, grafana_check
from standin import PASSWORD, StandIn


@pytest.fixture
def grafana(tmp_path):
    running = StandIn(tmp_path, "13.2.3")
    yield running
    running.close()


@pytest.fixture
def backend():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/api/v1/query?query=1" else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"path": self.path, "login": self.headers.get("Authorization")}).encode())

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run(module, capsys, url, check_mode=False, **options):
    arguments = {"url": url, "url_username": "admin", "url_password": PASSWORD, "_ansible_check_mode": check_mode}
    with patch_module_args({**arguments, **options}), pytest.raises(SystemExit):
        module.main()
    return json.loads(capsys.readouterr().out)


def look(capsys, grafana, **options):
    return run(grafana_check, capsys, grafana.url, on_problem="report", **options)


def test_all_is_well(grafana, backend, capsys):
    grafana.application.sources.create({"name": "P", "uid": "p", "type": "prometheus", "url": backend})
    folder = grafana.application.library.create_folder("fleet", "Fleet", "", "x")
    for uid in ("a", "b"):
        row = grafana.application.library.save({"uid": uid, "title": uid}, folder, False, "x", "")
        if uid == "a":
            grafana.application.library.mark_provisioned(row, "gpufleet", "a.json", "x", False)
    said = look(
        capsys,
        grafana,
        version="13.2.3",
        probes={"p": "/api/v1/query?query=1"},
        provisioned=["a"],
        pushed=["b"],
        folder_uid="fleet",
    )
    assert (said["passed"], said["problems"]) == (True, [])
    assert said["detail"] == "1 datasources answer, 2 dashboards"
    said = look(capsys, grafana, provisioned=["b"], pushed=["a", "c"], folder_uid="")
    assert said["problems"] == [
        "expected the dashboard b in the folder General, found it in fleet",
        "expected the dashboard b to be provisioned, found it pushed",
        "expected the dashboard a in the folder General, found it in fleet",
        "expected the dashboard a to be pushed, found it provisioned",
        "expected the dashboard c, which is not there",
    ]


def test_a_datasource_that_does_not_answer(grafana, backend, capsys):
    grafana.application.sources.create({"name": "P", "uid": "p", "type": "prometheus", "url": "http://127.0.0.1:1"})
    (problem,) = look(capsys, grafana, probes={"p": "/"})["problems"]
    assert problem.startswith("the datasource p does not answer through Grafana: 502, saying 'Bad Gateway")
    (problem,) = look(capsys, grafana, probes={"q": "/"})["problems"]
    assert problem == "the datasource q does not answer through Grafana: 404, saying 'Data source not found'"


def test_wrong_version_and_open_door(tmp_path, capsys):
    running = StandIn(tmp_path, "13.2.2", "[auth.anonymous]\nenabled = true\n")
    said = look(capsys, running, version="13.2.3")
    running.close()
    assert said["problems"] == [
        "expected version 13.2.3, found 13.2.2",
        "expected strangers to be turned away, but they can read; is auth.anonymous on?",
    ]


def test_nothing_listens(capsys):
    assert "connection refused" in run(grafana_check, capsys, "http://127.0.0.1:1")["msg"]
    assert run(grafana_check, capsys, "http://127.0.0.1:1", check_mode=True)["checked"] is False
    said = run(grafana_admin_password, capsys, "http://127.0.0.1:1", check_mode=True)
    assert (said["changed"], said["checked"]) == (False, False)


def test_the_password_is_left_alone_where_it_is_right(grafana, capsys):
    said = run(grafana_admin_password, capsys, grafana.url)
    assert (said["changed"], said["checked"]) == (False, True)


def test_the_password_is_set_over_the_standard_input(grafana, capsys, monkeypatch):
    seen = []

    def run_command(_self, argv, data):
        seen.append(argv)
        assert "a new secret" not in " ".join(argv)
        grafana.database.set_password(1, data)
        return 0, "Admin password changed successfully", ""

    monkeypatch.setattr(grafana_admin_password.AnsibleModule, "run_command", run_command)
    said = run(grafana_admin_password, capsys, grafana.url, check_mode=True, url_password="a new secret")  # noqa: S106
    assert (said["changed"], seen) == (True, [])
    said = run(grafana_admin_password, capsys, grafana.url, url_password="a new secret")  # noqa: S106
    assert said["changed"] is True
    program = ["/usr/share/grafana/bin/grafana", "cli", "--homepath", "/usr/share/grafana"]
    program += ["--config", "/etc/grafana/grafana.ini", "admin", "reset-admin-password", "--password-from-stdin"]
    assert seen == [["runuser", "-u", "grafana", "--", *program]]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ((1, "", "Error: no such user; a new secret"), "did not take the new password: Error: no such user; ********"),
        ((0, "", ""), "still refuses the login 'admin'"),
    ],
)
def test_a_password_that_is_not_taken(grafana, capsys, monkeypatch, result, said):
    monkeypatch.setattr(grafana_admin_password.AnsibleModule, "run_command", lambda _self, _argv, data: result)
    found = run(grafana_admin_password, capsys, grafana.url, url_password="a new secret")  # noqa: S106
    assert found["failed"] is True
    assert said in found["msg"]


@pytest.mark.parametrize("module", [grafana_check, grafana_admin_password])
def test_documentation_and_argument_spec_agree(module):
    own = yaml.safe_load(module.DOCUMENTATION)
    documented = yaml.safe_load(http.ModuleDocFragment.DOCUMENTATION)["options"]
    if "gpufleet.serving.check" in own["extends_documentation_fragment"]:
        documented.update(yaml.safe_load(check.ModuleDocFragment.DOCUMENTATION)["options"])
    documented.update(own["options"])
    spec = module.argument_spec()
    assert set(documented) == set(spec)
    for name, option in spec.items():
        said = {key: value for key, value in documented[name].items() if key != "description"}
        assert said == {key: value for key, value in option.items() if key != "no_log"}, name
