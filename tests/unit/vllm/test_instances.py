"""What lands on a host for each instance."""

import shlex
from pathlib import Path

import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.environment import render
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.instances import (
    api_keys,
    environment_files,
    resolve,
)
from hypothesis import given
from hypothesis import strategies as st

DEFAULTS = yaml.safe_load((Path(__file__).parents[3] / "roles/vllm/defaults/main.yml").read_text())
COMMIT = "0e9e39f249a16976918f6564b8830bc894c89659"
HUB = {"name": "llama", "model": "meta-llama/Llama-3.1-8B", "revision": COMMIT}
PYTHON = "/opt/python/3.11/bin/python3"


def variables(*instances, **common):
    return {**DEFAULTS, "vllm_instances": list(instances), **common}


def one(instance, lock=None, **common):
    (found,) = resolve(variables(instance, **common), PYTHON, lock)
    return found


def environment_of(instance, lock=None, **common):
    (text,) = environment_files(variables(instance, **common), lock).values()
    return dict(shlex.split(line)[0].split("=", 1) for line in text.splitlines() if not line.startswith("#"))


def test_a_hub_model_without_digests_is_left_to_vllm_at_its_commit():
    found = one(HUB)
    config = yaml.safe_load(found["config"])
    assert (config["model"], config["revision"]) == ("meta-llama/Llama-3.1-8B", COMMIT)
    assert found["model_files"] == {}
    assert "HF_HUB_OFFLINE" not in environment_of(HUB)


def test_a_hub_model_of_the_lock_is_fetched_and_served_from_disk():
    url = f"https://huggingface.co/meta-llama/Llama-3.1-8B/resolve/{COMMIT}"
    lock = {f"{url}/config.json": "a" * 64, f"{url}/sub/x.json": "b" * 64, "https://elsewhere/config.json": "c" * 64}
    found = one(HUB, lock)
    assert found["model_files"] == {"config.json": "a" * 64, "sub/x.json": "b" * 64}
    assert found["model_url"] == url
    assert found["model_path"] == f"/var/lib/vllm/models/meta-llama/Llama-3.1-8B/{COMMIT}"
    config = yaml.safe_load(found["config"])
    assert config["model"] == found["model_path"]
    assert "revision" not in config
    assert environment_of(HUB, lock)["HF_HUB_OFFLINE"] == "1"


def test_the_config_says_what_the_instance_says():
    found = one(
        {
            "name": "q",
            "model": "/srv/models/qwen/",
            "gpus": [2, 3],
            "port": 9001,
            "engine_args": {"max-model-len": 1024, "enforce-eager": True},
        },
        vllm_engine_args={"max-model-len": 512, "dtype": "half"},
        vllm_shutdown_timeout=7,
    )
    assert yaml.safe_load(found["config"]) == {
        "model": "/srv/models/qwen/",
        "served-model-name": ["qwen"],
        "host": "0.0.0.0",  # noqa: S104 - the role's default
        "port": 9001,
        "shutdown-timeout": 7,
        "tensor-parallel-size": 2,
        "max-model-len": 1024,
        "enforce-eager": True,
        "dtype": "half",
    }


def test_other_parallelism_is_left_as_it_is_said():
    found = one({**HUB, "gpus": [0, 1], "engine_args": {"pipeline-parallel-size": 2}})
    assert "tensor-parallel-size" not in yaml.safe_load(found["config"])


def test_secrets_stand_in_the_environment_and_nowhere_else():
    instance = {**HUB, "api_key": "s3cret", "environment": {"OTHER": "also s3cret"}}
    assert "s3cret" not in str(one(instance, vllm_hub_token="hf_s3cret"))  # noqa: S106 - a test's
    assert environment_of(instance, vllm_hub_token="hf_s3cret")["HF_TOKEN"] == "hf_s3cret"  # noqa: S105, S106
    assert environment_of(instance)["VLLM_API_KEY"] == "s3cret"
    assert api_keys(variables(instance, {**HUB, "name": "open"})) == {"llama": "s3cret", "open": ""}


def test_gpus_are_seen_in_the_order_of_nvidia_smi():
    environment = environment_of({**HUB, "gpus": [3, 1]})
    assert environment["CUDA_VISIBLE_DEVICES"] == "3,1"
    assert environment["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert "CUDA_VISIBLE_DEVICES" not in environment_of(HUB)


def test_where_it_is_asked():
    assert one(HUB)["url"] == "http://127.0.0.1:8000"
    assert one({**HUB, "listen_host": "10.0.0.5", "port": 81})["url"] == "http://10.0.0.5:81"
    assert one({**HUB, "listen_host": "::"})["url"] == "http://[::1]:8000"
    assert one({**HUB, "engine_args": {"ssl-certfile": "/x"}})["url"] == "https://127.0.0.1:8000"


def test_a_release_is_named_after_all_it_is_made_from(tmp_path):
    first = one(HUB)["release"]
    assert first.startswith("0.32.0-cuda-")
    assert resolve(variables(HUB), "/usr/bin/python3.11")[0]["release"] != first
    (tmp_path / "0.32.0-cuda.txt").write_text("vllm==0.32.0 --hash=sha256:" + "0" * 64)
    assert one(HUB, vllm_requirements_dir=str(tmp_path))["release"] != first


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n\r\0"), min_size=1))
def test_systemd_reads_every_value_back_as_it_was(value):
    (line,) = [line for line in render({"A": value}).split("\n") if line.startswith("A=")]
    quoted = line.removeprefix("A=")
    assert quoted[0] == quoted[-1] == '"'
    # systemd's rule for double quotes: a backslash before one of these four is dropped, nothing else means anything.
    plain, rest = "", iter(quoted[1:-1])
    for character in rest:
        plain += next(rest) if character == "\\" else character
    assert plain == value
