"""Arithmetic that was done by hand, what must always hold, and what the operator reads."""

from pathlib import Path

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm import fit, fit_memory
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.fit_memory import MIB
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.fit_request import (
    GIB,
    RequestError,
    batch,
    read_request,
)
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.model_shape import read_shape
from sizing import CARD, MODELS, facts, judge, place

MEASURED = yaml.safe_load((Path(__file__).parent / "fit_measured.yml").read_text())
LLAMA = read_shape(MODELS["llama-3-8b"]["config"])


def test_llama_3_8b_by_hand():
    # 2 (keys and values) x 32 layers x 8 KV heads x 128 x 2 bytes
    assert fit_memory.token_bytes(LLAMA, read_request("it", [0], {})) == 131072
    needed = place("llama-3-8b").need()
    assert needed.sequence == 8192 * 131072 == 1 * GIB
    assert round(needed.weights / GIB, 2) == 14.96
    # 4 x 4096 + 3 x 14336 numbers of 2 bytes for 2048 tokens, against 256 x 128256 logits of 10
    assert needed.activations == max(2 * 2048 * (4 * 4096 + 3 * 14336), 10 * 256 * 128256)
    # piecewise graphs for 51 sizes up to 512, whole ones for 35 up to 256
    assert needed.graphs == (100 + 5 * (51 + 35)) * MIB
    assert place("llama-3-8b").budget == (24 * GIB - 400 * MIB) * 0.92


def test_parallel_splits_by_hand():
    two = place("llama-3-8b", tensor_parallel_size=2, count=2).need()
    assert two.sequence == GIB / 2
    assert round(two.weights / GIB, 2) == 7.48
    staged = place("llama-3-8b", pipeline_parallel_size=2, count=2).need()
    assert staged.sequence == GIB / 2
    # half of the layers, and the embedding or the head: 128256 x 4096 x 2 bytes
    table = 128256 * 4096 * 2
    assert staged.weights == pytest.approx((16060522496 - 2 * table) / 2 + table, rel=1e-3)
    assert two.libraries > place("llama-3-8b").need().libraries


def test_fewer_kv_heads_than_ranks_are_replicated():
    shape = read_shape(MODELS["starcoder"]["config"])
    one, four = (fit_memory.token_bytes(shape, read_request("it", [0], {"tensor-parallel-size": n})) for n in (1, 4))
    assert one == four == 40 * 2 * 128 * 2
    eight = fit_memory.token_bytes(LLAMA, read_request("it", [0], {"tensor-parallel-size": 8}))
    sixteen = fit_memory.token_bytes(LLAMA, read_request("it", [0], {"tensor-parallel-size": 16}))
    assert eight == sixteen == 131072 / 8


def test_a_latent_cache_is_one_vector_that_is_not_split():
    shape = read_shape(MODELS["deepseek-v3"]["config"])
    per_token = fit_memory.token_bytes(shape, read_request("it", list(range(8)), {}))
    assert per_token == 61 * (512 + 64) * 2
    packed = fit_memory.token_bytes(shape, read_request("it", [0], {"kv-cache-dtype": "fp8_ds_mla"}))
    assert packed == 61 * 656


def test_windows_keep_what_they_look_back_to_and_what_is_in_flight():
    needed = place("mistral-7b-v0.1").need()
    blocks = -(-(4096 - 1 + 2 * 2048) // 16) + 1
    assert needed.sequence == blocks * 16 * 131072
    assert needed.token == 0
    # Half of Gemma 2's layers are windows; its context of 8192 is shorter than what they would keep.
    gemma = place("gemma-2-9b").need()
    assert gemma.sequence == 21 * 8 * 512 * 2 * (8192 + (512 + 1) * 16)


def test_a_cache_of_8_bits_is_half_as_large():
    assert place("llama-3-8b", kv_cache_dtype="fp8").need().sequence == GIB / 2
    # NVFP4 checkpoints bring an fp8 cache along.
    assert place("llama-3-70b-nvfp4").need().sequence == 80 * 8 * 256 * 8192


@pytest.mark.parametrize("entry", MEASURED, ids=lambda entry: f"{entry['model']}, {entry['usable']} GiB")
def test_what_others_measured(entry):
    args = {key.replace("-", "_"): value for key, value in entry["args"].items()}
    gpu = fit.Gpu(int(entry["usable"] * GIB) + fit_memory.DRIVER_RESERVE, "NVIDIA A100")
    placed = place(entry["model"], gpu, args.get("tensor_parallel_size", 1), **args)
    needed = placed.need()
    room = placed.room(needed)
    if "weights" in entry:
        assert needed.weights / GIB == pytest.approx(entry["weights"], abs=0.03)
    if "cache" in entry:
        # Less was never measured to be needed than what is said here, but for a tenth of a GiB.
        assert entry["cache"] - 0.1 < room / GIB < entry["cache"] + 1.3
    if "graphs" in entry:
        assert needed.graphs / GIB == pytest.approx(entry["graphs"], abs=0.05)
    if "sequences" in entry:
        assert room / needed.sequence == pytest.approx(entry["sequences"], rel=0.05)


def test_the_refusal_carries_the_arithmetic_and_what_would_fit():
    (found,) = judge(("llama", "llama-3-8b", [0], {}), gpus={0: fit.Gpu(12288 * MIB, "NVIDIA GeForce RTX 3060")})
    assert found.message == (
        "llama does not fit on GPU 0: it needs 17.2 GiB, 6.5 GiB more than vLLM may use: 10.7 GiB "
        "(gpu-memory-utilization 0.92 of 11.6 GiB).\n"
        "  weights 15.0 GiB (model.safetensors.index.json) + engine 1.2 GiB (activations 0.31 GiB, CUDA graphs 0.52 "
        "GiB, libraries 0.39 GiB) + KV cache 1.0 GiB (one sequence of 8192 tokens, 128.0 KiB a token)\n"
        "  What would fit: a variant of the model in fp8 (needs 10.7 GiB); or a variant of the model in 4 bit (needs "
        "7.5 GiB); or tensor-parallel-size 2 over 2 such GPUs (9.5 GiB on each)."
    )


def test_neighbours_on_one_gpu_get_what_is_left():
    first = ("chat", "llama-3-8b", [0], {"gpu-memory-utilization": 0.5, "max-model-len": 4096})
    second = ("code", "llama-3-8b-awq", [0], {"gpu-memory-utilization": 0.45, "max-model-len": 4096})
    chat, code = judge(first, second, gpus={0: CARD})
    assert (chat.verdict, code.verdict) == ("refused", "fits")
    # 17.2 and 7.5 GiB are more than this card has, whoever takes how much.
    assert not [phrase for phrase in chat.advice if phrase.startswith("gpu-memory-utilization")]
    large = {0: fit.Gpu(32 * GIB)}
    chat, code = judge(first, second, gpus=large)
    assert chat.verdict == "refused"
    (way,) = [phrase for phrase in chat.advice if phrase.startswith("gpu-memory-utilization")]
    words = way.split()
    first[3]["gpu-memory-utilization"], second[3]["gpu-memory-utilization"] = float(words[1]), float(words[4])
    assert [one.verdict for one in judge(first, second, gpus=large, concurrency=1)] == ["fits", "fits"]


def test_what_cannot_be_known_is_said_and_never_refused():
    (found,) = judge(("it", "llama-3-8b", [0], {}), it={"why": "config.json did not come"})
    assert (found.verdict, found.message) == ("unknown", "it: cannot judge whether it fits: config.json did not come.")
    (found,) = judge(("it", "llama-3-8b", [0, 1], {}), gpus={0: CARD}, whole=False)
    assert found.verdict == "unknown"
    assert "vllm_gpu_memory_gib" in found.message
    (found,) = judge(("it", "llama-3-8b", [0], {}), it={"config": {"model_type": "mamba"}})
    assert found.verdict == "unknown"


def test_a_gpu_cannot_be_given_away_twice():
    half = {"gpu-memory-utilization": 0.5, "max-model-len": 2048}
    gpu = {0: fit.Gpu(48 * GIB)}
    both = judge(("a", "llama-3-8b", [0], half), ("b", "llama-3-8b", [0], half), gpus=gpu)
    assert [one.verdict for one in both] == ["tight", "tight"]
    assert "leaves less than 0.29 GiB for their CUDA contexts" in both[0].message
    fixed = {"kv-cache-memory-bytes": "16G"}
    both = judge(("a", "llama-3-8b", [0], fixed), ("b", "llama-3-8b", [0], fixed), gpus=gpu)
    assert [one.verdict for one in both] == ["refused", "refused"]
    assert "a and b together claim 64." in both[0].message
    apart = judge(("a", "llama-3-8b", [0], fixed), ("b", "llama-3-8b", [1], fixed), gpus={0: gpu[0], 1: gpu[0]})
    assert [one.verdict for one in apart] == ["fits", "fits"]


def test_a_format_of_unknown_size_needs_the_size_of_its_files():
    strange = {**MODELS["llama-3-8b"]["config"], "quantization_config": {"quant_method": "quip"}}
    (found,) = judge(("it", "llama-3-8b", [0], {}), it={"config": strange})
    assert found.message.endswith("how large its weights are in the format quip is not known.")
    (found,) = judge(("it", "llama-3-8b", [0], {}), it={"config": strange, "weights": {"bytes": 5 * GIB}})
    assert (found.verdict, round(found.need.weights / GIB, 2)) == ("fits", 5)
    (found,) = judge(("it", "llama-3-8b", [0], {"quantization": "torchao"}))
    assert "in the format torchao is not known" in found.message


def test_what_cannot_start_for_another_reason_is_refused_too():
    (found,) = judge(("it", "llama-3-8b", [0, 2], {}))
    assert found.message == "it wants GPU 2, which this host does not have: its GPUs are 0, 1."
    (found,) = judge(("it", "llama-3-8b", [0, 1, 2], {}), gpus=dict.fromkeys(range(3), CARD))
    assert "tensor-parallel-size 3 does not divide the model's 32 attention heads" in found.message
    (found,) = judge(("it", "llama-3-8b", [0], {"gpu-memory-utilization": 0.999}))
    assert "write 0.99 at most" in found.message


def test_vllm_may_look_for_the_length_itself():
    (found,) = judge(("it", "llama-3.1-8b", [0], {"max-model-len": "auto"}))
    assert found.verdict == "fits"
    assert 40000 < found.need.length < 50000
    (found,) = judge(("it", "llama-3-70b", [0], {"max-model-len": -1}))
    assert found.verdict == "refused"


def test_a_cache_of_stated_size_replaces_the_utilization():
    args = {"kv-cache-memory-bytes": "4G"}
    (found,) = judge(("it", "llama-3-8b", [0], args), concurrency=1)
    assert found.verdict == "fits"
    assert found.concurrency == 4
    (found,) = judge(("it", "llama-3-8b", [0], {"kv-cache-memory-bytes": "16G"}))
    assert found.verdict == "refused"
    (found,) = judge(("it", "llama-3-8b", [0], {"kv-cache-memory-bytes": "512M"}))
    assert "KV cache 0.50 GiB (kv-cache-memory-bytes; one sequence takes 1.0 GiB)" in found.message


def test_weights_in_the_hosts_memory_leave_the_gpu():
    (found,) = judge(("it", "llama-3-8b", [0], {"cpu-offload-gb": 8}), gpus={0: fit.Gpu(12288 * MIB)})
    assert found.verdict != "refused"


def test_types_that_weights_are_converted_to():
    def weights(model, measured=None, **args):
        request = read_request("it", [0], args)
        return fit_memory.read_weights(read_shape(MODELS[model]["config"]), request, measured).total

    # StarCoder is stored in float32 and served in half of it, measured or not.
    stored = 4 * 15766388736
    assert weights("starcoder") == stored / 2
    assert weights("starcoder", {"bytes": stored}) == stored / 2
    assert weights("starcoder", {"bytes": stored, "dtypes": {"F32": stored}}, dtype="float32") == stored
    assert weights("starcoder", {"bytes": stored / 2, "dtypes": {"F16": stored / 2}}) == stored / 2
    # What is quantised on the way in keeps its embedding in 16 bit.
    tables = 2 * 2 * 128256 * 4096
    online = weights("llama-3-8b", facts("llama-3-8b")["weights"], quantization="fp8")
    assert online == pytest.approx((16060522496 - tables) / 2 + tables, rel=1e-4)
    # Files of 4 bit are served as they are.
    assert weights("llama-3-8b-awq", {"bytes": 5_730_000_000}) == pytest.approx(5_730_000_000)


def test_arguments_as_vllm_reads_them():
    request = read_request(
        "it", [3, 5], {"max-model-len": "16K", "max-num-batched-tokens": "2k", "enforce-eager": True}
    )
    assert (request.max_length, request.max_tokens, request.tensor, request.eager) == (16384, 2000, 2, True)
    assert read_request("it", [], {"tensor-parallel-size": 4}).gpus == (0, 1, 2, 3)
    assert read_request("it", [0, 1], {"pipeline-parallel-size": 2}).tensor == 1
    with pytest.raises(RequestError, match="max-model-len is 'long', which is no size"):
        read_request("it", [0], {"max-model-len": "long"})


@pytest.mark.parametrize(
    ("memory", "name", "expected"),
    [
        (24, None, (256, 2048)),
        (80, "NVIDIA A100-SXM4-80GB", (256, 2048)),
        (80, "NVIDIA H100 80GB HBM3", (1024, 8192)),
        (80, None, (256, 2048)),
        (180, "NVIDIA B200", (1024, 16384)),
    ],
)
def test_defaults_follow_the_gpu(memory, name, expected):
    assert batch(read_request("it", [0], {}), 8192, memory * GIB, name) == expected
