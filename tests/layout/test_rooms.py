"""Every component's room is furnished alike, and what it promises in its specs is what its defaults do."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.parent for path in (ROOT / "roles").glob("*/tasks"))
FURNITURE = [
    "README.md",
    "defaults/main.yml",
    "meta/argument_specs.yml",
    "meta/main.yml",
    "vars/versions.yml",
    "tasks/main.yml",
    "tasks/preflight.yml",
    "tasks/install.yml",
    "tasks/configure.yml",
    "tasks/uninstall.yml",
    "tasks/verify.yml",
]
# A component that listens nowhere has nothing to be scraped, so it has neither of these.
ENDPOINT = ["files/monitoring/scrape.yml", "files/monitoring/contracts"]


def load(path: Path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def options(role: Path) -> dict:
    return load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


@pytest.fixture(params=ROLES, ids=lambda role: role.name)
def role(request) -> Path:
    return request.param


@pytest.mark.parametrize("file", FURNITURE)
def test_each_room_has_the_same_furniture(role, file):
    assert (role / file).is_file()


def listens(role: Path) -> bool:
    return any(name.endswith("_port") or name.endswith("_listen_host") for name in options(role))


def test_what_listens_is_scraped_and_has_a_contract(role):
    found = [name for name in ENDPOINT if (role / name).exists()]
    if not listens(role):
        assert found == []
        return
    assert found == ENDPOINT
    assert list(role.glob("files/monitoring/contracts/*.yml"))


def test_each_room_has_a_molecule_scenario(role):
    assert (ROOT / "molecule" / role.name / "molecule.yml").is_file()


def test_specs_and_defaults_say_the_same(role):
    specified = {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert load(role / "defaults/main.yml") == specified


def test_every_option_has_a_default_or_is_required(role):
    assert [n for n, option in options(role).items() if "default" not in option and not option.get("required")] == []


def test_public_names_carry_the_roles_prefix_and_internal_ones_two_underscores(role):
    assert [name for name in options(role) if not name.startswith(f"{role.name}_")] == []
    internal = [name for file in role.glob("vars/*.yml") for name in load(file)]
    assert [name for name in internal if not name.startswith(f"__{role.name}_")] == []


def test_every_option_is_described_in_the_specs(role):
    assert [name for name, option in options(role).items() if not option.get("description")] == []


def test_every_rule_has_a_test(role):
    tested = "\n".join(test.read_text(encoding="utf-8") for test in role.glob("files/monitoring/rules_test/*.yml"))
    rules = [
        rule
        for file in role.glob("files/monitoring/rules/*.yml")
        for group in load(file)["groups"]
        for rule in group["rules"]
    ]
    untested = [r.get("alert") or r["record"] for r in rules if (r.get("alert") or r["record"]) not in tested]
    assert untested == []
