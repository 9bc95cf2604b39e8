"""What the components bring, and the provisioning files made of it, read by the lab's Grafana."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.errors import GrafanaError
from ansible_collections.gpufleet.serving.plugins.plugin_utils.grafana import gather
from ansible_collections.gpufleet.serving.plugins.plugin_utils.preflight import grafana as preflight

from lab.standins.grafana import provisioning
from lab.standins.grafana.database import Database
from lab.standins.grafana.sources import Sources

PROMETHEUS = {"type": "prometheus", "name": "Prometheus", "url": "http://a:9090", "default": True, "probe": "/x"}
ALERTS = {"type": "alertmanager", "name": "Alertmanager", "url": "http://b:9093"}
VALUES = {
    "grafana_state": "present",
    "grafana_admin_password": "correct horse",
    "grafana_port": 3000,
    "grafana_root_url": "",
    "grafana_tls_cert": "",
    "grafana_tls_key": "",
    "grafana_folder_uid": "gpufleet",
    "grafana_secrets": {},
    "grafana_config": {},
}


def offers():
    return [
        gather.Offer("prometheus", "mon1", PROMETHEUS),
        gather.Offer("prometheus", "mon2", {**PROMETHEUS, "url": "http://c:9090"}),
        gather.Offer("alertmanager", "mon1", {**ALERTS, "username": "u", "password": "p$1"}),
    ]


def test_uids_are_fixed():
    found = gather.datasources(offers(), {"gpufleet-prometheus": {"jsonData": {"timeInterval": "30s"}}})
    assert [(one["uid"], one["name"], one["isDefault"]) for one in found] == [
        ("gpufleet-prometheus", "Prometheus", True),
        ("gpufleet-prometheus-mon2", "Prometheus (mon2)", False),
        ("gpufleet-alertmanager", "Alertmanager", False),
    ]
    assert found[0]["jsonData"] == {"timeInterval": "30s"}
    assert found[2]["secureJsonData"] == {"basicAuthPassword": "p$1"}


def test_a_uid_that_is_not_there():
    with pytest.raises(GrafanaError, match="no datasource has the uid 'prometheus'; there are gpufleet-prometheus"):
        gather.datasources(offers()[:1], {"prometheus": {}})
    with pytest.raises(GrafanaError, match="unknown key urls"):
        gather.datasources([gather.Offer("x", "h", {**ALERTS, "urls": []})], {})


def test_the_files_are_the_same_each_time_and_mean_what_was_said(tmp_path):
    entries = gather.datasources(offers(), {})
    assert gather.datasource_file(entries) == gather.datasource_file(gather.datasources(offers(), {}))
    folder = tmp_path / "datasources"
    folder.mkdir()
    (folder / "gpufleet.yaml").write_text(gather.datasource_file(entries))
    sources = Sources(Database(tmp_path / "grafana.db"))
    provisioning.datasources(tmp_path, sources)
    assert {row["uid"]: row["url"] for row in sources.all()} == {
        "gpufleet-prometheus": "http://a:9090",
        "gpufleet-prometheus-mon2": "http://c:9090",
        "gpufleet-alertmanager": "http://b:9093",
    }
    secret = json.loads(sources.find("uid", "gpufleet-alertmanager")["data"])["secureJsonData"]
    assert secret == {"basicAuthPassword": "p$1"}
    (folder / "gpufleet.yaml").write_text(gather.datasource_file(entries[:1]))
    provisioning.datasources(tmp_path, sources)
    assert [row["uid"] for row in sources.all()] == ["gpufleet-prometheus"]


def test_provider():
    document = yaml.safe_load(gather.provider_file("gpufleet", "fleet", "100 $ fleet", "/etc/x"))
    (provider,) = document["providers"]
    assert (provider["folder"], provider["folderUid"]) == ("100 $$ fleet", "fleet")
    assert (provider["allowUiUpdates"], provider["options"]) == (False, {"path": "/etc/x"})


def test_dashboards_go_one_way_each():
    files = [
        {"name": f"{uid}.json", "content": json.dumps({"uid": uid, "title": uid})} for uid in ("gf-a", "gf-b", "my")
    ]
    found = gather.dashboards(files, "fleet")
    provisioned, pushed = gather.split(found, ["gf-a", "m*"])
    assert ([one["uid"] for one in provisioned], [one["uid"] for one in pushed]) == (["gf-b"], ["gf-a", "my"])
    with pytest.raises(GrafanaError, match="'nothing' matches no dashboard; there are gf-a, gf-b, my"):
        gather.split(found, ["nothing"])


def test_sound_variables():
    assert preflight.problems(VALUES) == []
    assert preflight.problems({**VALUES, "grafana_admin_password": "admin", "grafana_state": "absent"}) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"grafana_admin_password": "admin"}, "is one that everybody tries first"),
        ({"grafana_admin_password": "Admin"}, "is one that everybody tries first"),
        ({"grafana_admin_password": "elevenchars"}, "is shorter than 12 characters"),
        ({"grafana_admin_password": "twelve chars and a blank "}, "begins or ends with a blank"),
        ({"grafana_port": 443}, "cannot listen on 443"),
        ({"grafana_port": 70000}, "70000 is no port"),
        ({"grafana_root_url": "/grafana"}, "'/grafana' is no address"),
        ({"grafana_tls_cert": "/x"}, "TLS takes both"),
        ({"grafana_folder_uid": ""}, "up to 40 letters"),
        ({"grafana_secrets": {"../x": "y"}}, "is no plain file name"),
        ({"grafana_config": {"server": {"http_port": 1}}}, "write grafana_port instead"),
        ({"grafana_config": {"server": 3}}, "expected settings of a section, found 3"),
        ({"grafana_config": {"a": {"b": ["c"]}}}, "a.b: expected text"),
    ],
)
def test_what_cannot_be(changes, said):
    (problem,) = preflight.problems({**VALUES, **changes})
    assert said in problem
    assert "twelve" not in problem
