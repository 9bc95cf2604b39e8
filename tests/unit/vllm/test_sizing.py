"""The table of known models on known GPUs, and its place in the documentation."""

from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.vllm.fit_request import GIB
from sizing import HEAD, TABLE, lines, work_out

DOCUMENT = Path(__file__).parents[3] / "docs" / "sizing.md"


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: f"{row['model']} on {row.get('count', 1)} {row['gpu']}")
def test_the_table(row):
    found = work_out(row)
    assert found.verdict == row["verdict"], found.message
    assert round(found.need.total / GIB, 1) == row["needs"]
    assert found.verdict == "refused" or round(found.concurrency, 1) == row["sequences"]
    for way in row.get("fits", []):
        assert any(phrase.startswith(way) for phrase in found.advice), found.message


def test_the_documentation_shows_this_table():
    assert HEAD + "".join(lines()) in DOCUMENT.read_text(encoding="utf-8")
