"""The module against the lab's Grafana, as each kind of server: 7.5, today's, and one without the legacy API."""

from __future__ import annotations

import copy
import json

import pytest
from recording import VLLM
from standin import PASSWORD, StandIn

NODE = {"uid": "node", "title": "Node", "schemaVersion": 27, "panels": [{"id": 1, "type": "stat", "title": "Up"}]}


@pytest.fixture(params=["7.5.5", "12.4.1", "after legacy"])
def kind(request):
    return request.param


@pytest.fixture
def grafana(kind, tmp_path):
    after = kind == "after legacy"
    running = StandIn(tmp_path, "14.0.0" if after else kind, legacy=not after)
    yield running
    running.close()


@pytest.fixture
def push(grafana, run_module):
    def run(*models, **options):
        return run_module(
            grafana.url,
            *models,
            **{"folder_uid": "fleet", "folder_title": "Fleet", "url_password": PASSWORD, **options},
        )

    return run


def actions(said):
    assert "failed" not in said, said["msg"]
    return {one["uid"]: one["action"] for one in said["dashboards"]}


def retitled(model, title="Other"):
    changed = copy.deepcopy(model)
    changed["panels"][0]["title"] = title
    return changed


def edit_by_hand(grafana, model):
    """Saves as Grafana's own pages do."""
    row = grafana.application.library.get(model["uid"])
    folder = grafana.application.library.get("fleet", folder=True)
    grafana.application.library.save({**model, "version": row["version"]}, folder, False, "alice", "mine")


def test_a_life(push, grafana, kind):
    first = push(VLLM, NODE, message="v1")
    assert actions(first) == {"vllm-overview": "create", "node": "create"}
    assert first["api"] == ("apis" if kind == "after legacy" else "legacy")
    assert push(VLLM, NODE)["changed"] is False
    assert push(VLLM, NODE, check=True)["changed"] is False
    new = retitled(VLLM)
    assert push(new, NODE, check=True)["changed"] is True
    assert actions(push(new, NODE)) == {"vllm-overview": "update", "node": "unchanged"}
    assert push(new, NODE)["changed"] is False
    assert actions(push(retitled(VLLM, "Again"), NODE)) == {"vllm-overview": "update", "node": "unchanged"}
    assert actions(push(new, NODE, folder_uid="")) == {"vllm-overview": "update", "node": "move"}
    assert actions(push(new, prune=True)) == {"vllm-overview": "move"}
    assert grafana.application.library.get("node") is not None
    assert actions(push(NODE)) == {"node": "move"}
    assert actions(push(new, prune=True)) == {"vllm-overview": "unchanged", "node": "delete"}
    assert grafana.application.library.get("node") is None
    assert actions(push(new, state="absent", uids=["node"])) == {"vllm-overview": "delete", "node": "absent"}
    assert push(new, state="absent")["changed"] is False


def test_message_is_in_the_history(push, grafana):
    push(VLLM)
    push(retitled(VLLM), message="release 7")
    library = grafana.application.library
    assert library.versions(library.get("vllm-overview"))[0]["message"] == "release 7 [gpufleet]"


def test_a_change_by_hand_is_kept_unless_overwritten(push, grafana):
    push(VLLM)
    edit_by_hand(grafana, retitled(VLLM, "By hand"))
    said = push(VLLM)
    assert said["failed"] is True
    assert "was saved by alice" in said["msg"]
    assert "panel 1 'Running'" in said["msg"]
    assert actions(push(VLLM, overwrite=True)) == {"vllm-overview": "update"}
    assert push(VLLM)["changed"] is False


def test_a_provisioned_dashboard_is_neither_saved_nor_pruned_nor_deleted(push, grafana):
    push(VLLM, NODE)
    library = grafana.application.library
    library.mark_provisioned(library.get("node"), "files", "node.json", "x", False)
    assert "is provisioned by node.json" in push(VLLM, NODE)["msg"]
    assert push(VLLM, prune=True)["kept"] == {"node": "provisioned by node.json"}
    assert "cannot be deleted" in push(NODE, state="absent")["msg"]
    assert library.get("node") is not None


def test_nested_folders(push, grafana, kind):
    said = push(VLLM, folder_uid="rack", folder_title="Rack", folder_parents=[{"uid": "fleet", "title": "Fleet"}])
    library = grafana.application.library
    if kind == "7.5.5":
        assert "does not nest folders" in said["msg"]
        assert library.get("rack", folder=True) is None
        return
    assert actions(said) == {"vllm-overview": "create"}
    rack = library.get("rack", folder=True)
    assert library.by_id(rack["folder_id"], folder=True)["uid"] == "fleet"
    again = push(VLLM, folder_uid="rack", folder_parents=[{"uid": "fleet"}])
    assert again["changed"] is False


def test_inputs_are_filled_in(push, grafana, kind):
    grafana.application.sources.create({"name": "Metrics", "uid": "m1", "type": "prometheus", "url": "http://x"})
    model = copy.deepcopy(VLLM)
    model["__inputs"] = [{"name": "DS_PROM", "type": "datasource", "pluginId": "prometheus"}]
    model["panels"][0]["datasource"] = "${DS_PROM}"
    assert actions(push(model)) == {"vllm-overview": "create"}
    saved = json.loads(grafana.application.library.get("vllm-overview")["data"])
    assert saved["panels"][0]["datasource"] == ("Metrics" if kind == "7.5.5" else "m1")
    assert push(model)["changed"] is False
