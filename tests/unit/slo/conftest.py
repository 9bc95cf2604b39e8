"""Rules of an example inventory, rendered by the generator, and promtool to judge them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PROMTOOLS = [ROOT / ".cache/tools/promtool-3.5.3", ROOT / ".cache/tools/promtool-2.53.3"]
SERVED = ROOT / "roles/vllm/files/monitoring/service_levels.yml"
SHARED_RULES = ROOT / "roles/prometheus/files/monitoring/rules/service_levels.yml"

# One model with all objectives, one that promises little over a short time.
EXAMPLE = {
    "llama": {
        "availability": 99.9,
        "ttft": {"seconds": 1, "percent": 95},
        "latency": {"seconds": 10, "percent": 99},
        "window": "30d",
    },
    "tiny": {"latency": {"seconds": 0.5, "percent": 80}, "window": "1d"},
}


@pytest.fixture(scope="session")
def served() -> dict:
    return yaml.safe_load(SERVED.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def rendered(served) -> str:
    from ansible_collections.gpufleet.serving.plugins.plugin_utils.slo import objectives, rules

    promised = [objective for model, said in EXAMPLE.items() for objective in objectives.parse(model, said)]
    return rules.rule_file(promised, served)


@pytest.fixture(params=PROMTOOLS, ids=lambda path: path.name)
def promtool(request) -> Callable[..., None]:
    """`promtool(*arguments)`; it must succeed."""
    assert request.param.is_file(), f"{request.param.name} is missing; run `lab/lab tools`"

    def run(*arguments) -> None:
        done = subprocess.run([request.param, *arguments], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


@pytest.fixture
def rule_folder(tmp_path, rendered) -> Path:
    """Both rule files side by side, as they land on a Prometheus host."""
    (tmp_path / "service-levels.yml").write_text(rendered, encoding="utf-8")
    (tmp_path / "shared.yml").write_text(SHARED_RULES.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path
