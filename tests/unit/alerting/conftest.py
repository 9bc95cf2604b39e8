"""amtool, as the lab's mirror brings it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

AMTOOL = Path(__file__).parents[3] / ".cache/tools/amtool-0.33.1"


@pytest.fixture
def amtool() -> Callable[..., subprocess.CompletedProcess]:
    """`amtool(*arguments)`: the finished process, output as text."""
    assert AMTOOL.is_file(), "amtool is missing; run `lab/lab tools`"
    return lambda *arguments: subprocess.run([AMTOOL, *arguments], capture_output=True, text=True, timeout=60)
