"""The list of arguments is what the program's own help says."""

import importlib.util
from pathlib import Path

import yaml

ROLE = Path(__file__).parents[3] / "roles" / "vllm"


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROLE / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HELP = """\
usage: vllm serve [model_tag] [options]

options:
  --api-server-count API_SERVER_COUNT, -asc API_SERVER_COUNT
                        How many API server processes to run. --not-an-option
  --disable-log-stats   Disable logging statistics. (default: False)
  --enforce-eager, --no-enforce-eager
                        Whether to always use eager-mode PyTorch.
  -h, --help            show this help message and exit
  --dtype {auto,bfloat16,half}
  --config-format ['auto', 'hf', 'mistral']
  --load-strategy {eager,lazy,None}
  --lora-modules LORA_MODULES [LORA_MODULES ...]
  --traces {all,None} [{all,None} ...]
  --hf-token [HF_TOKEN]
  --gpu-memory-utilization X, --device-memory-utilization X
"""


def test_kinds_aliases_and_choices():
    assert tool("extract_flags").flags_of(HELP) == {
        "api-server-count": "value",
        "disable-log-stats": "switch",
        "enforce-eager": "switch",
        "dtype": ["auto", "bfloat16", "half"],
        "config-format": ["auto", "hf", "mistral"],
        "load-strategy": ["eager", "lazy"],
        "lora-modules": "list",
        "traces": "list",
        "hf-token": "value",
        "gpu-memory-utilization": "value",
        "device-memory-utilization": "value",
    }


def test_what_is_written_reads_back_the_same():
    flags = tool("extract_flags").flags_of(HELP)
    assert yaml.safe_load(tool("extract_flags").document("1.0", flags)) == flags


def test_the_recorded_list_is_complete():
    flags = yaml.safe_load((ROLE / "files/flags/0.32.0.yml").read_text())
    assert len(flags) == 317
    assert all(kind in ("switch", "value", "list") or isinstance(kind, list) for kind in flags.values())


def test_the_empty_distribution_is_the_one_that_the_set_pins(tmp_path):
    from hashlib import sha256

    wheel = tool("empty_distribution").write_wheel("vllm", "0.32.0+cpu.lab", tmp_path)
    pinned = (ROLE / "files/requirements/0.32.0-cpu.txt").read_text()
    assert f"sha256:{sha256(wheel.read_bytes()).hexdigest()}" in pinned
