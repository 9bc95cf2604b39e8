"""Objectives as the inventory writes them, checked and made comparable.

objectives:
  availability: 99.9                     # percent
  ttft: {seconds: 1, percent: 95}        # 95 % of the requests have their first token within a second
  latency: {seconds: 10, percent: 99}
  window: 30d                            # over which the percentages are meant; 30d when left out
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils.durations import DurationError, seconds

WINDOW = "30d"
_SHORTEST, _LONGEST = 86400, 366 * 86400


@dataclass(frozen=True)
class Objective:
    """One promise about one model.

    Attributes:
        slo: name of the indicator: availability, ttft, latency.
        ratio: share of good requests, between 0 and 1.
        window: duration in Prometheus' notation over which it is meant.
        bound: seconds, for the indicators that have any.
    """

    model_name: str
    slo: str
    ratio: float
    window: str
    bound: float | None = None


def parse(model_name: str, said: Mapping[str, Any]) -> list[Objective]:
    """The objectives of one model. What it says was found in order by `problems`."""
    window = said.get("window") or WINDOW
    found = []
    for slo, value in said.items():
        if slo == "window" or value is None:
            continue
        percent, bound = (value["percent"], float(value["seconds"])) if isinstance(value, Mapping) else (value, None)
        # Written decimals stay what they are: 99.9 / 100 is 0.9990000000000001.
        found.append(Objective(model_name, slo, round(float(percent) / 100, 9), window, bound))
    return sorted(found, key=lambda objective: objective.slo)


def problems(said: Mapping[str, Any], indicators: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One sentence per objective that cannot be kept watch over.

    Args:
        said: the objectives of a model, as the inventory writes them.
        indicators: what the component measures (files/monitoring/service_levels.yml).
    """
    given = {slo: value for slo, value in said.items() if value is not None}
    for slo in sorted(set(given) - set(indicators) - {"window"}):
        yield f"objectives: {slo} is not measured; there are {', '.join(indicators)}."
    for slo, indicator in indicators.items():
        if slo in given:
            for problem in _one(given[slo], indicator.get("bounds")):
                yield f"objectives: {slo}: {problem}"
    if given.get("window") is not None:
        yield from _window(given["window"])
        if set(given) == {"window"}:
            yield f"objectives: a window alone promises nothing; add one of {', '.join(indicators)}."


def _one(value: Any, bounds: list[float] | None) -> Iterator[str]:
    if bounds is None:
        if isinstance(value, Mapping):
            yield "write percent alone, such as 99.9."
        else:
            yield from _percent(value)
        return
    if not isinstance(value, Mapping) or set(value) != {"seconds", "percent"}:
        yield "write seconds and percent, such as {seconds: 1, percent: 95}."
        return
    yield from _percent(value["percent"])
    if not _is_number(value["seconds"]):
        yield f"{value['seconds']!r} is no number of seconds."
    elif float(value["seconds"]) not in [float(bound) for bound in bounds]:
        yield (
            f"{value['seconds']} s is no bound of the server's histogram, so nobody could tell; "
            f"write {' or '.join(_nearest(float(value['seconds']), bounds))}."
        )


def _percent(value: Any) -> Iterator[str]:
    if not _is_number(value) or not 0 < float(value) <= 100:
        yield f"{value!r} is no percentage; write it like 99.9."
    elif float(value) < 50:
        yield f"{value} % would call a model fine that fails most of the time; is it the share of good requests?"
    elif float(value) > 99.999:
        yield f"{value} % leaves no room for a single error, so it would always be missed; write 99.999 at most."


def _window(value: Any) -> Iterator[str]:
    try:
        length = seconds(value)
    except DurationError:
        yield f"objectives: window: {value!r} is no duration; write it like 30d."
        return
    if not _SHORTEST <= length <= _LONGEST:
        yield f"objectives: window: {value} is too {'short' if length < _SHORTEST else 'long'}; write 1d to 366d."


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _nearest(wanted: float, bounds: list[float]) -> list[str]:
    below = [bound for bound in bounds if bound < wanted]
    above = [bound for bound in bounds if bound > wanted]
    return [f"{bound:g}" for bound in (*below[-1:], *above[:1])]
