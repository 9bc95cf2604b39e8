"""Fixtures for the release tests: a publisher on loopback and orders against it."""

from __future__ import annotations

from importlib import import_module

import pytest
from release_server import serving
from release_tls import make as make_certificates


@pytest.fixture
def publisher():
    with serving() as running:
        yield running


@pytest.fixture
def opt(tmp_path):
    """Stands in for /opt/demo: exists only once something is installed."""
    # pytest's own folders are closed to nobody, who runs the smoke test.
    for folder in (tmp_path, *tmp_path.parents):
        if folder.name.startswith("pytest-"):
            folder.chmod(0o755)
    tmp_path.chmod(0o755)
    return tmp_path / "opt" / "demo"


@pytest.fixture
def ordering(publisher, opt):
    """Publishes a version and returns the order for it; see release_orders.make."""
    # Not at the top: the collection resolves only once the tests' main conftest has run.
    make = import_module("release_orders").make
    return lambda *arguments, **changes: make(publisher, opt, *arguments, **changes)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("tls"))
