"""What the variables of the driver must say together, beyond what their types say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

_VERSION = re.compile(r"\d{3,4}\.\d+(\.\d+)?")
# The first branch that is signed, packaged and pinned as this role expects it.
_OLDEST = 525


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence per problem. `values` are the role's public variables of one host."""
    if values["nvidia_driver_state"] == "absent":
        return []
    return [*_versions(values), *_source(values), *_choices(values)]


def _versions(values: Mapping[str, Any]) -> Iterator[str]:
    branch, version, source = (values[f"nvidia_driver_{name}"] for name in ("branch", "version", "source"))
    if branch and not (branch.isdigit() and int(branch) >= _OLDEST):
        yield f'nvidia_driver_branch is {branch!r}; write a number such as "580", {_OLDEST} or later.'
    if version and not _VERSION.fullmatch(version):
        yield f"nvidia_driver_version is {version!r}; write NVIDIA's own version, such as 580.95.05."
    elif version and branch and not version.startswith(f"{branch}."):
        yield (
            f"nvidia_driver_version {version} is not of the branch {branch}; "
            f'set nvidia_driver_branch: "{version.split(".")[0]}".'
        )
    if not branch and not version and source != "distribution":
        yield f"nvidia_driver_branch is empty, which only the source distribution allows; the source is {source}."


def _source(values: Mapping[str, Any]) -> Iterator[str]:
    url, key = values["nvidia_driver_repository_url"], values["nvidia_driver_repository_key"]
    if values["nvidia_driver_source"] != "mirror":
        for name, value in (("url", url), ("key", key)):
            if value:
                yield f"nvidia_driver_repository_{name} is for the source mirror; set that or remove this."
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield f"nvidia_driver_repository_url is {url!r}; write the address of your repository, http(s)://HOST/PATH/."
    elif parts.username is not None:
        yield "nvidia_driver_repository_url has credentials in it, which would be readable on the host."
    if "BEGIN PGP PUBLIC KEY BLOCK" not in key:
        yield "nvidia_driver_repository_key must be the armoured public key of your repository (BEGIN PGP PUBLIC ...)."


def _choices(values: Mapping[str, Any]) -> Iterator[str]:
    for name in ("fabric_manager", "signed_modules"):
        value = values[f"nvidia_driver_{name}"]
        if value != "auto" and not isinstance(value, bool):
            yield f"nvidia_driver_{name} is {value!r}; write auto, true or false."
    for name in ("reboot_batch", "reboot_timeout", "install_timeout"):
        if values[f"nvidia_driver_{name}"] < 1:
            yield f"nvidia_driver_{name} is {values[f'nvidia_driver_{name}']}; write 1 or more."
