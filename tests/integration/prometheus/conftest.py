"""Prometheus servers that live as long as the tests."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_server import ROOT, RunningPrometheus, binary, running

sys.path.insert(0, str(ROOT / "tests" / "unit" / "exposition"))


@pytest.fixture(scope="session")
def start_prometheus(tmp_path_factory):
    """start_prometheus(version, config, *flags) -> RunningPrometheus; all of them end with the session."""
    programs: dict[str, Path] = {}
    with ExitStack() as servers:

        def start(version: str, config: dict, *flags: str) -> RunningPrometheus:
            if version not in programs:
                programs[version] = binary(version, tmp_path_factory.mktemp(f"prometheus-{version}"))
            folder = tmp_path_factory.mktemp("run")
            (folder / "data").mkdir()
            return servers.enter_context(running(version, programs[version], folder, config, flags))

        yield start
