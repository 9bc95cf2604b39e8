"""The strict reader of metrics pages: text format 0.0.4 and OpenMetrics 1.0.

As strict as Prometheus on syntax, and beyond it on what numbers say; every finding names its line. Speed matters
less than the verdict, but a page of 1 MB takes no longer than promtool needs for it.
"""

from __future__ import annotations

from .judge import judge
from .model import Exposition, Family, Finding, Kind, Sample

__all__ = ["Exposition", "Family", "Finding", "Kind", "Sample", "judge"]
