"""The contracts that the roles bring."""

from pathlib import Path

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.contract import check, load, read
from ansible_collections.gpufleet.serving.plugins.plugin_utils.exposition import judge
from ansible_collections.gpufleet.serving.plugins.plugin_utils.renames import known_renames

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = sorted(ROOT.glob("roles/*/files/monitoring/contracts/*.yml"))
RECORDINGS = ROOT / "tests" / "recordings" / "vllm-0.32.0-cpu"
VLLM = ROOT / "roles" / "vllm" / "files" / "monitoring"


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: f"{file.parents[3].name}-{file.stem}")
def test_a_contract_is_named_for_its_component_and_version(file):
    head = read(file.read_text(encoding="utf-8"), str(file))
    assert head["component"] == file.parents[3].name
    assert head["version"] == file.stem
    assert load(file.read_text(encoding="utf-8"), str(file))


@pytest.mark.parametrize("page", ["metrics-before-any-request.txt", "metrics.txt"])
def test_the_recorded_vllm_keeps_its_contract(page):
    wanted = load((VLLM / "contracts" / "0.32.0.yml").read_text(encoding="utf-8"), "contract")
    assert check(judge((RECORDINGS / page).read_bytes()), wanted) == []


def test_every_rename_leads_to_a_family_of_the_contract():
    families = yaml.safe_load((VLLM / "contracts" / "0.32.0.yml").read_text(encoding="utf-8"))["families"]
    renames = known_renames()
    assert renames
    assert [new for new in renames.values() if new not in families] == []
    assert [old for old in renames if old in families] == []
