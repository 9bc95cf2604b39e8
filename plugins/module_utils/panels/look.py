# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Run every query of a set of dashboards, and tell which panels show something."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional

from ..prometheus_api import ApiError
from ..verdict import Verdict
from .dashboards import Panel, Query, asking
from .variables import BUILT_IN, Value, VariableError, fill, label_values_of, query_of, settled, variables_of

CHECK = "panels"

# ask(path of the API, parameters) -> data
Ask = Callable[[str, Dict[str, Any]], Any]


@dataclass(frozen=True)
class Window:
    """The range that courses are asked for.

    Attributes:
        end: seconds since 1970.
        seconds: how long it is.
        scrape_interval: seconds; Grafana derives the window of rates from it.
    """

    end: float
    seconds: float
    scrape_interval: float

    @property
    def step(self) -> float:
        return max(self.scrape_interval, self.seconds / 60)

    def built_in(self) -> Dict[str, Value]:
        """Grafana's own variables for this range."""
        rate, whole = max(4 * self.scrape_interval, self.step + self.scrape_interval), round(self.seconds)
        return {
            **BUILT_IN,
            "__rate_interval": f"{math.ceil(rate)}s",
            "__interval": f"{math.ceil(self.step)}s",
            "__interval_ms": str(math.ceil(self.step * 1000)),
            "__range": f"{whole}s",
            "__range_s": str(whole),
            "__range_ms": str(whole * 1000),
        }


@dataclass
class Look:
    """What became of one dashboard; looking again asks only for what was not in order before.

    Attributes:
        jobs: those that are scraped; a panel that lives on others may be empty. None means that all are.
        quiet: titles of panels without data that may be empty.
        empty, failing: problems: panels without data, queries that fail.
        settled: place of a panel that has data -> those of its queries that have none.
    """

    dashboard: Mapping[str, Any]
    jobs: Optional[List[str]] = None
    quiet: List[str] = field(default_factory=list)
    empty: List[str] = field(default_factory=list)
    failing: List[str] = field(default_factory=list)
    settled: Dict[int, List[Query]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return str(self.dashboard.get("title") or self.dashboard.get("uid"))

    def again(self, ask: Ask, window: Window) -> Verdict:
        """One look. HttpError goes through: without an answer nothing can be told.

        Raises:
            HttpError: Prometheus does not answer.
        """
        self.quiet, self.empty, self.failing = [], [], []
        panels = asking(self.dashboard)
        values = self._values(ask, window)
        for place, panel in enumerate(panels):
            if place not in self.settled:
                self._run(place, panel, values, ask, window)
        return self._verdict(panels)

    def _values(self, ask: Ask, window: Window) -> Dict[str, Value]:
        values: Dict[str, Value] = window.built_in()
        for variable in variables_of(self.dashboard):
            name = str(variable.get("name"))
            value = settled(variable)
            if value is None:
                value = self._asked_for(name, variable, values, ask)
            values[name] = value
        return values

    def _asked_for(self, name: str, variable: Mapping[str, Any], values: Mapping[str, Value], ask: Ask) -> Value:
        wanted = label_values_of(query_of(variable))
        if wanted is None:
            return ".*"
        selector, label = wanted
        try:
            limits = {"match[]": fill(selector, values)} if selector else {}
            found = ask(f"label/{label}/values", limits)
        except (ApiError, VariableError) as error:
            self.failing.append(f"variable {name}: {error}")
            return ".*"
        return [str(one) for one in found] if variable.get("includeAll") else str((found or [".*"])[0])

    def _run(self, place: int, panel: Panel, values: Mapping[str, Value], ask: Ask, window: Window) -> None:
        blank, broken = [], []
        for query in panel.queries:
            try:
                if not has_data(ask(*request(query, values, window))):
                    blank.append(query)
            except (ApiError, VariableError) as error:
                broken.append(f'panel "{panel.title}", query {query.ref} fails: {error}')
        self.failing += broken
        if broken:
            return
        if len(blank) < len(panel.queries):
            self.settled[place] = blank
        elif panel.may_be_empty or (self.jobs is not None and not set(panel.needs) <= set(self.jobs)):
            self.quiet.append(panel.title)
        else:
            self.empty.append(f'panel "{panel.title}" has no data: {_asked(blank[0], values)}')

    def _verdict(self, panels: List[Panel]) -> Verdict:
        shown = [panels[place].title for place in sorted(self.settled)]
        partly = [
            f'panel "{panels[place].title}", query {query.ref}'
            for place in sorted(self.settled)
            for query in self.settled[place]
        ]
        told = [f"{len(panels)} panels: {len(shown)} with data"]
        told += [f"{len(self.quiet)} empty as they may be"] if self.quiet else []
        return Verdict(
            CHECK,
            self.title,
            problems=[*self.failing, *self.empty],
            detail=", ".join(told),
            values={
                "uid": str(self.dashboard.get("uid") or ""),
                "panels": len(panels),
                "shown": shown,
                "partly": partly,
                "quiet": self.quiet,
            },
        )


def request(query: Query, values: Mapping[str, Value], window: Window) -> Any:
    """Path and parameters of the API for one query.

    Raises:
        VariableError: it names a variable that the dashboard does not have.
    """
    expr = fill(query.expr, values)
    if query.instant:
        return "query", {"query": expr, "time": window.end}
    return "query_range", {
        "query": expr,
        "start": window.end - window.seconds,
        "end": window.end,
        "step": window.step,
    }


def has_data(data: Mapping[str, Any]) -> bool:
    """Whether there is any number in an answer: NaN draws nothing."""
    if data["resultType"] in ("scalar", "string"):
        return data["result"][1] != "NaN"
    for one in data["result"]:
        if "histogram" in one or "histograms" in one:
            return True
        samples = one["values"] if "values" in one else [one["value"]]
        if any(value != "NaN" for _time, value in samples):
            return True
    return False


def _asked(query: Query, values: Mapping[str, Value]) -> str:
    return " ".join(fill(query.expr, values).split())


def together(verdicts: List[Verdict], url: str) -> Verdict:
    """One verdict over all dashboards."""
    panels = sum(one.values["panels"] for one in verdicts)
    shown = sum(len(one.values["shown"]) for one in verdicts)
    problems = [f"{one.subject}: {problem}" for one in verdicts for problem in one.problems]
    return Verdict(CHECK, url, problems, detail=f"{len(verdicts)} dashboards, {panels} panels, {shown} with data")
