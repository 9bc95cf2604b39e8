"""Fixtures for tests of releases: a publisher on loopback, a place to install to, and orders."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path

import pytest
from release_server import serving
from release_tls import make as make_certificates


@pytest.fixture
def publisher():
    with serving() as running:
        yield running


@pytest.fixture
def opt():
    """Stands in for /opt/demo: exists only once something is installed."""
    # Not below pytest's own folder, which is closed to nobody, who runs the smoke test.
    with tempfile.TemporaryDirectory(prefix="gpufleet-release-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "opt" / "demo"


@pytest.fixture
def ordering(publisher, opt):
    """Publishes a version and returns the order for it; see release_orders.make."""
    # Not at the top: the collection resolves only once the tests' main conftest has run.
    make = import_module("release_orders").make
    return lambda *arguments, **changes: make(publisher, opt, *arguments, **changes)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("tls"))
