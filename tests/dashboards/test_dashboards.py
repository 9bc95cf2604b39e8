"""The dashboards are what their sources build, and each panel has what a person needs, in any Grafana from 7.5 on."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from dashboards import build, dialect, page, panels  # noqa: E402
from dashboards.style import rising  # noqa: E402

BUILT = build.built()
# Panels that Grafana 7.5 and 13 both have.
KINDS = {"row", "timeseries", "stat", "table", "bargauge"}
UNITS = {
    "none", "short", "percentunit", "s", "bytes", "Bps", "pps", "cps", "reqps", "hertz", "watt", "watth", "celsius",
    "suffix:%", "suffix:s",
}  # fmt: skip
LOOKS = {"basic", "color-background"}
COLOUR_MODES = {"fixed", "thresholds", "palette-classic", "continuous-BlPu"}
TRANSFORMATIONS = {"merge", "organize"}


def short(file: Path) -> str:
    return file.stem


@pytest.fixture(params=BUILT, ids=short)
def document(request) -> dict:
    return json.loads(BUILT[request.param])


def asking(document: dict) -> list[dict]:
    return [panel for panel in dialect.panels_of(document) if panel["type"] != "row"]


@pytest.mark.parametrize("file", BUILT, ids=short)
def test_the_committed_json_is_what_the_sources_build(file):
    assert file.read_text(encoding="utf-8") == BUILT[file], "run: make dashboards"


def test_no_dashboard_lies_in_a_role_that_no_source_builds():
    assert set(ROOT.glob("roles/*/files/monitoring/dashboards/*.json")) == set(BUILT)


def test_another_process_builds_the_same():
    code = "import dashboards.build as b; print(*b.built().values())"
    command = [sys.executable, "-c", code]
    seeds = [{"PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"} for seed in ("1", "2")]
    done = [subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True) for env in seeds]
    assert done[0].stdout == done[1].stdout


def test_uids_and_titles_are_unique():
    documents = [json.loads(text) for text in BUILT.values()]
    assert len({one["uid"] for one in documents}) == len({one["title"] for one in documents}) == len(BUILT)
    assert all(one["uid"] == f"gpufleet-{file.stem}" for file, one in zip(BUILT, documents, strict=True))


def test_every_panel_is_described_and_has_a_unit_and_thresholds(document):
    for panel in asking(document):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["description"].endswith("."), panel["title"]
        assert len(panel["description"]) > 12, panel["title"]
        assert defaults["unit"] in UNITS, panel["title"]
        assert defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]


def test_nothing_is_used_that_a_grafana_does_not_render(document):
    assert document["schemaVersion"] == dialect.SCHEMA_VERSION
    for panel in dialect.panels_of(document):
        assert panel["type"] in KINDS
        assert {step["id"] for step in panel.get("transformations", ())} <= TRANSFORMATIONS
        assert panel.get("fieldConfig", {}).get("defaults", {}).get("color", {}).get("mode", "fixed") in COLOUR_MODES
        for override in panel.get("fieldConfig", {}).get("overrides", ()):
            for entry in override["properties"]:
                assert entry["id"] != "custom.displayMode" or entry["value"] in LOOKS
                assert entry["id"] != "unit" or entry["value"] in UNITS


def test_data_sources_are_named_by_the_variable_alone(document):
    assert document["templating"]["list"][0]["name"] == "datasource"
    assert "DS_" not in json.dumps(document)
    for thing in [*asking(document), *document["templating"]["list"][1:]]:
        assert thing["datasource"] == "${datasource}"
    assert not any("datasource" in target for panel in asking(document) for target in panel["targets"])


def test_variables_take_several_values_and_series_without_the_label(document):
    for variable in document["templating"]["list"][1:]:
        assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".*")


def test_panels_stand_side_by_side_without_overlap_and_have_ids_of_their_own(document):
    taken: set[tuple[int, int]] = set()
    found = list(dialect.panels_of(document))
    assert len({panel["id"] for panel in found}) == len(found)
    for panel in found:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        cells = {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}
        assert columns.stop <= page.COLUMNS
        assert not cells & taken, panel["title"]
        taken |= cells


def test_dashboards_link_to_one_another(document):
    uids = {json.loads(text)["uid"] for text in BUILT.values()}
    assert document["tags"] == [page.TAG]
    assert [link["tags"] for link in document["links"] if link["includeVars"] and link["keepTime"]] == [[page.TAG]]
    assert set(re.findall(r"/d/([\w-]+)", json.dumps(document))) <= uids


def test_a_panel_that_may_be_empty_says_why_to_people_and_to_verify(document):
    for panel in asking(document):
        if "may_be_empty" in panel.get("gpufleet", {}):
            assert panel["gpufleet"]["may_be_empty"] is True
            assert panel["description"].endswith(panel["gpufleet"]["why"])


def test_the_old_dialect():
    words = {"type": "value", "options": {"1": {"text": "up"}, "0": {"text": "down"}}}
    panel = {
        "type": "stat",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "fieldConfig": {
            "defaults": {"mappings": [words]},
            "overrides": [{"matcher": {}, "properties": [{"id": "mappings", "value": [words]}]}],
        },
        "options": {"tooltip": {"mode": "multi", "sort": "none"}},
    }
    row = {"type": "row", "panels": [panel]}
    done = dialect.translate({"schemaVersion": 41, "panels": [row], "templating": {"list": []}})
    old = [{"id": 0, "type": 1, "value": "1", "text": "up"}, {"id": 1, "type": 1, "value": "0", "text": "down"}]
    [inner] = done["panels"][0]["panels"]
    assert inner["datasource"] == "${datasource}"
    assert inner["fieldConfig"]["defaults"]["mappings"] == old
    assert inner["fieldConfig"]["overrides"][0]["properties"][0]["value"] == old
    assert inner["options"] == {"tooltipOptions": {"mode": "multi"}}


def test_a_line_of_panels_that_is_full_goes_on_below():
    tile = panels.number("T", "What it says.", "up", steps=rising(1, 2), width=10, height=4)
    sections = (page.Section("", (tile,) * 3), page.Section("More", (tile,), collapsed=True))
    placed = page._laid_out(sections)
    assert [one["gridPos"]["y"] for one in placed] == [0, 0, 4, 8]
    assert placed[3]["panels"][0]["gridPos"] == {"h": 4, "w": 10, "x": 0, "y": 9}
