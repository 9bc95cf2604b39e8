"""From the inventory to verdicts: without a host where all is stated, and by one look at the host where it is not."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.action.vllm_fit import ActionModule
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm import fit_cpu, fit_inventory
from sizing import MODELS, facts

DEFAULTS = yaml.safe_load((Path(__file__).parents[3] / "roles/vllm/defaults/main.yml").read_text())
COMMIT = "0e9e39f249a16976918f6564b8830bc894c89659"
LLAMA = {"name": "llama", "model": "meta-llama/Meta-Llama-3-8B", "revision": COMMIT, "gpus": [0]}
KNOWN = {LLAMA["model"]: {"config": MODELS["llama-3-8b"]["config"], "weight_bytes": 16060522496}}


def variables(*instances, **common):
    return {**DEFAULTS, "vllm_instances": list(instances), **common}


def run(*instances, lock=None, answer=None, **options):
    """The action, with `answer` in the place of the module on the host; its result, and what the module was asked."""
    asked = []

    def module(module_name, module_args, task_vars):
        asked.append((module_name, module_args))
        return answer

    action = ActionModule.__new__(ActionModule)
    given = fit_inventory.wanted(variables(*instances), lock)
    action._task = SimpleNamespace(
        args={"instances": given, **options}, check_mode=False, async_val=0, action="vllm_fit"
    )
    action._connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    action._execute_module = module
    return action.run(), asked


def test_what_is_stated_is_not_asked_for():
    result, asked = run(LLAMA, gpu_memory_gib=[12], model_facts=KNOWN)
    assert asked == []
    assert result["failed"]
    assert result["msg"].startswith("llama does not fit on GPU 0: it needs 17.2 GiB")
    assert result["msg"].endswith("vllm_fit_check: warn goes on regardless.")
    result, _ = run(LLAMA, gpu_memory_gib=[12], model_facts=KNOWN, on_refused="warn")
    assert "failed" not in result
    assert result["warnings"][0].startswith("llama does not fit")
    result, _ = run(LLAMA, gpu_memory_gib=[24], model_facts=KNOWN)
    assert (result["warnings"], result["fits"][0]["verdict"]) == ([], "fits")


def test_the_host_is_asked_once_for_all():
    other = {**LLAMA, "name": "other", "gpus": [1]}
    gpus = [{"index": index, "memory_mib": 24564, "name": "NVIDIA GeForce RTX 4090"} for index in (0, 1)]
    answer = {"models": {"llama": facts("llama-3-8b"), "other": {"why": "no answer"}}, "gpus": gpus}
    result, asked = run(LLAMA, other, answer=answer, token="hf_x")  # noqa: S106 - a test's
    ((name, arguments),) = asked
    assert name == "gpufleet.serving.model_facts"
    assert (arguments["gpus"], arguments["token"], len(arguments["models"])) == (True, "hf_x", 2)
    assert [one["verdict"] for one in result["fits"]] == ["fits", "unknown"]
    assert result["warnings"] == ["other: cannot judge whether it fits: no answer."]


def test_a_gpu_that_is_not_there_is_refused_and_one_of_unknown_memory_is_not():
    answer = {"models": {"llama": facts("llama-3-8b")}, "gpus": [{"index": 0, "memory_mib": 24564, "name": None}]}
    result, _ = run({**LLAMA, "gpus": [1]}, answer=answer)
    assert "which this host does not have: its GPUs are 0" in result["msg"]
    answer["gpus"][0]["memory_mib"] = None
    assert run(LLAMA, answer=answer)[0]["fits"][0]["verdict"] == "unknown"
    assert run(LLAMA, answer={**answer, "gpus": []})[0]["fits"][0]["verdict"] == "unknown"


def test_where_the_facts_of_a_model_are_looked_for():
    url = f"https://huggingface.co/{LLAMA['model']}/resolve/{COMMIT}"
    lock = {f"{url}/config.json": "a" * 64}
    (one,) = fit_inventory.wanted(variables(LLAMA), lock)
    folder = f"/var/lib/vllm/models/{LLAMA['model']}/{COMMIT}"
    assert (one["source"]["folders"], one["source"]["path"]) == ([folder], folder)
    assert one["source"]["files"] == {"config.json": "a" * 64}
    (one,) = fit_inventory.wanted(variables(LLAMA))
    assert one["source"]["folders"] == [
        f"/var/lib/vllm/huggingface/hub/models--meta-llama--Meta-Llama-3-8B/snapshots/{COMMIT}"
    ]
    (one,) = fit_inventory.wanted(variables({"name": "it", "model": "/srv/it"}))
    assert one["source"] == {"name": "it", "folders": ["/srv/it"]}
    answer = {"models": {"llama": {"why": "said"}}, "gpus": []}
    _, ((_, arguments),) = run(LLAMA, answer=answer, mirror="http://10.0.0.5")
    assert "with a mirror the hub is not asked" in arguments["models"][0]["why"]
    _, ((_, arguments),) = run(LLAMA, lock=lock, answer=answer, mirror="http://10.0.0.5")
    assert "why" not in arguments["models"][0]


def test_no_secret_leaves_the_environment():
    instance = {**LLAMA, "api_key": "s3cret", "environment": {"OTHER": "s3cret", "VLLM_CPU_KVCACHE_SPACE": 4}}
    (one,) = fit_inventory.wanted(variables(instance))
    assert "s3cret" not in str(one)
    assert one["environment"] == {"VLLM_CPU_KVCACHE_SPACE": 4}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ["llama does not fit on GPU 0"]),
        ({"vllm_gpu_memory_gib": [80]}, []),
        ({"vllm_gpu_memory_gib": []}, []),
        ({"vllm_model_facts": {}}, []),
        ({"vllm_fit_check": "warn"}, []),
        ({"vllm_fit_check": False}, []),
        (
            {"vllm_engine_args": {"max-model-len": "much"}},
            ["llama: engine_args: max-model-len is 'much', which is no size"],
        ),
    ],
)
def test_the_inventory_alone_is_enough_where_it_states_both(change, said):
    values = variables(LLAMA, **{"vllm_gpu_memory_gib": [12], "vllm_model_facts": KNOWN, **change})
    found = fit_inventory.problems(values)
    assert len(found) == len(said)
    assert all(one.startswith(begin) for one, begin in zip(found, said, strict=True))


def cpu(space=None, host_gib=16, known=True, **args):
    environment = {} if space is None else {"VLLM_CPU_KVCACHE_SPACE": space}
    instances = fit_inventory.wanted(variables({**LLAMA, "gpus": [], "engine_args": args, "environment": environment}))
    models = {"llama": facts("llama-3-8b")} if known else {}
    environments = {one["name"]: one["environment"] for one in instances}
    (found,) = fit_cpu.judge(fit_inventory.requests(instances), environments, models, host_gib * 1024)
    return found


def test_on_a_cpu_only_the_impossible_is_refused():
    assert cpu(space=4, known=False).verdict == "fits"
    assert "KV cache 100.0 GiB (VLLM_CPU_KVCACHE_SPACE), and the host has 16.0 GiB" in cpu(100, known=False).message
    assert cpu(space=4).verdict == "refused"
    assert cpu(space=4, host_gib=32).verdict == "fits"
    # float32 takes twice the room, for the weights as for the cache.
    assert cpu(space=4, host_gib=32, dtype="float32").verdict == "refused"
    assert "one sequence of max-model-len takes 2.0 GiB" in cpu(space=1, host_gib=64, dtype="float32").message
    assert cpu(space=4, host_gib=0).verdict == "unknown"


def test_caches_on_a_cpu_add_up():
    instances = [{**LLAMA, "name": name, "gpus": [], "environment": {"VLLM_CPU_KVCACHE_SPACE": 10}} for name in "ab"]
    result, asked = run(*instances, device="cpu", host_memory_mib=16 * 1024)
    assert asked == []
    assert "together their KV caches take 20.0 GiB" in result["msg"]
