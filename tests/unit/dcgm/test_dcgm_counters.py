"""The CSV of counters, and which versions go together."""

import re

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.gpufleet.serving.plugins.filter.dcgm import dcgm_counters, dcgm_version
from ansible_collections.gpufleet.serving.plugins.plugin_utils import contract
from ansible_collections.gpufleet.serving.plugins.plugin_utils.dcgm import counters, releases

MONITORING = releases.ROLE / "files" / "monitoring"


def rows(text: str) -> dict[str, list[str]]:
    return {line.split(", ")[0]: line.split(", ", 2)[1:] for line in text.splitlines()}


def test_the_standard_set_is_known_to_every_version_on_record():
    for file in (releases.ROLE / "files" / "fields").glob("*.txt"):
        assert counters.problems(counters.standard_counters(), file.stem) == []


def test_every_paired_version_has_its_fields_on_record():
    for exporter in releases.pairs():
        assert "DCGM_FI_DEV_FB_USED" in releases.known_fields(exporter)


def test_the_csv_has_three_columns_and_no_line_twice():
    text = dcgm_counters([], "4.8.2")
    assert all(re.fullmatch(r"DCGM_\w+, (gauge|counter|label), [^,\"]+", line) for line in text.splitlines())
    assert len(rows(text)) == len(text.splitlines()) == len(counters.standard_counters())


def test_every_metric_of_the_rules_is_exported_and_contracted():
    exported = rows(dcgm_counters([], "4.8.2"))
    contracted = contract.read((MONITORING / "contracts" / "4.8.2.yml").read_text(encoding="utf-8"), "contract")
    for file in MONITORING.glob("rules/*.yml"):
        used = set(re.findall(r"DCGM_(?:FI_DEV|FI_PROF|EXP)_\w+", file.read_text(encoding="utf-8")))
        assert used <= set(exported)
        assert used <= set(contracted["families"])


def test_the_contract_says_of_each_exported_family_what_the_csv_says():
    families = contract.read((MONITORING / "contracts" / "4.8.2.yml").read_text(encoding="utf-8"), "c")["families"]
    exported = {name: row[0] for name, row in rows(dcgm_counters([], "4.8.2")).items() if row[0] != "label"}
    assert {name: family["type"] for name, family in families.items()} == exported


def test_what_the_contract_demands_cannot_be_left_out():
    families = contract.read((MONITORING / "contracts" / "4.8.2.yml").read_text(encoding="utf-8"), "c")["families"]
    demanded = {name for name, family in families.items() if not family.get("may_be_absent")}
    assert demanded | {"DCGM_FI_DRIVER_VERSION"} == counters.ESSENTIAL


def test_extra_fields_come_last_and_replace_the_standard_ones_of_their_name():
    extra = [
        {"field": "DCGM_FI_PROF_SM_OCCUPANCY", "type": "gauge", "help": 'Warps, "resident" ones'},
        {"field": "DCGM_FI_DEV_GPU_TEMP", "type": "gauge", "help": "Hot"},
        {"field": "DCGM_FI_DEV_SERIAL", "type": "label"},
    ]
    found = rows(dcgm_counters(extra, "4.8.2"))
    assert found["DCGM_FI_PROF_SM_OCCUPANCY"] == ["gauge", "Warps; 'resident' ones"]
    assert found["DCGM_FI_DEV_GPU_TEMP"] == ["gauge", "Hot"]
    assert found["DCGM_FI_DEV_SERIAL"] == ["label", "DCGM_FI_DEV_SERIAL"]


def test_fields_can_be_left_out_one_by_one_or_all_that_need_privileges():
    found = rows(dcgm_counters([], "4.8.2", exclude=["DCGM_FI_DEV_ENC_UTIL"], profiling=False))
    assert "DCGM_FI_DEV_ENC_UTIL" not in found
    assert not [name for name in found if name.startswith("DCGM_FI_PROF_")]


@pytest.mark.parametrize(
    ("extra", "version", "said"),
    [
        ({"field": "DCGM_FI_DEV_GPU_TMP"}, "4.8.2", "knows no such field; did you mean DCGM_FI_DEV_GPU_TEMP?"),
        ({"field": "temperature"}, "4.8.2", "roles/dcgm_exporter/files/fields lists"),
        ({"field": "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"}, "4.8.1", "4.8.1 knows no such field"),
        ({"field": "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"}, "4.8.2", "two names of one field"),
        ({"field": "DCGM_FI_DEV_SERIAL", "type": "info"}, "4.8.2", "'info' is no type"),
        ({"field": "DCGM_FI_DEV_SERIAL", "help": "a\nb"}, "4.8.2", "line break"),
        ({"field": "DCGM_FI_DEV_SERIAL"}, "3.3.9", "too old"),
        ({"field": "DCGM_FI_DEV_SERIAL"}, "newest", "'newest' is no version"),
    ],
)
def test_what_the_exporter_would_not_start_with_is_refused(extra, version, said):
    with pytest.raises(AnsibleFilterError, match=re.escape(said)):
        dcgm_counters([extra], version)


def test_the_paired_dcgm_is_found_and_no_other_taken():
    assert dcgm_version("4.8.2") == dcgm_version("4.8.2", "4.5.3") == "4.5.3"
    with pytest.raises(
        AnsibleFilterError, match=r"goes with DCGM 4\.5\.3, not 4\.5\.2.*dcgm_exporter_version: 4\.8\.1"
    ):
        dcgm_version("4.8.2", "4.5.2")


def test_an_exporter_that_is_not_in_the_table_needs_its_dcgm_named():
    assert dcgm_version("4.9.0", "4.6.0") == "4.6.0"
    with pytest.raises(AnsibleFilterError, match=r"DCGM goes with dcgm-exporter 4\.9\.0 is not known"):
        dcgm_version("4.9.0")
