"""The table of fit_table.yml, worked out; and as docs/sizing.md shows it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm import fit, fit_memory
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.fit_memory import MIB
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.fit_request import GIB, read_request
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.model_shape import read_shape

HERE = Path(__file__).parent
MODELS = yaml.safe_load((HERE / "fit_models.yml").read_text())
TABLE = yaml.safe_load((HERE / "fit_table.yml").read_text())
HEAD = """\
| model | GPUs | engine_args | each GPU needs | comes out | sequences at a time |
|---|---|---|---|---|---|
"""


def facts(model: str) -> dict[str, Any]:
    """As gpufleet.serving.model_facts returns them."""
    size = MODELS[model].get("bytes")
    weights = {"bytes": size, "source": "model.safetensors.index.json"} if size else None
    return {"config": MODELS[model]["config"], "weights": weights}


CARD = fit.Gpu(24 * GIB, "NVIDIA GeForce RTX 3090")


def place(model, gpu=CARD, count=1, wanted=4.0, **args):
    request = read_request("it", list(range(count)), {key.replace("_", "-"): value for key, value in args.items()})
    shape = read_shape(MODELS[model]["config"])
    weights = fit_memory.read_weights(shape, request, facts(model)["weights"])
    return fit.Placed(request, shape, weights, gpu, wanted)


def judge(*instances, gpus=None, concurrency=4, whole=True, **models):
    """Instances are (name, model, gpus, engine_args)."""
    requests = [read_request(name, on, args) for name, _, on, args in instances]
    known = {name: facts(model) for name, model, _, _ in instances} | models
    return fit.judge(requests, known, gpus or {0: CARD, 1: CARD}, concurrency, whole)


def work_out(row: Mapping[str, Any], concurrency: float = 4) -> fit.Fit:
    """The verdict on a row."""
    gpu, count = TABLE["gpus"][row["gpu"]], row.get("count", 1)
    request = read_request("it", list(range(count)), row.get("args") or {})
    gpus = {index: fit.Gpu(gpu["memory"] * MIB, gpu["name"]) for index in range(count)}
    (found,) = fit.judge([request], {"it": facts(row["model"])}, gpus, concurrency, whole=True)
    return found


def lines() -> Iterator[str]:
    """The rows of the table in docs/sizing.md."""
    for row in TABLE["rows"]:
        found = work_out(row)
        args = ", ".join(f"`{key}: {value}`" for key, value in (row.get("args") or {}).items())
        gpus = f"{row.get('count', 1)} x {TABLE['gpus'][row['gpu']]['title']}"
        sequences = f"{found.concurrency:.1f}" if found.verdict != fit.REFUSED else "-"
        yield (
            f"| {MODELS[row['model']]['title']} | {gpus} | {args} | {found.need.total / GIB:.1f} GiB "
            f"| {found.verdict} | {sequences} |\n"
        )
