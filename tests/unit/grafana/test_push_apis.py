"""Each request to a server that has no legacy API any more: method, URL and body, as Grafana documents /apis."""

from __future__ import annotations

import copy
from urllib.parse import quote

import pytest
from recording import VLLM, resource

BASE = "/apis/dashboard.grafana.app/v1/namespaces/default/dashboards"
FOLDERS = "/apis/folder.grafana.app/v1/namespaces/default/folders"
UID = f"{BASE}/vllm-overview"
GONE = {"message": "Not found"}
FOLDER = {"metadata": {"name": "fleet", "annotations": {}}, "spec": {"title": "Fleet"}}
NEW = {**VLLM, "title": "vLLM"}


def group(*versions):
    return {"kind": "APIGroup", "versions": [{"version": version} for version in versions]}


def failure(code, message):
    return {"kind": "Status", "status": "Failure", "message": message, "code": code}


def sent(model=VLLM, message="Pushed [gpufleet]", version=None):
    metadata = {"name": "vllm-overview", "annotations": {"grafana.app/folder": "fleet"}}
    if message:
        metadata["annotations"]["grafana.app/message"] = message
    if version:
        metadata["resourceVersion"] = version
    return {
        "apiVersion": "dashboard.grafana.app/v1",
        "kind": "Dashboard",
        "metadata": metadata,
        "spec": {key: value for key, value in model.items() if key != "uid"},
    }


def history(uid="vllm-overview"):
    selector = f"labelSelector={quote('grafana.app/get-history=true', safe='')}"
    return f"{BASE}?{selector}&fieldSelector={quote(f'metadata.name={uid}', safe='')}&limit=1"


@pytest.fixture
def found_out(server):
    server.expect("GET", "/api/folders?limit=1", GONE, 404)
    server.expect("GET", "/apis/dashboard.grafana.app", group("v2", "v1", "v1beta1", "v0alpha1"))
    server.expect("GET", "/apis/folder.grafana.app", group("v1", "v1beta1"))
    return server


@pytest.fixture
def there(found_out):
    def script(existing=None):
        found_out.expect("GET", f"{FOLDERS}/fleet", FOLDER)
        found_out.expect("GET", UID, existing or failure(404, "not found"), 200 if existing else 404)

    return script


def test_creates_folder_and_dashboard(found_out, push):
    server = found_out
    server.expect("GET", f"{FOLDERS}/fleet", failure(404, "not found"), 404)
    server.expect("GET", UID, failure(404, "not found"), 404)
    wanted = {
        "apiVersion": "folder.grafana.app/v1",
        "kind": "Folder",
        "metadata": {"name": "fleet", "annotations": {}},
        "spec": {"title": "Fleet"},
    }
    server.expect("POST", FOLDERS, FOLDER, 201, body=wanted)
    server.expect("POST", f"{BASE}?fieldValidation=Ignore", resource(VLLM), 201, body=sent())
    server.expect("GET", UID, resource(VLLM))
    said = push(VLLM, folder_title="Fleet")
    assert (said["changed"], said["api"]) == (True, "apis")


def test_a_second_push_sends_nothing(there, push):
    there(resource(VLLM))
    assert push(VLLM)["changed"] is False


def test_an_update_quotes_the_version_it_knows(server, there, push):
    there(resource(VLLM, generation=2))
    ours = {"items": [resource(VLLM, **{"grafana.app/message": "v1 [gpufleet]"})], "metadata": {}}
    server.expect("GET", history(), ours)
    server.expect("PUT", f"{UID}?fieldValidation=Ignore", resource(NEW), body=sent(NEW, version="1001"))
    server.expect("GET", UID, resource(NEW, version="1002"))
    assert push(NEW)["dashboards"][0]["differences"] == ["title"]


def test_a_conflict_is_reported(server, there, push):
    there(resource(VLLM, generation=2))
    server.expect("GET", history(), failure(400, "history is not supported"), 400)
    conflict = failure(409, "the object has been modified; please apply your changes to the latest version")
    server.expect("PUT", f"{UID}?fieldValidation=Ignore", conflict, 409, body=sent(NEW, version="1001"))
    said = push(NEW)
    assert "Grafana answers 409, saying 'the object has been modified" in said["msg"]
    assert "or write `overwrite: true`" in said["msg"]


def test_a_change_by_a_person_is_not_trampled(server, there, push):
    there(resource(NEW, generation=4))
    notes = {"grafana.app/updatedBy": "user:u7", "grafana.app/updatedTimestamp": "2026-11-25T02:00:00Z"}
    server.expect("GET", history(), {"items": [resource(NEW, **notes)], "metadata": {}})
    said = push(VLLM)
    assert "version 4 on the server was saved by user:u7 on 2026-11-25T02:00:00Z, not by a push" in said["msg"]


def test_overwrite_quotes_no_version(server, there, push):
    there(resource(NEW))
    server.expect("PUT", f"{UID}?fieldValidation=Ignore", resource(VLLM), body=sent())
    server.expect("GET", UID, resource(VLLM))
    assert push(VLLM, overwrite=True)["changed"] is True


def test_what_the_server_migrates_is_no_difference(server, there, push):
    migrated = copy.deepcopy(VLLM)
    migrated["schemaVersion"] = 42
    migrated["panels"][0]["fieldConfig"] = {"defaults": {}, "overrides": []}
    there(resource(migrated))
    dry = f"{UID}?dryRun=All&fieldValidation=Ignore"
    server.expect("PUT", dry, resource(migrated), body=sent(message=""))
    assert push(VLLM)["changed"] is False


def test_provisioned(there, push):
    notes = {"grafana.app/managedBy": "classic-file-provisioning", "grafana.app/sourcePath": "vllm.json"}
    there(resource(VLLM, **notes))
    assert "is provisioned by vllm.json" in push(VLLM)["msg"]


def test_prune(server, there, push):
    there(resource(VLLM))
    old, other = {"uid": "old", "title": "Old"}, {"uid": "other", "title": "Other"}
    page = {"items": [resource(VLLM), resource(other, folder="")], "metadata": {"continue": "more"}}
    server.expect("GET", f"{BASE}?limit=500", page)
    server.expect("GET", f"{BASE}?limit=500&continue=more", {"items": [resource(old)], "metadata": {}})
    server.expect("GET", f"{BASE}/old", resource(old))
    server.expect("DELETE", f"{BASE}/old", {"kind": "Status", "status": "Success"})
    server.expect("GET", f"{BASE}/old", failure(404, "not found"), 404)
    assert [one["uid"] for one in push(VLLM, prune=True)["dashboards"]] == ["vllm-overview", "old"]


def test_the_namespace_of_another_organisation(server, found_out, push):
    elsewhere = {"dashboard": BASE.replace("default", "org-2"), "folder": FOLDERS.replace("default", "org-2")}
    server.expect("GET", f"{elsewhere['folder']}/fleet", FOLDER)
    server.expect("GET", f"{elsewhere['dashboard']}/vllm-overview", resource(VLLM))
    assert push(VLLM, org_id=2)["changed"] is False


def test_only_versions_of_the_classic_schema_are_spoken(server, push):
    server.expect("GET", "/api/folders?limit=1", GONE, 404)
    server.expect("GET", "/apis/dashboard.grafana.app", group("v3", "v2"))
    assert "has the versions v3, v2; known here are v1, v1beta1, v0alpha1" in push(VLLM)["msg"]


def test_no_grafana_at_all(server, push):
    server.expect("GET", "/api/folders?limit=1", GONE, 404)
    server.expect("GET", "/apis/dashboard.grafana.app", GONE, 404)
    assert "is the URL that of a Grafana" in push(VLLM)["msg"]
