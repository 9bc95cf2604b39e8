"""Recording rules from objectives: what each model promised, and its good and bad requests per instance.

What is alike for all models is recorded and alerted on by roles/prometheus/files/monitoring/rules/service_levels.yml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from ...module_utils.durations import seconds
from ..plain import plain
from .objectives import Objective

FILE = "service-levels.yml"
# Seconds between two evaluations. Sums over time count on it, so it is not Prometheus' own interval.
STEP = 30
# Verify waits a minute for each group to be evaluated.
_SLOW_STEP = 60


def rule_file(objectives: Iterable[Objective], definition: Mapping[str, Any]) -> str:
    """The text of the rule file; empty without objectives.

    Args:
        definition: what the component measures (files/monitoring/service_levels.yml).
    """
    objectives = list(objectives)
    if not objectives:
        return ""
    groups = [
        {
            "name": "service_levels_of_models",
            "interval": f"{STEP}s",
            "rules": [rule for objective in objectives for rule in _measured(objective, definition)],
        },
        {
            "name": "service_levels_budgets",
            "interval": f"{_SLOW_STEP}s",
            "rules": [*map(_ratio_over_window, objectives), *map(_budget_left, objectives)],
        },
    ]
    head = "---\n# Made from the objectives of the inventory (gpufleet.serving.monitoring_bundle).\n"
    return head + yaml.safe_dump(plain({"groups": groups}), sort_keys=False, allow_unicode=True, width=1000)


def _measured(objective: Objective, definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    indicator = definition["indicators"][objective.slo]
    total, bad = _requests(objective, indicator, definition)
    found = [
        _record("slo:objective:ratio", f"vector({objective.ratio!r})", objective),
        _record("slo:window:seconds", f"vector({seconds(objective.window):.0f})", objective),
        _record("slo:requests:total", total, objective),
        _record("slo:bad_requests:total", bad, objective),
    ]
    if objective.bound is not None:
        found.insert(2, _record("slo:threshold:seconds", f"vector({objective.bound!r})", objective))
    if indicator.get("downtime"):
        up = f"up{{{_model(objective, definition)}}}"
        found += [
            _record("slo:down:ratio", f"1 - avg({up})", objective),
            _record("slo:down:instances", f"count({up}) - sum({up})", objective),
        ]
    return found


def _requests(objective: Objective, indicator: Mapping[str, Any], definition: Mapping[str, Any]) -> tuple[str, str]:
    """Expressions for the requests that count and for the bad ones among them, as counters per instance.

    A counter that the server makes with its first request begins at zero here, while the server is up: rate() sees
    nothing of a series that begins at one, so that the first errors would be lost.
    """
    by = f"sum by ({', '.join(definition['by'])})"
    model = _model(objective, definition)
    zero = f"0 * max by ({', '.join(definition['by'])}) (up{{{model}}} == 1)"
    if "histogram" in indicator:
        count = f"{by} ({indicator['histogram']}_count{{{model}}})"
        # A bound that a newer server no longer has makes every request bad, which is seen at once.
        good = f'{by} ({indicator["histogram"]}_bucket{{{model}, le="{objective.bound!r}"}}) or 0 * {count}'
        return f"{count} or {zero}", f"{count} - ({good}) or {zero}"
    counted = ", ".join([model, *indicator.get("matchers", ())])
    bad = ", ".join(
        [model, *(m for m in indicator.get("matchers", ()) if not _overrides(m, indicator)), *indicator["bad"]]
    )
    name = indicator["requests"]
    return f"{by} ({name}{{{counted}}}) or {zero}", f"{by} ({name}{{{bad}}}) or {zero}"


def _overrides(matcher: str, indicator: Mapping[str, Any]) -> bool:
    """Whether a matcher of `bad` says more of the same label."""
    return any(_label(matcher) == _label(other) for other in indicator["bad"])


def _label(matcher: str) -> str:
    return matcher.partition("=")[0].rstrip("!")


def _model(objective: Objective, definition: Mapping[str, Any]) -> str:
    return f'job="{definition["job"]}", model_name={_quoted(objective.model_name)}'


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _ratio_over_window(objective: Objective) -> dict[str, Any]:
    """Over the objective's own window what service_levels.yml has for the fixed ones."""
    window, this = objective.window, _this(objective)
    requests = (
        f"sum_over_time(slo:bad_requests:rate5m{this}[{window}])"
        f" / (sum_over_time(slo:requests:rate5m{this}[{window}]) > 0) or 0 * slo:objective:ratio{this}"
    )
    down = (
        f"sum_over_time(slo:down:ratio{this}[{window}]) * {STEP} / {seconds(window):.0f}"
        f" or 0 * slo:objective:ratio{this}"
    )
    ratio = f"1 - (1 - clamp_max({requests}, 1)) * (1 - clamp_max({down}, 1))"
    return _record("slo:errors:ratio_window", ratio, objective)


def _budget_left(objective: Objective) -> dict[str, Any]:
    this = _this(objective)
    left = f"1 - slo:errors:ratio_window{this} / (1 - slo:objective:ratio{this})"
    return _record("slo:error_budget_remaining:ratio", left, objective)


def _this(objective: Objective) -> str:
    return f'{{model_name={_quoted(objective.model_name)}, slo="{objective.slo}"}}'


def _record(name: str, expression: str, objective: Objective) -> dict[str, Any]:
    labels = {"model_name": objective.model_name, "slo": objective.slo}
    return {"record": name, "expr": expression, "labels": labels}
