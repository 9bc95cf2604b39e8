"""promtool's own verdict on every rule and every rule test, with the Prometheus versions that the role installs."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMTOOLS = [ROOT / ".cache/tools/promtool-3.5.3", ROOT / ".cache/tools/promtool-2.53.3"]
RULES = sorted(ROOT.glob("roles/*/files/monitoring/rules/*.yml"))
TESTS = sorted(ROOT.glob("roles/*/files/monitoring/rules_test/*.yml"))


def short(path: Path) -> str:
    return path.name if path in PROMTOOLS else f"{path.parents[3].name}-{path.name}"


@pytest.fixture(params=PROMTOOLS, ids=short)
def promtool(request) -> Path:
    assert request.param.is_file(), f"{request.param.name} is missing; run `lab/lab tools`"
    return request.param


@pytest.mark.parametrize("rules", RULES, ids=short)
def test_rules_are_well_formed(promtool, rules):
    run(promtool, "check", "rules", "--lint-fatal", rules)


@pytest.mark.parametrize("tests", TESTS, ids=short)
def test_rules_fire_when_they_should(promtool, tests):
    run(promtool, "test", "rules", tests)


def run(*command) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
