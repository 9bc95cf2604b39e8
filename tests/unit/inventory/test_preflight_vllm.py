"""What the variables of vLLM must say together."""

from pathlib import Path

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.preflight.vllm import fleet_problems, problems

DEFAULTS = yaml.safe_load((Path(__file__).parents[3] / "roles/vllm/defaults/main.yml").read_text())
COMMIT = "0e9e39f249a16976918f6564b8830bc894c89659"
LLAMA = {"name": "llama", "model": "meta-llama/Llama-3.1-8B", "revision": COMMIT, "gpus": [0]}
QWEN = {"name": "qwen", "model": "/srv/models/qwen", "port": 8001, "gpus": [1]}


def said_of(*instances, **common):
    return problems({**DEFAULTS, "vllm_instances": list(instances), **common})


def test_good_instances_have_no_problem():
    assert said_of(LLAMA, QWEN) == []


def test_a_host_that_is_being_emptied_needs_no_instance():
    assert problems({**DEFAULTS, "vllm_state": "absent"}) == []


def test_a_host_without_instances_is_told_what_to_do():
    (said,) = problems(DEFAULTS)
    assert "list at least one" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Llama 8B"}, "small letters"),
        ({"port": 70000}, "1 to 65535"),
        ({"model": "models/llama"}, None),
        ({"model": "./models/llama"}, "neither an absolute path nor an id"),
        ({"model": "/srv/llama"}, "has no revision"),
        ({"revision": None}, "git ls-remote https://huggingface.co/meta-llama/Llama-3.1-8B main"),
        ({"revision": "main"}, "'main' can move"),
        ({"revision": COMMIT[:12]}, "can move"),
        ({"gpus": [0, 0]}, "different indices"),
        ({"gpus": [-1]}, "from 0 on"),
        ({"gpus": [0, 1], "engine_args": {"tensor-parallel-size": 4}}, "needs 4 GPUs, but gpus lists 2"),
        ({"gpus": [0, 1, 2, 3], "engine_args": {"tensor-parallel-size": 2, "data-parallel-size": 2}}, None),
        ({"version": "0.31.7"}, "there is 0.32.0"),
        ({"version": "v0.32.0"}, "no locked set"),
        ({"engine_args": {"enable-metrics": True}}, "/metrics is always served"),
        ({"environment": {"VLLM_CPU_KVCACHE_SPACE": ""}}, "leave the line out"),
        ({"api_key": "two\nlines"}, "line break"),
        ({"labels": {"instance": "x"}}, "set by gpufleet itself"),
        ({"labels": {"team-name": "x"}}, "no name of a label"),
        ({"served_model_name": [""]}, "served_model_name is empty"),
        ({"objectives": {"availability": 99.9, "ttft": {"seconds": 1, "percent": 95}}}, None),
        ({"objectives": {"ttft": {"seconds": 0.9, "percent": 95}}}, "write 0.75 or 1"),
    ],
)
def test_one_instance(changes, said):
    found = said_of({**LLAMA, **changes})
    if said is None:
        assert found == []
    else:
        assert len(found) == 1
        assert said in found[0]
        assert found[0].startswith(f"{changes.get('name', 'llama')}: ")


def test_names_and_ports_are_not_shared():
    assert said_of(LLAMA, {**QWEN, "name": "llama"}) == ["2 instances have the name llama."]
    assert said_of(LLAMA, {**QWEN, "port": 8000}) == ["2 instances have the port 8000: llama and qwen."]


def test_several_instances_each_say_their_gpus():
    (said,) = said_of(LLAMA, {**QWEN, "gpus": []})
    assert said.startswith("qwen: ")
    assert "gpus: [0]" in said


def test_a_gpu_is_shared_only_where_its_memory_suffices():
    (said,) = said_of(LLAMA, {**QWEN, "gpus": [0]})
    assert "share GPU 0 and together ask for 1.84" in said
    half = {"gpu-memory-utilization": 0.45}
    assert said_of({**LLAMA, "engine_args": half}, {**QWEN, "gpus": [0], "engine_args": half}) == []


def test_a_cpu_has_no_gpus():
    (said,) = said_of(LLAMA, vllm_device="cpu")
    assert "vllm_device is cpu" in said


def test_common_arguments_are_judged_too():
    (said,) = said_of(LLAMA, vllm_engine_args={"max_model_len": 8})
    assert "write max-model-len" in said


def test_python_is_the_roles_own_or_a_path():
    assert said_of(LLAMA, vllm_python="/usr/bin/python3.11") == []
    (said,) = said_of(LLAMA, vllm_python="python3.11")
    assert "absolute path" in said


def test_a_token_is_one_word():
    (said,) = said_of(LLAMA, vllm_hub_token="hf_x\n")  # noqa: S106 - a test's
    assert "white space" in said


def test_a_set_of_ones_own_is_found(tmp_path):
    (tmp_path / "0.33.1-cuda.txt").write_text("vllm==0.33.1 --hash=sha256:" + "0" * 64)
    assert said_of({**LLAMA, "version": "0.33.1"}, vllm_requirements_dir=str(tmp_path)) == []


def test_hosts_that_promise_different_things_of_one_model_are_told():
    def serving(percent):
        return {**DEFAULTS, "vllm_instances": [{**LLAMA, "objectives": {"availability": percent}}, QWEN]}

    assert fleet_problems({"gpu1": serving(99), "gpu2": serving(99)}) == []
    (said,) = fleet_problems({"gpu1": serving(99), "gpu2": serving(99.9)})
    assert said.startswith("Llama-3.1-8B: the objectives on gpu2 differ from those on gpu1")
