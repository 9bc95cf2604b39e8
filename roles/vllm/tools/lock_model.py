#!/usr/bin/env python3
"""Print the digests of a hub model's files as lines for gpufleet_lock.yml.

    lock_model.py meta-llama/Llama-3.1-8B-Instruct COMMIT >> inventory/mine/group_vars/all/gpufleet_lock.yml

With --facts it prints the model's entry of vllm_model_facts instead, so that the inventory alone tells whether it fits.
Large files: the hub itself keeps their sha256. Small ones are fetched and hashed. A token for gated models is read from
HF_TOKEN. Documentation, other formats of the same weights and files named with --exclude are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

HUB = "https://huggingface.co"
NEVER_SERVED = [".gitattributes", ".gitignore", "*.md", "LICENSE*", "original/*", "onnx/*", "*.gguf"]
OTHER_WEIGHTS = ["*.bin", "*.pth", "*.pt", "*.h5", "*.msgpack"]
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


def get(url: str, token: str | None) -> tuple[bytes, Mapping[str, str]]:
    """Body and headers."""
    headers = {"User-Agent": "gpufleet"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    with urlopen(Request(url, headers=headers), timeout=60) as answer:  # noqa: S310 - the hub's own address
        return answer.read(), answer.headers


def listing(endpoint: str, model: str, commit: str, token: str | None) -> Iterator[dict[str, Any]]:
    """Every file of the model, as the hub describes it; the list comes in pages."""
    url: str | None = f"{endpoint}/api/models/{quote(model)}/tree/{commit}?recursive=true"
    while url:
        body, headers = get(url, token)
        yield from (entry for entry in json.loads(body) if entry["type"] == "file")
        found = _NEXT.search(headers.get("Link") or "")
        url = found[1] if found else None


def wanted(paths: Iterable[str], exclude: Iterable[str]) -> list[str]:
    """The files that a server needs, sorted."""
    paths = sorted(paths)
    patterns = [*NEVER_SERVED, *exclude]
    if any(path.endswith(".safetensors") for path in paths):
        patterns += OTHER_WEIGHTS
    return [path for path in paths if not any(fnmatchcase(path, pattern) for pattern in patterns)]


def digests(endpoint: str, model: str, commit: str, token: str | None, exclude: Iterable[str]) -> dict[str, str]:
    """Publisher's URL -> sha256."""
    files = {entry["path"]: entry for entry in listing(endpoint, model, commit, token)}
    found = {}
    for path in wanted(files, exclude):
        kept = (files[path].get("lfs") or {}).get("oid")
        if not kept:
            content, _ = get(f"{endpoint}/{model}/resolve/{commit}/{quote(path)}", token)
            kept = hashlib.sha256(content).hexdigest()
        found[f"{HUB}/{model}/resolve/{commit}/{path}"] = kept
    return found


def facts(endpoint: str, model: str, commit: str, token: str | None) -> dict[str, Any]:
    """What decides how much memory the model needs: its config.json, and the size of its weights if an index has it."""
    config, _ = get(f"{endpoint}/{model}/resolve/{commit}/config.json", token)
    found: dict[str, Any] = {"config": json.loads(config)}
    index = "model.safetensors.index.json"
    if any(entry["path"] == index for entry in listing(endpoint, model, commit, token)):
        content, _ = get(f"{endpoint}/{model}/resolve/{commit}/{index}", token)
        found["weight_bytes"] = json.loads(content)["metadata"]["total_size"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("commit")
    parser.add_argument("--exclude", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--facts", action="store_true", help="print an entry of vllm_model_facts")
    asked = parser.parse_args()
    if not re.fullmatch(r"[0-9a-f]{40}", asked.commit):
        sys.exit(f"{asked.commit!r} can move; give the 40 hexadecimal digits of a commit.")
    endpoint = os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
    if asked.facts:
        found = facts(endpoint, asked.model, asked.commit, os.environ.get("HF_TOKEN"))
        print(f"  {json.dumps(asked.model)}: {json.dumps(found)}")
        return
    for url, digest in digests(endpoint, asked.model, asked.commit, os.environ.get("HF_TOKEN"), asked.exclude).items():
        print(f"  {json.dumps(url)}: {digest}")


if __name__ == "__main__":
    main()
