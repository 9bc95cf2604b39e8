"""Filters for download addresses: see plugins/module_utils/sources.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils import sources


def mirrored(url: str, mirror: str | None = None) -> str:
    """Where to fetch a publisher's URL from: `https://HOST/PATH` becomes `<mirror>/archives/HOST/PATH`.

    Raises:
        AnsibleFilterError: the URL or the mirror cannot be used.
    """
    return _reported(sources.mirrored_url, url, mirror)


def expanded(template: str, version: str, machine: str, arch_names: dict[str, str] | None = None) -> str:
    """The URL of a version for a machine: `{version}`, `{machine}` and `{arch}` are replaced.

    Raises:
        AnsibleFilterError: an unknown placeholder, or a machine that has no name among `arch_names`.
    """
    return _reported(sources.expand, template, str(version), machine, arch_names)


def archive_path(url: str) -> str:
    """Where a mirror keeps a publisher's URL, relative to its root: `archives/HOST/PATH`.

    Raises:
        AnsibleFilterError: the URL cannot be used.
    """
    return _reported(sources.archive_path, url)


def _reported(function: Callable[..., str], *arguments: Any) -> str:
    try:
        return function(*arguments)
    except sources.SourceError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """mirrored, expanded, archive_path."""

    def filters(self):
        return {"mirrored": mirrored, "expanded": expanded, "archive_path": archive_path}
