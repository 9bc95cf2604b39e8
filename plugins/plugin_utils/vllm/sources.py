"""What the role brings for each version of vLLM: the locked set of wheels, and the arguments that its server knows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from packaging.version import InvalidVersion, Version

from ..components import COLLECTION_ROOT

FILES = COLLECTION_ROOT / "roles" / "vllm" / "files"


class SourceError(Exception):
    """There is nothing for this version; the text says what there is."""


def requirements_file(version: str, device: str, own_folder: str = "") -> Path:
    """The locked set of wheels, from the operator's own folder or from the role.

    Raises:
        SourceError: there is none.
    """
    folders = [Path(own_folder)] if own_folder else []
    folders.append(FILES / "requirements")
    for folder in folders:
        file = folder / f"{version}-{device}.txt"
        if file.is_file():
            return file
    known = sorted(
        file.name.removesuffix(f"-{device}.txt") for folder in folders for file in folder.glob(f"*-{device}.txt")
    )
    raise SourceError(
        f"there is no locked set of wheels for vLLM {version} on {device}; there is {', '.join(known) or 'none'}. "
        "The role's README says how to make one, and vllm_requirements_dir where to put it."
    )


def release_name(version: str, device: str, python: str, requirements: str) -> str:
    """Name of a venv's folder under /opt/vllm: whatever it is made from is in it, so it never has to change.

    Args:
        python: version or path of the interpreter.
        requirements: text of the locked set.
    """
    digest = hashlib.sha256(f"{python}\n{requirements}".encode()).hexdigest()
    return f"{version}-{device}-{digest[:8]}"


def flags(version: str) -> Mapping[str, Any]:
    """The arguments of `vllm serve`: those of `version`, or of the newest earlier one that is on record.

    Raises:
        SourceError: `version` is none, or older than all on record.
    """
    try:
        wanted = Version(version)
    except InvalidVersion:
        raise SourceError(f"{version!r} is no version; write it like 0.32.0, without a v in front.") from None
    recorded = {Version(file.stem): file for file in (FILES / "flags").glob("*.yml")}
    earlier = [candidate for candidate in recorded if candidate <= wanted]
    if not earlier:
        raise SourceError(f"vLLM {version} is older than what the role knows; the oldest is {min(recorded)}.")
    return yaml.safe_load(recorded[max(earlier)].read_text(encoding="utf-8"))


def indicators() -> Mapping[str, Any]:
    """What is measured of a model and may be promised: name -> metrics and, for some, bounds in seconds."""
    file = FILES / "monitoring" / "service_levels.yml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))["indicators"]
