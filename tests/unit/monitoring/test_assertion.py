"""The little language of assertions."""

import math

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.assertion import AssertionSyntaxError, parse

ONE_GOOD_ONE_BAD = [("a", [1.0]), ("b", [0.0])]


@pytest.mark.parametrize(
    ("text", "series", "passes"),
    [
        ("> 0.99", [("a", [1.0])], True),
        ("> 0.99", [("a", [0.99])], False),
        (">=0.99", [("a", [0.99])], True),
        ("== 1", ONE_GOOD_ONE_BAD, False),
        ("== 1 for all", ONE_GOOD_ONE_BAD, False),
        ("== 1 for any", ONE_GOOD_ONE_BAD, True),
        ("== 2 for any", ONE_GOOD_ONE_BAD, False),
        ("!= 1", [("a", [2.0, 3.0])], True),
        ("!= 1", [("a", [2.0, 1.0])], False),
        ("< 1e3", [("a", [999.0])], True),
        ("<= -1", [("a", [-1.0])], True),
        ("< +Inf", [("a", [math.inf])], False),
        ("absent", [], True),
        ("absent", [("a", [0.0])], False),
        ("present", [("a", [math.nan])], True),
        ("present", [], False),
        ("> 0", [], False),
        ("> 0 for any", [], False),
    ],
)
def test_what_holds_and_what_does_not(text, series, passes):
    assert (parse(text).problems(series) == []) is passes


@pytest.mark.parametrize("symbol", ["==", "!=", "<", "<=", ">", ">="])
def test_nan_never_satisfies(symbol):
    assert parse(f"{symbol} 0").problems([("a", [math.nan])])


def test_a_problem_names_the_series_and_both_values():
    assert parse("> 0.99").problems([('up{job="x"}', [0.5])]) == ['expected > 0.99, found 0.5 for up{job="x"}']


@pytest.mark.parametrize(
    "text", ["", "1", "=> 1", "> one", "> NaN", "> 1 for most", "absent for all", "> 1 2", "present!"]
)
def test_another_sentence_is_refused_with_the_forms_that_are_known(text):
    with pytest.raises(AssertionSyntaxError, match="for any"):
        parse(text)
