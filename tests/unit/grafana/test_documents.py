"""What is read from files, and what is found before a server is asked."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.documents import read, read_set, stable_uid
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.errors import GrafanaError
from ansible_collections.gpufleet.serving.plugins.modules import grafana_dashboard as module
from ansible_collections.gpufleet.serving.plugins.plugin_utils.grafana.files import DashboardFileError, read_files

PLAIN = {"title": "A", "panels": []}


def file(name, model):
    return {"name": name, "content": model if isinstance(model, str) else json.dumps(model)}


@pytest.mark.parametrize(
    "wrapped",
    [
        {**PLAIN, "uid": "a", "id": 7, "version": 3, "iteration": 1, "__requires": []},
        {"meta": {"slug": "a"}, "dashboard": {**PLAIN, "uid": "a", "version": 3}},
        {
            "apiVersion": "dashboard.grafana.app/v1",
            "metadata": {"name": "a"},
            "spec": {**PLAIN, "version": 3},
        },
    ],
    ids=["export", "answer of the API", "resource"],
)
def test_all_forms_of_a_file(wrapped):
    found = read("a.json", json.dumps(wrapped), "")
    assert found.model == {**PLAIN, "uid": "a"}
    assert (found.uid, found.title, found.based_on) == ("a", "A", 3)


def test_a_uid_is_the_same_each_time_and_fits():
    assert stable_uid("fleet", "x/node exporter.json") == stable_uid("fleet", "node exporter.json")
    assert stable_uid("fleet", "node.json") != stable_uid("other", "node.json")
    for name in ("Überblick (GPU).json", "é.json", "a" * 300 + ".json"):
        assert read(name, json.dumps(PLAIN), "fleet").uid == stable_uid("fleet", name)
        assert 12 <= len(stable_uid("fleet", name)) <= 40
    # Pinned: another value would make a second dashboard of each on every server.
    assert stable_uid("fleet", "node.json") == "node-4caa129ef221"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "x.json: is not JSON: "),
        ('{"title": NaN}', "NaN is no JSON"),
        ([], "x.json: expected a dashboard, found list"),
        ({"panels": []}, "x.json: has no `title`"),
        ({"title": "  "}, "x.json: has no `title`"),
        ({"title": "A", "uid": "a b/c"}, "uid 'a b/c' is none"),
        ({"title": "A", "uid": "z" * 41}, "up to 40 letters"),
        ({"title": "A", "elements": {}, "layout": {}}, "schema v2"),
        ({"title": "A", "__elements": {"lib": {}}}, "unlink them"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "spec": {}}, "is a resource of v1, not a dashboard"),
    ],
)
def test_what_is_refused(content, said):
    with pytest.raises(GrafanaError) as error:
        read_set([file("x.json", content)], "")
    assert said in str(error.value)


def test_clashes_and_all_other_faults_are_told_at_once():
    files = [
        file("a.json", {"title": "A", "uid": "one"}),
        file("b.json", {"title": "B", "uid": "one"}),
        file("c.json", {"title": "B"}),
        file("d.json", "nonsense"),
    ]
    with pytest.raises(GrafanaError) as error:
        read_set(files, "fleet")
    lines = str(error.value).splitlines()
    assert lines[0] == "Nothing was sent:"
    assert [line[:12] for line in lines[1:]] == ["- d.json: is", "- a.json and", "- b.json and"]
    assert "have the same uid 'one'" in lines[2]
    assert "have the same title 'B'" in lines[3]


def test_a_clash_is_found_before_the_server_is_asked(server, push):
    assert "have the same title" in push(PLAIN, PLAIN)["msg"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prune": True, "folder_uid": ""}, "prune: needs `folder_uid`"),
        ({"folder_uid": "", "folder_parents": [{"uid": "a"}]}, "folder_parents: needs `folder_uid`"),
        ({"uids": ["a"]}, "only goes with `state: absent`"),
    ],
)
def test_options_that_contradict(server, push, options, said):
    assert said in push(PLAIN, **options)["msg"]


def test_nothing_to_push_is_a_mistake(server, push):
    assert "name at least one dashboard" in push()["msg"]
    assert "say which dashboards" in push(state="absent")["msg"]


def test_documentation_and_argument_spec_agree():
    from ansible_collections.gpufleet.serving.plugins.doc_fragments.http import ModuleDocFragment

    documented = {
        **yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"],
        **yaml.safe_load(module.DOCUMENTATION)["options"],
    }

    def without(what, *keys):
        return {key: value for key, value in what.items() if key not in keys}

    spec = module.argument_spec()
    assert set(documented) == set(spec)
    for name, option in spec.items():
        said = without(documented[name], "description", "suboptions")
        assert said == without(option, "no_log", "options"), name
        inner = documented[name].get("suboptions", {})
        assert {key: without(value, "description") for key, value in inner.items()} == option.get("options", {}), name


def test_a_folder_is_all_its_files_in_order(tmp_path):
    for name in ("b.json", "a.json", "notes.txt"):
        (tmp_path / name).write_text(f'"{name}"', encoding="utf-8")
    assert [one["name"] for one in read_files([tmp_path, tmp_path / "b.json"])] == ["a.json", "b.json", "b.json"]


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DashboardFileError, match=r"has no \*\.json"):
        read_files([tmp_path])
    (tmp_path / "latin.json").write_bytes(b'{"title": "\xfc"}')
    with pytest.raises(DashboardFileError, match=r"latin\.json"):
        read_files([tmp_path])
