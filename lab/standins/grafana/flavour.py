"""What servers of different versions do differently, as far as clients notice."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Flavour:
    """`legacy` and `apis`: which of the two APIs the server has. `nested`: whether folders nest.

    `by_uid`: whether folders are taken by uid (from 8 on) or by id only; versions are asked for in the same manner.
    """

    version: str
    by_uid: bool = True
    nested: bool = True
    legacy: bool = True
    apis: bool = True


def of(version: str) -> Flavour:
    """By version; GRAFANA_STANDIN_LEGACY=no takes /api away for dashboards, as some later major version will."""
    major = int(re.match(r"\d+", version).group())
    return Flavour(
        version,
        by_uid=major >= 8,
        nested=major >= 11,
        apis=major >= 12,
        legacy=os.environ.get("GRAFANA_STANDIN_LEGACY") != "no",
    )
