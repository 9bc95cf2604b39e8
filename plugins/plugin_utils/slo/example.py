"""The generated rules of a made-up inventory that promises everything it can: for the proof at rest."""

from __future__ import annotations

from pathlib import Path

import yaml

from ..components import COLLECTION_ROOT
from . import objectives, rules


def rule_files(root: Path = COLLECTION_ROOT) -> dict[str, str]:
    """Name -> text, one file per room under `root` that has service levels."""
    return {
        f"{file.parents[2].name}/{rules.FILE}": _rendered(yaml.safe_load(file.read_text(encoding="utf-8")))
        for file in sorted(root.glob("roles/*/files/monitoring/service_levels.yml"))
    }


def _rendered(definition: dict) -> str:
    promised = {
        slo: {"seconds": indicator["bounds"][0], "percent": 99} if "bounds" in indicator else 99
        for slo, indicator in definition["indicators"].items()
    }
    return rules.rule_file(objectives.parse("example", promised), definition)
