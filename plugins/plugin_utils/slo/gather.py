"""The objectives of a fleet: what each component of each host promises, one set per model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...module_utils.durations import seconds
from ..components import Component
from ..scrape import ScrapeError
from . import objectives, rules

_KEYS = {"job", "each", "model_name", "objectives", "by", "indicators"}
Running = Callable[[Component], Iterable[tuple[str, Callable[..., Any]]]]


@dataclass(frozen=True)
class Levels:
    """What the inventory promises, as Prometheus needs it.

    Attributes:
        rules: text of the rule file by its name; none when nothing is promised.
        longest_window: seconds that the objectives look back.
    """

    rules: dict[str, str]
    longest_window: float


def gather(components: Iterable[Component], running: Running) -> Levels:
    """The objectives of all components and hosts as rules.

    Args:
        running: the hosts that run a component, each with a function that templates a value in its context.

    Raises:
        ScrapeError: unknown key, an objective that nobody can tell, or hosts that promise different things of a model.
    """
    texts, windows = [], [0.0]
    for component in components:
        definition = component.service_levels
        if not definition:
            continue
        unknown = set(definition) - _KEYS
        if unknown:
            raise ScrapeError(f"{component.name}: service_levels.yml has unknown keys {sorted(unknown)}")
        promised = merge(_promises(definition, running(component)))
        for model, (host, said) in promised.items():
            wrong = [f"{host}: {model}: {problem}" for problem in objectives.problems(said, definition["indicators"])]
            if wrong:
                raise ScrapeError("\n".join(wrong))
        parsed = [one for model, (_host, said) in sorted(promised.items()) for one in objectives.parse(model, said)]
        texts.append(rules.rule_file(parsed, definition))
        windows += [seconds(one.window) for one in parsed]
    found = [text for text in texts if text]
    if len(found) > 1:
        raise ScrapeError("several components bring objectives, which one rule file cannot hold")
    return Levels({rules.FILE: found[0]} if found else {}, max(windows))


def _promises(
    definition: Mapping[str, Any], hosts: Iterable[tuple[str, Callable[..., Any]]]
) -> Iterable[tuple[str, str, dict[str, Any]]]:
    for host, template in hosts:
        for item in template(definition["each"]):
            said = template(definition["objectives"], item=item) or {}
            yield host, template(definition["model_name"], item=item), said


def merge(promises: Iterable[tuple[str, str, Mapping[str, Any]]]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Model -> the host that said it first, and what is promised.

    Instances that promise nothing count towards what others promise of the same model.

    Args:
        promises: host, model and objectives of each instance.

    Raises:
        ScrapeError: two hosts promise different things of one model.
    """
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for host, model, told in promises:
        said = {slo: value for slo, value in (told or {}).items() if value is not None}
        if not said:
            continue
        first, known = found.setdefault(model, (host, dict(said)))
        if known != said:
            raise ScrapeError(
                f"{model}: the objectives on {host} differ from those on {first}, but a model has one set for the "
                f"whole fleet: {_text(said)} against {_text(known)}; write the same in both places"
            )
    return found


def _text(said: Mapping[str, Any]) -> str:
    return ", ".join(f"{slo} {value}" for slo, value in sorted(said.items()))
