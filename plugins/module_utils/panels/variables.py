# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Grafana's template variables: which a dashboard has, and a query with their values filled in.

Source: https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Sequence, Union

Value = Union[str, Sequence[str]]

# What Grafana would fill in for a range of an hour at a scrape interval of 15 s.
BUILT_IN: Dict[str, str] = {
    "__rate_interval": "1m",
    "__interval": "15s",
    "__interval_ms": "15000",
    "__range": "1h",
    "__range_s": "3600",
    "__range_ms": "3600000",
}
# `$1` belongs to label_replace.
_REFERENCE = re.compile(
    r"\$([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)(?:\.[^:}]*)?(?::(\w+))?\}|\[\[([A-Za-z_]\w*?)(?::(\w+))?\]\]"
)
_LABEL_VALUES = re.compile(r"label_values\((?:(?P<series>.+),)?\s*(?P<label>[a-zA-Z_]\w*)\s*\)\s*", re.DOTALL)
_SPECIAL = re.compile(r"([\\^$.*+?()\[\]{}|])")


class VariableError(Exception):
    """A query names a variable that the dashboard does not have."""


def names_in(text: str) -> List[str]:
    """The variables that a text refers to, in order."""
    return [match[1] or match[2] or match[4] for match in _REFERENCE.finditer(text)]


def fill(text: str, values: Mapping[str, Value]) -> str:
    """`text` with its variables replaced as Grafana replaces them in a Prometheus query.

    Args:
        values: a string goes in as it is; a list becomes a regular expression that matches each of its strings.

    Raises:
        VariableError: names the variable that has no value.
    """

    def value_of(match: Any) -> str:
        name, style = match[1] or match[2] or match[4], match[3] or match[5]
        if name not in values:
            raise VariableError(f"there is no variable ${name}")
        value = values[name]
        if isinstance(value, str):
            return value
        if style in ("raw", "csv"):
            return ",".join(value)
        if style == "pipe":
            return "|".join(value)
        escaped = [_SPECIAL.sub(r"\\\\\1", one) for one in value]
        return escaped[0] if len(escaped) == 1 else "(%s)" % "|".join(escaped)

    return _REFERENCE.sub(value_of, text)


def variables_of(dashboard: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    """The template variables of a dashboard."""
    return list((dashboard.get("templating") or {}).get("list") or ())


def query_of(variable: Mapping[str, Any]) -> str:
    """The query of a query variable, which newer Grafana wraps into an object."""
    query = variable.get("query") or ""
    return str(query.get("query", "")) if isinstance(query, Mapping) else str(query)


def label_values_of(query: str) -> Any:
    """(selector or "", label) of `label_values(selector, label)`; None when the query is another one."""
    match = _LABEL_VALUES.fullmatch(query.strip())
    return ((match["series"] or "").strip(), match["label"]) if match else None


def settled(variable: Mapping[str, Any]) -> Any:
    """The value that a variable takes without asking Prometheus; None when its values must be asked for."""
    kind = variable.get("type")
    current = (variable.get("current") or {}).get("value")
    if kind == "datasource":
        return str(current or "")
    if kind == "query":
        chosen = [current] if isinstance(current, str) else list(current or ())
        everything = bool(variable.get("includeAll")) and (not chosen or "$__all" in chosen)
        return str(variable["allValue"]) if everything and variable.get("allValue") else None
    if kind == "custom":
        options = [part.strip().replace("\\,", ",") for part in re.split(r"(?<!\\),", query_of(variable))]
        everything = variable.get("includeAll") and current in (None, "$__all", ["$__all"])
        return str(variable.get("allValue") or "") or options if everything else str(current or options[0])
    if kind == "interval":
        return str(current or query_of(variable).split(",")[0]).replace("$__auto_interval_", "") or "1m"
    return str(current or query_of(variable))
