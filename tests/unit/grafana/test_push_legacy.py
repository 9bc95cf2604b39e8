"""Each request to a server with the legacy API: method, URL and body; answers are those of a real 7.5.5."""

from __future__ import annotations

import base64
import copy

import pytest
from recording import EXCHANGES, FLEET, NO_FOLDER, NOT_FOUND, VLLM, dashboard_answer, response

UID = "/api/dashboards/uid/vllm-overview"
SAVED = EXCHANGES["dashboard create in a folder (by id)"]["response"]["body"]


def body(model=VLLM, folder=("fleet", 1), overwrite=False, message="Pushed [gpufleet]", version=None):
    sent = {**model, **({"version": version} if version else {})}
    return {
        "dashboard": sent,
        "folderUid": folder[0],
        **({"folderId": folder[1]} if folder[1] is not None else {}),
        "overwrite": overwrite,
        "message": message,
    }


def changed(**keys):
    model = copy.deepcopy(VLLM)
    model["panels"][0].update(keys)
    return model


@pytest.fixture
def there(server):
    """The script up to the folder, and to the dashboard as it is there."""

    def script(existing=None, folder=FLEET):
        server.expect("GET", "/api/folders?limit=1", [])
        if folder is not None:
            found = folder is not NO_FOLDER
            server.expect("GET", "/api/folders/fleet", folder, 200 if found else 404)
        server.expect("GET", UID, existing or NOT_FOUND, 200 if existing else 404)

    return script


def test_creates_and_reads_back(server, push, there):
    there()
    server.expect("POST", "/api/dashboards/db", SAVED, body=body(message="first [gpufleet]"))
    server.expect("GET", UID, dashboard_answer(VLLM))
    said = push(VLLM, message="first")
    assert said["changed"] is True
    assert said["api"] == "legacy"
    assert said["dashboards"] == [
        {"uid": "vllm-overview", "title": "vLLM overview", "action": "create", "differences": []}
    ]
    assert said["diff"][0]["after"] == "title: vLLM overview\npanel 1 'Running' (timeseries)\n"
    login = base64.b64encode(b"admin:open sesame").decode()
    assert {headers["Authorization"] for headers in server.headers} == {f"Basic {login}"}


def test_a_token_and_an_organisation_are_sent(server, push, there):
    there(dashboard_answer(VLLM))
    push(VLLM, **{"url_username": None, "url_password": None, "token": "t0ken", "org_id": 3})
    assert {headers["Authorization"] for headers in server.headers} == {"Bearer t0ken"}
    assert {headers["X-Grafana-Org-Id"] for headers in server.headers} == {"3"}


def test_a_second_push_sends_nothing(push, there):
    there(dashboard_answer(VLLM, version=7))
    said = push(VLLM)
    assert said["changed"] is False
    assert said["dashboards"][0]["action"] == "unchanged"
    assert said["diff"] == []


def test_creates_the_folder_and_uses_its_id(server, push, there):
    there(folder=NO_FOLDER)
    server.expect("POST", "/api/folders", FLEET, body={"uid": "fleet", "title": "Fleet"})
    server.expect("POST", "/api/dashboards/db", SAVED, body=body())
    server.expect("GET", UID, dashboard_answer(VLLM))
    assert push(VLLM, folder_title="Fleet")["changed"] is True


def test_into_the_root(server, push, there):
    there(folder=None)
    server.expect("POST", "/api/dashboards/db", SAVED, body=body(folder=("", 0)))
    server.expect("GET", UID, dashboard_answer(VLLM, folderId=0, folderTitle="General", folderUrl=""))
    assert push(VLLM, folder_uid="")["changed"] is True


def test_a_later_server_without_folder_ids(server, push, there):
    there(folder={"uid": "fleet", "title": "Fleet"})
    server.expect("POST", "/api/dashboards/db", SAVED, body=body(folder=("fleet", None)))
    server.expect("GET", UID, dashboard_answer(VLLM, folderUid="fleet"))
    assert push(VLLM)["changed"] is True


def test_updates_what_a_push_saved_before(server, push, there):
    new = changed(title="Requests running")
    there(dashboard_answer(VLLM, version=3))
    server.expect("GET", f"{UID}/versions?limit=1", {"message": "Not found"}, 404)
    versions = [{"version": 3, "createdBy": "admin", "created": "now", "message": "v1 [gpufleet]"}]
    server.expect("GET", "/api/dashboards/id/2/versions?limit=1", versions)
    server.expect("POST", "/api/dashboards/db", SAVED, body=body(new, version=3))
    server.expect("GET", UID, dashboard_answer(new, version=4))
    said = push(new)
    assert said["dashboards"][0]["differences"] == ["panel 1 'Requests running': title"]
    line = "panel 1 'Requests running' > title: {}\n"
    assert line.format("Running") in said["diff"][0]["before"]
    assert line.format("Requests running") in said["diff"][0]["after"]


def test_the_first_version_is_nobody_s_change(server, push, there):
    new = changed(title="Requests running")
    there(dashboard_answer(VLLM))
    server.expect("POST", "/api/dashboards/db", SAVED, body=body(new, version=1))
    server.expect("GET", UID, dashboard_answer(new, version=2))
    assert push(new)["changed"] is True


def test_a_change_by_a_person_is_not_trampled(server, push, there):
    there(dashboard_answer(changed(title="Mine"), version=2))
    versions = {
        "versions": [{"version": 2, "createdBy": "alice", "created": "2026-11-25T01:00:00Z", "message": "mine now"}]
    }
    server.expect("GET", f"{UID}/versions?limit=1", versions)
    said = push(VLLM)
    assert said["failed"] is True
    assert said["msg"] == (
        "1.json ('vLLM overview', uid vllm-overview): version 2 on the server was saved by alice on "
        "2026-11-25T01:00:00Z with the message 'mine now', not by a push, and differs from the file in: "
        "panel 1 'Running': title. Take that change over into the file, or write `overwrite: true` to replace it"
    )


def test_overwrite_replaces_it(server, push, there):
    there(dashboard_answer(changed(title="Mine"), version=2))
    server.expect("POST", "/api/dashboards/db", SAVED, body=body(overwrite=True, version=2))
    server.expect("GET", UID, dashboard_answer(VLLM, version=3))
    assert push(VLLM, overwrite=True)["changed"] is True


def test_a_file_exported_from_the_newest_version_may_be_pushed(server, push, there):
    new = changed(title="Taken over")
    there(dashboard_answer(VLLM, version=2))
    server.expect("POST", "/api/dashboards/db", SAVED, body=body(new, version=2))
    server.expect("GET", UID, dashboard_answer(new, version=3))
    assert push({**new, "version": 2, "id": 77})["changed"] is True


def test_moves_a_dashboard_of_another_folder(server, push, there):
    there(dashboard_answer(VLLM, version=5, folderId=0, folderTitle="General", folderUrl=""))
    server.expect("POST", "/api/dashboards/db", SAVED, body=body(version=5))
    server.expect("GET", UID, dashboard_answer(VLLM, version=6))
    said = push(VLLM)
    assert said["dashboards"][0]["action"] == "move"
    assert (said["diff"][0]["before"], said["diff"][0]["after"]) == ("folder: General\n", "folder: fleet\n")


def test_notices_a_server_that_ignored_the_folder(server, push, there):
    there()
    server.expect("POST", "/api/dashboards/db", SAVED, body=body())
    elsewhere, _status = response("dashboard by uid, posted with folderUid only")
    server.expect("GET", UID, {**elsewhere, "dashboard": VLLM})
    said = push(VLLM)
    assert said["failed"] is True
    assert "put it into the folder General, not into fleet" in said["msg"]


def test_notices_a_server_that_saved_something_else(server, push, there):
    there()
    server.expect("POST", "/api/dashboards/db", SAVED, body=body())
    server.expect("GET", UID, dashboard_answer(changed(type="graph")))
    assert "has something else in: panel 1 'Running': type" in push(VLLM)["msg"]


def test_check_mode_only_reads(push, there):
    there(folder=NO_FOLDER)
    said = push(VLLM, check=True)
    assert said["changed"] is True
    assert [entry["after_header"] for entry in said["diff"]] == [
        "folder fleet",
        "dashboard vllm-overview (vLLM overview)",
    ]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("dashboard post, stale version", "; it was changed while this ran: see its version history, then run again"),
        (
            "dashboard post, other uid same title same folder, overwrite false",
            "; that other dashboard has another uid: give the file its uid, or another title",
        ),
        ("dashboard post, empty title", ""),
        ("dashboard post, no dashboard key", ""),
        ("dashboard post, not JSON", ""),
        ("dashboard post, unknown folder id", ""),
        ("dashboard post, uid over 40 characters", ""),
        ("dashboard post, uid with illegal characters", ""),
    ],
)
def test_a_refusal_is_told_in_the_server_s_words(server, push, there, name, advice):
    there()
    answer, status = response(name)
    server.expect("POST", "/api/dashboards/db", answer, status, body=body())
    said = push(VLLM)
    assert said["failed"] is True
    words = answer["message"] if isinstance(answer, dict) else answer[0]["message"]
    assert f"POST {server.url}/api/dashboards/db: Grafana answers {status}, saying " in said["msg"]
    assert words in said["msg"]
    assert advice in said["msg"]


@pytest.mark.parametrize(
    "name", ["any call without credentials", "any call with a wrong password", "any call with an invalid token"]
)
def test_refused_credentials(server, push, name):
    answer, status = response(name)
    server.expect("GET", "/api/folders?limit=1", answer, status)
    said = push(VLLM)
    assert answer["message"] in said["msg"]
    assert "check `url_username` and `url_password`, or `token`" in said["msg"]
    assert "open sesame" not in said["msg"]


@pytest.mark.parametrize("name", ["folder create, same uid", "folder create, same title"])
def test_a_folder_that_cannot_be_created(server, push, there, name):
    there(folder=NO_FOLDER)
    answer, status = response(name)
    server.expect("POST", "/api/folders", answer, status, body={"uid": "fleet", "title": "fleet"})
    said = push(VLLM)
    assert answer["message"] in said["msg"]
    assert said["done"] == []


def test_a_provisioned_dashboard_is_refused_before_anything_is_sent(push, there):
    there(dashboard_answer(VLLM, provisioned=True, provisionedExternalId="vllm.json"))
    said = push(VLLM)
    assert "is provisioned by vllm.json, so it cannot be saved over the API; choose one way" in said["msg"]


def test_prune_deletes_what_is_no_longer_in_the_set_and_nothing_else(server, push, there):
    there(dashboard_answer(VLLM))
    rows = [
        {"uid": uid, "folderUid": folder, "title": uid, "type": "dash-db"}
        for uid, folder in (("vllm-overview", "fleet"), ("old", "fleet"), ("files", "fleet"), ("other", "elsewhere"))
    ]
    server.expect("GET", "/api/search?type=dash-db&folderUIDs=fleet&limit=1000&folderIds=1&page=1", rows)
    old = {"uid": "old", "title": "Old", "panels": [{"id": 4, "title": "A", "type": "graph"}]}
    server.expect("GET", "/api/dashboards/uid/old", dashboard_answer(old))
    by_file = dashboard_answer({"uid": "files", "title": "Files"}, provisioned=True, provisionedExternalId="f.json")
    server.expect("GET", "/api/dashboards/uid/files", by_file)
    server.expect("DELETE", "/api/dashboards/uid/old", response("dashboard delete")[0])
    server.expect("GET", "/api/dashboards/uid/old", NOT_FOUND, 404)
    said = push(VLLM, prune=True)
    assert [(one["uid"], one["action"]) for one in said["dashboards"]] == [
        ("vllm-overview", "unchanged"),
        ("old", "delete"),
    ]
    assert said["kept"] == {"files": "provisioned by f.json"}
    assert said["diff"][0]["before"] == "title: Old\npanel 4 'A' (graph)\n"


def test_absent(server, run_module):
    server.expect("GET", "/api/folders?limit=1", [])
    server.expect("GET", UID, dashboard_answer(VLLM))
    server.expect("GET", "/api/dashboards/uid/gone", NOT_FOUND, 404)
    server.expect("DELETE", UID, response("dashboard delete")[0])
    server.expect("GET", UID, NOT_FOUND, 404)
    said = run_module(server.url, VLLM, uids=["gone"], state="absent")
    assert said["changed"] is True
    assert [(one["uid"], one["action"]) for one in said["dashboards"]] == [
        ("vllm-overview", "delete"),
        ("gone", "absent"),
    ]


def test_absent_refuses_provisioned_ones(server, run_module):
    server.expect("GET", "/api/folders?limit=1", [])
    server.expect("GET", UID, dashboard_answer(VLLM, provisioned=True))
    assert "cannot be deleted over the API" in run_module(server.url, VLLM, state="absent")["msg"]


def test_nested_folders(server, push):
    def folder(uid, parent=""):
        return {"uid": uid, "title": uid, **({"parentUid": parent} if parent else {})}

    server.expect("GET", "/api/folders?limit=1", [])
    server.expect("GET", "/api/folders/site", folder("site"))
    server.expect("GET", "/api/folders/rack", NO_FOLDER, 404)
    server.expect("GET", UID, NOT_FOUND, 404)
    wanted = {"uid": "rack", "title": "Rack", "parentUid": "site"}
    server.expect("POST", "/api/folders", folder("rack", "site"), body=wanted)
    wanted = {"uid": "fleet", "title": "fleet", "parentUid": "rack"}
    server.expect("POST", "/api/folders", folder("fleet", "rack"), body=wanted)
    server.expect("POST", "/api/dashboards/db", SAVED, body=body(folder=("fleet", None)))
    server.expect("GET", UID, dashboard_answer(VLLM, folderUid="fleet"))
    assert push(VLLM, folder_parents=[{"uid": "site"}, {"uid": "rack", "title": "Rack"}])["changed"] is True


def test_a_server_that_cannot_nest_is_left_as_it_was(server, push):
    server.expect("GET", "/api/folders?limit=1", [])
    server.expect("GET", "/api/folders/site", {"uid": "site", "title": "site", "id": 9})
    server.expect("GET", "/api/folders/fleet", NO_FOLDER, 404)
    server.expect("GET", UID, NOT_FOUND, 404)
    server.expect("POST", "/api/folders", FLEET, body={"uid": "fleet", "title": "fleet", "parentUid": "site"})
    server.expect("GET", "/api/folders/fleet", FLEET)
    server.expect("DELETE", "/api/folders/fleet", {"message": "Folder deleted"})
    assert "This Grafana does not nest folders" in push(VLLM, folder_parents=[{"uid": "site"}])["msg"]


def test_a_folder_that_lies_elsewhere_is_not_used(server, push):
    server.expect("GET", "/api/folders?limit=1", [])
    server.expect("GET", "/api/folders/site", {"uid": "site", "title": "site"})
    server.expect("GET", "/api/folders/fleet", {"uid": "fleet", "title": "fleet", "parentUid": "other"})
    assert "is there, but inside other, not inside site" in push(VLLM, folder_parents=[{"uid": "site"}])["msg"]


def test_datasources_by_name_become_uids(server, push, there):
    asked = changed(datasource={"type": "prometheus", "uid": "${DS_PROM}"})
    asked["templating"] = {"list": [{"name": "site", "datasource": "Prometheus"}]}
    asked["__inputs"] = [{"name": "DS_PROM", "type": "datasource", "pluginId": "prometheus"}]
    filled = changed(datasource={"type": "prometheus", "uid": "prometheus"})
    filled["templating"] = {"list": [{"name": "site", "datasource": "prometheus"}]}
    server.expect("GET", "/api/folders?limit=1", [])
    server.expect("GET", "/api/datasources", response("datasource list")[0])
    server.expect("GET", "/api/health", {"database": "ok", "version": "12.4.1"})
    server.expect("GET", "/api/folders/fleet", FLEET)
    server.expect("GET", UID, NOT_FOUND, 404)
    server.expect("POST", "/api/dashboards/db", SAVED, body=body(filled))
    server.expect("GET", UID, dashboard_answer(filled))
    assert push(asked)["changed"] is True


def test_before_grafana_8_panels_know_datasources_by_name(server, push):
    server.expect("GET", "/api/folders?limit=1", [])
    server.expect("GET", "/api/datasources", response("datasource list")[0])
    server.expect("GET", "/api/health", response("health without credentials")[0])
    server.expect("GET", "/api/folders/fleet", FLEET)
    server.expect("GET", UID, dashboard_answer(changed(datasource="Prometheus")))
    asked = changed(datasource="${DS_PROM}")
    asked["__inputs"] = [{"name": "DS_PROM", "type": "datasource", "pluginId": "prometheus"}]
    assert push(asked)["changed"] is False


def test_a_datasource_that_is_not_there(server, push):
    server.expect("GET", "/api/folders?limit=1", [])
    server.expect("GET", "/api/datasources", response("datasource list")[0])
    server.expect("GET", "/api/health", {})
    assert (
        "asks for the datasource 'Mimir', which the server does not have; it has 'Prometheus' (prometheus); "
        "write `datasources: {Mimir: NAME}`" in push(changed(datasource="Mimir"))["msg"]
    )
