"""Rule files: which series they record, what is wrong with them, and whether their tests try them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from promql_parser import VectorSelector, parse, walk

from .judge import judge
from .known import TARGET_LABELS, Series, Vocabulary
from .vector import COUNTER, GAUGE, Judgement, Vector

_TEMPLATE_LABEL = re.compile(r"\$labels\.([a-zA-Z_]\w*)")
# Whoever records so vouches that it is a counter: a sum of counters of one process, which restart together.
_COUNTS = ":total"
_RECORDED_NAME = re.compile(r"[a-z][a-zA-Z0-9_]*:[a-zA-Z0-9_:]+")


@dataclass(frozen=True)
class Rule:
    """One rule and where it stands.

    Attributes:
        place: number within its group, as Prometheus evaluates them.
    """

    file: str
    group: str
    place: int
    alert: str
    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.alert or self.record

    @property
    def where(self) -> str:
        return f"{self.file}: {self.group}/{self.name}"


@dataclass(frozen=True)
class RuleTests:
    """What the files of rules_test try: alerts that are made to fire, and the text of all queries."""

    fired: frozenset[str] = frozenset()
    queried: frozenset[str] = frozenset()


def rules_of(text: str, file: str) -> list[Rule]:
    """The rules of one file, in order."""
    return [
        Rule(
            file,
            group["name"],
            place,
            rule.get("alert", ""),
            rule.get("record", ""),
            str(rule["expr"]),
            rule.get("labels", {}),
            rule.get("annotations", {}),
        )
        for group in (yaml.safe_load(text) or {}).get("groups", ())
        for place, rule in enumerate(group["rules"])
    ]


def rule_files(root: Path, kind: str = "rules") -> dict[str, str]:
    """The text of every file in roles/*/files/monitoring/<kind>, by its path from `root`."""
    files = sorted(root.glob(f"roles/*/files/monitoring/{kind}/*.yml"))
    return {str(file.relative_to(root)): file.read_text(encoding="utf-8") for file in files}


def learn(known: Vocabulary, rules: Iterable[Rule]) -> list[str]:
    """Add the series that the rules record, and ALERTS with the labels of all alerts.

    Returns:
        What is wrong with the order of the rules: a series that needs itself.
    """
    rules = list(rules)
    recorded: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.record:
            recorded.setdefault(rule.record, []).append(rule)
    problems: list[str] = []
    done: set[str] = set()

    def define(name: str, needed_by: tuple[str, ...]) -> None:
        if name in needed_by:
            problems.append(f"{recorded[name][0].where}: needs itself: {' -> '.join([*needed_by, name])}")
            return
        if name in done:
            return
        for rule in recorded[name]:
            for other in selected(rule.expr):
                if other in recorded:
                    define(other, (*needed_by, name))
            vector = judge(rule.expr, known).vector
            known.add(Series(name, _stored(vector, rule)))
        done.add(name)

    for name in recorded:
        define(name, ())
    _learn_alerts(known, rules)
    return list(dict.fromkeys(problems))


def _stored(vector: Vector, rule: Rule) -> Vector:
    """A recorded series: labels and kind of its expression, and the labels that the rule puts on it."""
    labels = frozenset(rule.labels)
    vector = vector if vector.is_vector else replace(vector, kind=GAUGE)
    if rule.record.endswith(_COUNTS):
        vector = replace(vector, kind=COUNTER, aggregated=False)
    return replace(
        vector,
        may=vector.may | labels,
        sure=vector.sure | labels,
        components=frozenset(),
        families=vector.families or frozenset({rule.record}),
    )


def _learn_alerts(known: Vocabulary, rules: Iterable[Rule]) -> None:
    own = frozenset({"alertname"})
    labels = own | {"alertstate"} | TARGET_LABELS
    for rule in rules:
        if rule.alert:
            labels |= judge(rule.expr, known).vector.may | frozenset(rule.labels)
    for name in ("ALERTS", "ALERTS_FOR_STATE"):
        known.add(Series(name, Vector(GAUGE, may=labels, sure=own)))


def selected(expr: str) -> set[str]:
    """The names of all series that an expression reads; none when it cannot be parsed."""
    names: set[str] = set()

    def note(node: object) -> None:
        if isinstance(node, VectorSelector) and node.name:
            names.add(node.name)

    try:
        walk(parse(expr), note)
    except ValueError:
        return set()
    return names


def judge_rules(rules: Iterable[Rule], known: Vocabulary) -> Iterator[str]:
    """Everything that is wrong with rules whose series `known` has learnt."""
    rules = list(rules)
    places = {(rule.file, rule.group, rule.record): rule.place for rule in rules if rule.record}
    for rule in rules:
        judgement = judge(rule.expr, known)
        for finding in judgement.findings:
            yield f"{rule.where}: {finding.placed(rule.expr)}"
        for name in sorted(judgement.uses):
            if places.get((rule.file, rule.group, name), -1) > rule.place:
                yield f"{rule.where}: uses {name}, which its group records only later; move that rule up"
        if rule.record and not _RECORDED_NAME.fullmatch(rule.record):
            yield f"{rule.where}: a recorded series is called level:metric:operations"
        yield from _judge_templates(rule, judgement)


def _judge_templates(rule: Rule, judgement: Judgement) -> Iterator[str]:
    own = frozenset(rule.labels) | {"alertname"}
    for key, text in {**rule.labels, **rule.annotations}.items():
        for label in _TEMPLATE_LABEL.findall(str(text)):
            if label not in own and not judgement.vector.carries(label):
                has = ", ".join(sorted(judgement.vector.may)) or "none"
                yield f"{rule.where}: {key} names the label {label}, which the alert does not carry; it has {has}"


def tests_of(texts: Iterable[str]) -> RuleTests:
    """What the files of promtool's rule tests try."""
    fired: set[str] = set()
    queried: set[str] = set()
    for text in texts:
        for test in yaml.safe_load(text).get("tests", ()):
            fired |= {case["alertname"] for case in test.get("alert_rule_test", ()) if case.get("exp_alerts")}
            for case in test.get("promql_expr_test", ()):
                queried |= _names_asked(case)
    return RuleTests(frozenset(fired), frozenset(queried))


def _names_asked(case: Mapping[str, Any]) -> set[str]:
    """Series that a query test asks for and expects something of."""
    return selected(case["expr"]) if case.get("exp_samples") else set()


def judge_tests(rules: Iterable[Rule], tests: RuleTests) -> Iterator[str]:
    """Rules that no test tries: an alert is tried where it fires, a series where a test or a tried rule reads it."""
    rules = list(rules)
    read = set(tests.queried)
    todo = [rule for rule in rules if rule.alert in tests.fired or rule.record in read]
    while todo:
        for name in selected(todo.pop().expr) - read:
            read.add(name)
            todo += [rule for rule in rules if rule.record == name]
    for rule in rules:
        if rule.alert and rule.alert not in tests.fired:
            yield f"{rule.where}: no test lets it fire; write one in rules_test"
        if rule.record and rule.record not in read:
            yield f"{rule.where}: no test reads it, and no rule that is tested; write one in rules_test"
