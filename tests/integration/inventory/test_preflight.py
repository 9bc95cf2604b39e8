"""The playbook that people run, against inventories that are wrong: all is said at once, before any host is touched."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]

# Nothing listens there: had a host been touched, it would be reported as unreachable.
NOWHERE = {"ansible_host": "127.0.0.1", "ansible_port": 1}
GOOD = {
    "vllm": {
        "hosts": {"gpu1": NOWHERE},
        "vars": {"vllm_device": "cpu", "vllm_instances": [{"name": "tiny", "model": "/srv/models/tiny"}]},
    },
    "node_exporter": {"hosts": {"gpu1": None, "mon1": NOWHERE}},
    "prometheus": {"hosts": {"mon1": None}},
}


def run(tmp_path: Path, inventory: dict, playbook: str = "site.yml", *arguments: str) -> subprocess.CompletedProcess:
    file = tmp_path / "hosts.yml"
    file.write_text(yaml.safe_dump(inventory))
    command = ["ansible-playbook", "-i", str(file), playbook, *arguments]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def changed(*path_and_value) -> dict:
    """GOOD with one value set: changed("vllm", "vars", "vllm_prot", 8000)."""
    inventory = yaml.safe_load(yaml.safe_dump(GOOD))
    *path, last, value = path_and_value
    place = inventory
    for key in path:
        place = place.setdefault(key, {})
    place[last] = value
    return inventory


def test_a_good_inventory_passes(tmp_path):
    done = run(tmp_path, GOOD, "playbooks/preflight.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("inventory", "said"),
    [
        (
            changed("vllm", "vars", "vllm_prot", 8000),
            "gpu1: vllm_prot: no component knows this variable; did you mean vllm_port?",
        ),
        (changed("vllm", "vars", "vlm_port", 8000), "vlm_port: unknown, and almost vllm_port"),
        (changed("vllm", "vars", "vllm_port", "eight thousand"), "vllm_port"),
        (
            changed("vllm", "vars", "vllm_instances", [{"model": "/m"}]),
            "missing required arguments: name found in vllm_instances",
        ),
        (changed("vllm", "vars", "vllm_instances", [{"name": "a", "model": "/m", "prot": 1}]), "prot"),
        (
            changed(
                "vllm",
                "vars",
                "vllm_instances",
                [{"name": "a", "model": "/m", "engine_args": {"enable-metrics": True}}],
            ),
            "/metrics is always served",
        ),
        (changed("prometheus", "vars", "prometheus_mode", "servr"), "prometheus_mode must be one of: server, agent"),
        (changed("prometheus", "vars", "prometheus_mode", "agent"), "set prometheus_remote_write"),
        (
            changed("node_exportr", "hosts", "gpu2", NOWHERE),
            "group node_exportr: no component has this name; did you mean node_exporter?",
        ),
        (changed("prometheus", "vars", "prometheus_port", "{{ nowhere_defined }}"), "nowhere_defined"),
        (changed("alertmanager", "hosts", "gpu2", NOWHERE), "alertmanager: alertmanager_receivers is empty"),
        (
            changed(
                "vllm",
                "vars",
                "vllm_instances",
                [{"name": "a", "model": "/m", "objectives": {"latency": {"seconds": 9, "percent": 99}}}],
            ),
            "9 s is no bound of the server's histogram, so nobody could tell; write 5 or 10.",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy_and_no_host_is_touched(tmp_path, inventory, said):
    done = run(tmp_path, inventory)
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert said in output
    assert "UNREACHABLE" not in output
    assert "PLAY [Serve models" not in output


def test_all_problems_of_all_hosts_come_at_once(tmp_path):
    inventory = changed("vllm", "vars", "vllm_prot", 1)
    inventory["prometheus"]["vars"] = {"prometheus_retention_tim": "1d", "prometheus_port": "x"}
    output = run(tmp_path, inventory).stdout
    assert "3 problems" in output
    for name in ("vllm_prot", "prometheus_retention_tim", "prometheus_port"):
        assert name in output


def test_a_misspelt_extra_variable_is_named_too(tmp_path):
    done = run(tmp_path, GOOD, "playbooks/preflight.yml", "-e", "gpufleet_miror=http://127.0.0.1")
    assert "did you mean gpufleet_mirror?" in done.stdout


def test_an_inventory_without_any_component_says_what_the_components_are(tmp_path):
    done = run(tmp_path, {"servers": {"hosts": {"a": NOWHERE}}})
    assert done.returncode != 0
    components = sorted(path.parent.name for path in (ROOT / "roles").glob("*/tasks"))
    assert ", ".join(components) in done.stdout


@pytest.mark.parametrize("folder", ["example", "production"])
def test_the_inventories_that_we_show_are_in_order(folder):
    secrets = ("vllm_api_key", "pagerduty", "slack", "pulse", "grafana_admin_password")
    vault = [f"-evault_{name}=none-that-anybody-has" for name in secrets]
    command = ["ansible-playbook", "-i", f"inventory/{folder}", "playbooks/preflight.yml", *vault]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
