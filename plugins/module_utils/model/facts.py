# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What is known of a model before its weights are: its config.json, and how large they are.

Looked for on the host first. What is missing is fetched, the two small files and nothing else; with digests they are
checked, and lie where the rest of the model is going to be gathered, so that they are not fetched again.
"""

from __future__ import annotations

import hashlib
import json
import os
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

from ..release import lock
from ..release.http import Client, RedirectError
from .errors import FetchError, ModelError, WrongDigestError
from .folder import Folder, digest_of, make_folders
from .safetensors import INDEX, from_index, parse_index, weights_in

CONFIG = "config.json"
_MOST_BYTES = 64 * 1024 * 1024
_PATIENCE = 10.0


def read(folders: list[str]) -> dict[str, Any] | None:
    """The facts from the first folder that has a config.json; None if none has.

    Returns:
        `config`, `weights` (see safetensors.weights_in), `found`: the folder; or `why` its config cannot be used.
    """
    for folder in folders:
        path = os.path.join(folder, CONFIG)
        if os.path.isfile(path):
            try:
                with open(path, "rb") as file:
                    config = parse_config(file.read())
            except (OSError, ValueError) as error:
                return {"why": f"{path} cannot be used: {error}"}
            return {"config": config, "weights": weights_in(folder), "found": folder}
    return None


def parse_config(content: bytes) -> dict[str, Any]:
    """Raises ValueError: it is no JSON object."""
    config = json.loads(content.decode("utf-8"))
    if not isinstance(config, dict):
        raise ValueError("it is no JSON object")
    return config


def fetch(client: Client, base: str, locked: Folder | None, keep: bool) -> dict[str, Any]:
    """The facts from a publisher or a mirror.

    Args:
        base: address of the model's files, without a slash at its end.
        locked: the model's folder with its digests; None takes the files as they come.
        keep: put them where the rest is gathered.

    Raises:
        ModelError: config.json is not to be had, or is another than the locked one.
        BusyError: somebody else gathers this model.
    """
    if locked is not None and CONFIG not in locked.files:
        raise FetchError(f"the lock has digests of its files, but none of its {CONFIG}")
    contents = {CONFIG: _get(client, base, CONFIG)}
    if locked is None or INDEX in locked.files:
        try:
            contents[INDEX] = _get(client, base, INDEX)
        except FetchError:
            # A model of one file has none; its size is counted from the config then.
            if locked is not None:
                raise
    if locked is not None:
        _check(locked, contents, keep)
    try:
        config = parse_config(contents[CONFIG])
    except ValueError as error:
        raise ModelError(f"{base}/{CONFIG} cannot be used: {error}") from error
    index = parse_index(contents.get(INDEX, b""))
    return {"config": config, "weights": from_index(index[0]) if index else None, "found": base}


def _get(client: Client, base: str, name: str) -> bytes:
    address = f"{base}/{quote(name)}"
    try:
        with client.get(address) as answer:
            content = answer.read(_MOST_BYTES + 1)
    except HTTPError as error:
        with error:
            remedy = " Set vllm_hub_token to a token that may read this model" if error.code in (401, 403) else ""
            raise FetchError(f"{address}: HTTP {error.code} {error.reason}.{remedy}".rstrip(".")) from error
    except (OSError, HTTPException, RedirectError) as error:
        raise FetchError(f"{address}: {getattr(error, 'reason', None) or error}") from error
    if len(content) > _MOST_BYTES:
        raise FetchError(f"{address} is larger than such a file can be")
    return content


def _check(folder: Folder, contents: dict[str, bytes], keep: bool) -> None:
    if not keep:
        for name, content in contents.items():
            if hashlib.sha256(content).hexdigest() != folder.files[name]:
                raise _wrong(folder, name)
        return
    parent = os.path.dirname(folder.path)
    make_folders(parent)
    with lock.held(parent, _PATIENCE):
        for name, content in contents.items():
            path = folder.staged(name)
            with open(path, "wb") as file:
                file.write(content)
            if digest_of(path) != folder.files[name]:
                os.unlink(path)
                raise _wrong(folder, name)
            folder.accept(name)


def _wrong(folder: Folder, name: str) -> WrongDigestError:
    return WrongDigestError(
        f"{name} has a wrong checksum: expected sha256 {folder.files[name]}. Either the copy is damaged, or somebody "
        "changed what was published"
    )
