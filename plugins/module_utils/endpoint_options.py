# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The options of metrics_endpoint, which its module and its action plugin read alike."""

from __future__ import annotations

from typing import Any

from .http import CONNECTION_RULES, connection_spec
from .verdict import check_spec

CHECK = "metrics"

OPTIONS: dict[str, dict[str, Any]] = {
    **connection_spec(),
    **check_spec(),
    "contract": {"type": "path"},
    "expect": {"type": "raw"},
    "max_series": {"type": "int"},
    "max_bytes": {"type": "int", "default": 64 * 1024 * 1024},
    "accept": {"type": "str", "choices": ["text", "openmetrics"], "default": "text"},
    "record": {"type": "path"},
    "component": {"type": "str"},
    "version": {"type": "str"},
}
RULES: dict[str, Any] = {
    **CONNECTION_RULES,
    "required_by": {**CONNECTION_RULES["required_by"], "record": ["component", "version"]},
}
