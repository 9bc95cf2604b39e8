"""A plan in words, for --check and for logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plan_text(plan: Mapping[str, Any]) -> str:
    """A few lines: what is to be done and why, step by step."""
    lines = [f"{plan['action'].replace('_', ' ')}: {_without(plan['summary'], plan['action'])}"]
    lines += [f"  {number}. {_step(step)}" for number, step in enumerate(plan["steps"], 1)]
    lines += [f"  warning: {warning}" for warning in plan["warnings"]]
    return "\n".join(lines)


def _without(summary: str, action: str) -> str:
    """The summary without the action, which it may begin with."""
    prefix = f"{action.replace('_', ' ')}: "
    return summary[len(prefix) :] if summary.startswith(prefix) else summary


def _step(step: Mapping[str, Any]) -> str:
    objects = step.get("packages") or step.get("units") or step.get("kernels") or []
    version = f" ({step['version']})" if step.get("version") else ""
    named = f" {' '.join(objects)}" if objects else ""
    return f"{step['do'].replace('_', ' ')}{named}{version}: {step['why']}"
