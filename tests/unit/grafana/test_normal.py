"""Comparison: what a server adds is no difference, and every other change is one."""

from __future__ import annotations

import copy
import json

from ansible_collections.gpufleet.serving.plugins.module_utils.grafana.normal import (
    both_outlines,
    differences,
    normalise,
    same,
)
from hypothesis import assume, given
from hypothesis import strategies as st
from recording import VLLM

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
KEYS = st.sampled_from(["expr", "name", "id", "refId", "panels", "list", "order", "datasource", "a", "b"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
PANELS = st.fixed_dictionaries(
    {"id": st.integers(1, 4), "title": st.text(max_size=5)}, optional={"targets": VALUES, "panels": VALUES}
)
MODELS = st.fixed_dictionaries(
    {"title": st.text(min_size=1, max_size=5), "uid": st.just("x")},
    optional={"panels": st.lists(PANELS, max_size=3), "templating": VALUES, "tags": VALUES, "schemaVersion": VALUES},
)


def as_stored(model, version):
    """As 7.5.5 answers: ids and version added, keys sorted, numbers as Go writes them."""
    added = {**model, "id": 12, "version": version, "iteration": 1700000000}
    return json.loads(json.dumps(added, sort_keys=True), parse_float=lambda text: float(text))


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@given(MODELS, st.integers(1, 99))
def test_what_was_pushed_equals_what_is_read_back(model, version):
    stored = as_stored(model, version)
    assert same(normalise(model), normalise(stored))
    assert same(normalise(model), normalise(without_nulls(stored)))
    assert differences(model, stored) == []
    wanted, there = both_outlines(model, stored)
    assert wanted == there


@given(MODELS, MODELS)
def test_every_difference_is_named(one, other):
    assume(not same(normalise(one), normalise(other)))
    assert differences(one, other) != []


@given(MODELS)
def test_normalising_twice_changes_nothing(model):
    assert same(normalise(normalise(model)), normalise(model))


def test_true_is_not_one_and_one_is_one():
    assert not same({"a": True}, {"a": 1})
    assert same(normalise({"a": 1.0}), {"a": 1})
    assert not same([1], [1, 2])


def test_a_renamed_panel_stays_the_same_panel():
    new = copy.deepcopy(VLLM)
    new["panels"][0]["title"] = "Requests running"
    new["panels"][0]["targets"][0]["expr"] = "sum(vllm:num_requests_running)"
    new["panels"].append({"id": 2, "title": "Waiting", "type": "stat"})
    assert differences(new, VLLM) == [
        "panel 1 'Requests running': targets A expr, title",
        "panel 2 'Waiting': id, title, type",
        "panels: order",
    ]


def test_panels_in_rows_and_variables_are_found_by_name():
    def model(expr, query):
        row = {"id": 1, "type": "row", "title": "R", "panels": [{"id": 5, "title": "P", "targets": [{"expr": expr}]}]}
        return {"panels": [row], "templating": {"list": [{"name": "site", "query": query}]}}

    assert differences(model("a", "x"), model("b", "y")) == [
        "panel 1 'R' > panel 5 'P': targets 1 expr",
        "templating: variable site query",
    ]
