"""grafana.ini as the role writes it, read back as Grafana reads it."""

from __future__ import annotations

import pytest
from ansible_collections.gpufleet.serving.plugins.filter.grafana import sections
from ansible_collections.gpufleet.serving.plugins.plugin_utils.grafana.ini import IniError, render
from hypothesis import given
from hypothesis import strategies as st

from lab.standins.grafana import ini as standin

NAMES = st.from_regex(r"[a-z][a-z_.]{0,10}[a-z]", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=20)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, TEXTS, max_size=3), max_size=3))
def test_text_comes_back_as_it_was(config):
    try:
        text = render(config)
    except IniError as error:
        assert "both kinds of quotes" in str(error)
        return
    found = {(section, key): value for section, key, value in standin.parse(text)}
    assert found == {(section, key): value for section, values in config.items() for key, value in values.items()}


def test_types():
    text = render({"": {"instance_name": "x"}, "server": {"http_port": 3000, "enable_gzip": True, "domain": None}})
    assert text.splitlines()[1:] == [
        "instance_name = x",
        "",
        "[server]",
        "http_port = 3000",
        "enable_gzip = true",
        "domain =",
    ]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"a": {"b": ["x"]}}, "a.b: expected text, a number or true/false, found list"),
        ({"a": {"b": "x\ny"}}, "a.b: has a line break"),
        ({"a": {"b c": 1}}, "'b c' is no name"),
        ({"a]": {}}, "is no name"),
    ],
)
def test_what_it_cannot_hold(config, said):
    with pytest.raises(IniError) as error:
        render(config)
    assert said in str(error.value)


def test_sections_are_laid_on_top_key_by_key():
    assert sections({"a": {"x": 1, "y": 2}, "b": {}}, {"a": {"y": 3}, "c": {"z": 4}}) == {
        "a": {"x": 1, "y": 3},
        "b": {},
        "c": {"z": 4},
    }
