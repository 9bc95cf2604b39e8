"""Module streams of an RPM repository: which packages dnf may see while a stream is enabled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from lab.packages import rpm
from lab.packages.package import Package

_NAME = "nvidia-driver"
_PROFILES = {"default": ("nvidia-driver-cuda",), "fm": ("nvidia-driver-cuda", "nvidia-fabric-manager")}


def metadata(streams: Mapping[str, Sequence[Package]]) -> str:
    """modules.yaml (modulemd 2): a document per stream. No stream is the default, as in NVIDIA's repository."""
    documents = [_document(stream, packages) for stream, packages in streams.items()]
    return yaml.safe_dump_all(documents, sort_keys=False, explicit_start=True, explicit_end=True)


def _document(stream: str, packages: Sequence[Package]) -> dict[str, Any]:
    artifacts = [f"{one.name}-{one.epoch or 0}:{rpm.full_version(one)}.x86_64" for one in packages]
    names = {package.name for package in packages}
    profiles = {name: {"rpms": list(rpms)} for name, rpms in _PROFILES.items() if names.issuperset(rpms)}
    return {
        "document": "modulemd",
        "version": 2,
        "data": {
            "name": _NAME,
            "stream": stream,
            "version": 20260101000000,
            "context": "1ab1ab1a",
            "arch": "x86_64",
            "summary": f"NVIDIA driver, stream {stream} (stand-in)",
            "description": "Stand-ins of the lab of gpufleet.",
            "license": {"module": ["MIT"]},
            "dependencies": [{"requires": {"platform": ["el9"]}}],
            "profiles": profiles,
            "artifacts": {"rpms": sorted(artifacts)},
        },
    }
