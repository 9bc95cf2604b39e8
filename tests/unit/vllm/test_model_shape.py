"""What is read from config.json."""

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm import model_shape_formats as formats
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm import model_shape_layers as layers
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.model_shape import ShapeError, read_shape
from sizing import MODELS

LLAMA = MODELS["llama-3-8b"]["config"]


@pytest.mark.parametrize("model", [name for name, model in MODELS.items() if "bytes" in model])
def test_parameters_are_counted_to_a_ten_thousandth(model):
    """Against total_size of the published index, with the bytes that its format takes."""
    shape = read_shape(MODELS[model]["config"])
    parameters, quantization = shape.parameters, shape.quantization
    experts = quantization.linear if quantization else 2
    counted = 2 * (parameters.total - parameters.experts) + experts * parameters.experts
    assert counted == pytest.approx(MODELS[model]["bytes"], rel=2e-3 if quantization else 1e-4)


def test_a_model_of_several_parts_is_its_language_model():
    shape = read_shape(MODELS["gemma-3-4b"]["config"])
    assert (shape.layers, shape.heads, shape.kv_heads, shape.vocabulary) == (34, 8, 4, 262208)
    assert [(one.kind, one.layers, one.window) for one in shape.attention] == [("full", 5, None), ("window", 29, 1024)]
    assert shape.uncounted == ("the encoder's activations and cache",)
    # A language model whose config says little is what transformers makes of it.
    llava = read_shape({"model_type": "llava", "text_config": {"model_type": "llama"}, "vision_config": {}})
    assert (llava.layers, llava.hidden, llava.kv_heads) == (32, 4096, 32)


def test_only_attention_layers_keep_a_cache():
    mixed = {**LLAMA, "layer_types": ["linear_attention"] * 24 + ["full_attention"] * 8}
    shape = read_shape(mixed)
    assert [(one.kind, one.layers) for one in shape.attention] == [("full", 8)]
    assert shape.uncounted == ("the state of its linear attention layers",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ({"sliding_window": 4096, "model_type": "mistral"}, "wwwwwwww"),
        ({"sliding_window": 4096, "model_type": "qwen2", "use_sliding_window": False}, "ffffffff"),
        ({"sliding_window": 4096, "model_type": "qwen2"}, "ffffffff"),
        ({"sliding_window": 4, "model_type": "qwen2", "use_sliding_window": True, "max_window_layers": 6}, "ffffffww"),
        ({"sliding_window": 512, "model_type": "gemma3_text"}, "wwwwwfww"),
        ({"sliding_window": 512, "model_type": "gemma3_text", "sliding_window_pattern": 4}, "wwwfwwwf"),
        ({"attention_chunk_size": 8192, "model_type": "llama4_text"}, "cccfcccf"),
        ({"hybrid_override_pattern": "M*-M*-M-"}, "nfnnfnnn"),
        ({"num_kv_shared_layers": 3}, "fffff"),
    ],
)
def test_what_layers_look_back_to(text, expected):
    assert "".join(kind[0] for kind in layers.kinds(text, 8)) == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_hidden_layers": None}, "config.json says no num_hidden_layers"),
        ({"layer_types": ["telepathy"] * 32}, "unknown kind, telepathy"),
        ({"mamba_d_state": 16}, "does not list which of its layers are attention"),
        ({"num_key_value_heads": [8, 4]}, "different numbers of KV heads"),
        ({"block_configs": [{}]}, "different shapes"),
    ],
)
def test_what_is_not_known_is_said(change, said):
    with pytest.raises(ShapeError, match=said):
        read_shape({**LLAMA, **change})


@pytest.mark.parametrize(
    ("config", "name", "size"),
    [
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "awq 4 bit", 0.5 + 2.5 / 128),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, "gptq 8 bit", 1.0),
        ({"quant_method": "fp8"}, "fp8", 1.0),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes 4 bit", 0.5625),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes 8 bit", 1.0),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4", 0.5625),
        ({"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "FP8"}}, "fp8", 1.0),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {
                    "g": {"weights": {"num_bits": 4, "type": "int", "group_size": 128, "symmetric": True}}
                },
            },
            "int4",
            0.5 + 2 / 128,
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"num_bits": 4, "type": "float", "group_size": 16}}},
            },
            "nvfp4",
            0.5625,
        ),
    ],
)
def test_formats_of_weights(config, name, size):
    found = formats.stored({"quantization_config": config})
    assert (found.name, found.linear) == (name, size)


def test_lengths():
    assert read_shape(MODELS["llama-3.1-8b"]["config"]).max_length == 131072
    assert read_shape(MODELS["deepseek-v3"]["config"]).max_length == 163840
    assert read_shape({**LLAMA, "rope_scaling": {"type": "linear", "factor": 4}}).max_length == 32768
    assert read_shape(LLAMA, {"max_position_embeddings": 4096}).max_length == 4096


def test_a_checkpoint_in_float32_is_served_in_half_of_it():
    shape = read_shape(MODELS["starcoder"]["config"])
    assert (shape.stored_dtype, shape.dtype, shape.kv_heads) == ("float32", "bfloat16", 1)
