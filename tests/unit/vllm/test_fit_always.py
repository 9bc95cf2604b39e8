"""What must hold for every model, context and GPU."""

from dataclasses import replace

from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm import fit, fit_memory
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm import model_shape_formats as formats
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.fit_memory import MIB
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.model_shape import with_quantization
from hypothesis import given
from hypothesis import strategies as st
from sizing import MODELS, judge, place

LARGE = sorted(set(MODELS) - {"deepseek-v3"})


@given(st.sampled_from(LARGE), st.integers(1, 131072), st.integers(0, 131072))
def test_a_longer_context_never_needs_less(model, length, more):
    placed = place(model)
    short, long = placed.need(length), placed.need(length + more)
    assert short.total <= long.total
    assert placed.room(short) >= placed.room(long)


@given(st.sampled_from(LARGE), st.sampled_from([1, 2, 4]), st.sampled_from([6144, 12288, 24576, 49152, 81920]))
def test_more_gpus_never_fit_worse(model, size, memory):
    gpu = fit.Gpu(memory * MIB)
    few, many = (place(model, gpu, n, tensor_parallel_size=n) for n in (size, 2 * size))
    if few.fits(few.need()):
        assert many.fits(many.need())
        assert many.room(many.need()) / many.need().sequence >= few.room(few.need()) / few.need().sequence


@given(st.sampled_from(LARGE), st.sampled_from(sorted(formats.VARIANTS)))
def test_a_quantised_variant_never_needs_more(model, variant):
    placed = place(model)
    if placed.shape.quantization is None:
        shape = with_quantization(placed.shape, formats.VARIANTS[variant])
        smaller = replace(placed, shape=shape, weights=fit_memory.read_weights(shape, placed.request, None))
        assert smaller.need().total < placed.need().total


@given(st.sampled_from(LARGE), st.sampled_from([12288, 24576, 49152]))
def test_what_is_advised_fits(model, memory):
    (found,) = judge(("it", model, [0], {}), gpus={0: fit.Gpu(memory * MIB)})
    for phrase in found.advice if found.verdict == fit.REFUSED else []:
        if phrase.startswith("max-model-len"):
            args = {"max-model-len": int(phrase.split()[1])}
            (again,) = judge(("it", model, [0], args), gpus={0: fit.Gpu(memory * MIB)})
            assert again.verdict != fit.REFUSED
        if phrase.startswith("tensor-parallel-size"):
            on = list(range(int(phrase.split()[1])))
            (again,) = judge(("it", model, on, {}), gpus=dict.fromkeys(on, fit.Gpu(memory * MIB)))
            assert again.verdict != fit.REFUSED
