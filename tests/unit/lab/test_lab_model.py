"""The tiny model's files are what their formats say."""

import json
import struct

import pytest

from lab.mirror import build, model


@pytest.fixture(scope="module")
def files():
    return model.files(build.load().model)


@pytest.fixture(scope="module")
def weights(files):
    raw = files["model.safetensors"]
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    header.pop("__metadata__")
    return header, raw[8 + length :]


def test_the_same_seed_gives_the_same_bytes(files):
    assert model.files(build.load().model) == files


def test_the_tensors_lie_one_after_the_other_without_gaps(weights):
    header, data = weights
    position = 0
    for tensor in sorted(header.values(), key=lambda tensor: tensor["data_offsets"]):
        start, end = tensor["data_offsets"]
        count = 1
        for size in tensor["shape"]:
            count *= size
        assert (start, end - start, tensor["dtype"]) == (position, 4 * count, "F32")
        position = end
    assert position == len(data)


def test_the_shapes_fit_the_configuration(files, weights):
    header, _ = weights
    config = json.loads(files["config.json"])
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    assert header["model.embed_tokens.weight"]["shape"] == [config["vocab_size"], hidden]
    assert "lm_head.weight" not in header
    for number in range(config["num_hidden_layers"]):
        assert header[f"model.layers.{number}.mlp.down_proj.weight"]["shape"] == [hidden, inner]
        attention = config["num_attention_heads"] * config["head_dim"]
        assert header[f"model.layers.{number}.self_attn.o_proj.weight"]["shape"] == [hidden, attention]


def test_every_byte_is_a_token(files):
    tokenizer = json.loads(files["tokenizer.json"])["model"]
    assert sorted(tokenizer["vocab"].values()) == list(range(258))
    assert tokenizer["vocab"]["Ġ"] == 2 + 0x20, "byte-level tokenizers write the space so"
    assert tokenizer["vocab"]["a"] == 2 + ord("a")
    assert json.loads(files["config.json"])["vocab_size"] == 258
