"""What metric families used to be called, as the components tell it in files/monitoring/renames.yml."""

from __future__ import annotations

from functools import cache

import yaml

from .components import COLLECTION_ROOT


@cache
def known_renames() -> dict[str, str]:
    """Name in older guides and releases -> name now, of all components."""
    found: dict[str, str] = {}
    for file in sorted(COLLECTION_ROOT.glob("roles/*/files/monitoring/renames.yml")):
        found |= yaml.safe_load(file.read_text(encoding="utf-8"))
    return found
