"""Fixtures for the release tests."""

from release_fixtures import certificates, opt, ordering, publisher  # noqa: F401
