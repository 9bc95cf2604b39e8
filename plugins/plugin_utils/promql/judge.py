"""Judge one query: what it yields, and everything in it that cannot work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import promql_parser as ast

from . import functions
from .known import Vocabulary
from .matching import combine, judge_grouping
from .vector import (
    BUCKET,
    BUCKET_RATE,
    COUNTER,
    CUMULATIVE,
    GAUGE,
    SCALAR,
    STRING,
    UNTYPED,
    Finding,
    Judgement,
    Vector,
)

_EQUAL = ast.MatchOp.Equal


def judge(query: str, known: Vocabulary) -> Judgement:
    """What `query` yields and what is wrong with it. A query that cannot be parsed yields nothing."""
    try:
        tree = ast.parse(query)
    except ValueError as error:
        return Judgement(Vector(UNTYPED, any_label=True), [Finding(f"cannot be parsed: {error}")])
    visitor = _Visitor(known)
    vector = visitor.visit(tree)
    return Judgement(vector, list(dict.fromkeys(visitor.findings)), visitor.uses)


@dataclass
class _Visitor:
    known: Vocabulary
    findings: list[Finding] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)

    def report(self, message: str, at: str = "") -> None:
        self.findings.append(Finding(message, at))

    def visit(self, node: object) -> Vector:
        return _VISITS[type(node)](self, node)

    def number(self, _node: ast.NumberLiteral) -> Vector:
        return Vector(SCALAR, present=True)

    def string(self, _node: ast.StringLiteral) -> Vector:
        return Vector(STRING)

    def paren(self, node: ast.ParenExpr) -> Vector:
        return self.visit(node.expr)

    def unary(self, node: ast.UnaryExpr) -> Vector:
        vector = self.visit(node.expr)
        return replace(vector, kind=GAUGE if vector.is_vector else vector.kind, sign=-vector.sign)

    def matrix(self, node: ast.MatrixSelector) -> Vector:
        return self.visit(node.vector_selector)

    def subquery(self, node: ast.SubqueryExpr) -> Vector:
        return self.visit(node.expr)

    def binary(self, node: ast.BinaryExpr) -> Vector:
        left, right = self.visit(node.lhs), self.visit(node.rhs)
        judge_grouping(node, left, right, self.report)
        return combine(node, left, right, self.report)

    def selector(self, node: ast.VectorSelector) -> Vector:
        matchers = [*node.matchers.matchers, *(m for group in node.matchers.or_matchers for m in group)]
        if not node.name:
            self.report("names no metric, so that nobody can tell what it needs")
            return Vector(UNTYPED, any_label=True)
        job = next((m.value for m in matchers if m.name == "job" and m.op == _EQUAL), None)
        self.uses.add(node.name)
        found = self.known.find(node.name, job)
        if not found:
            elsewhere = self.known.find(node.name, None)
            if elsewhere:
                who = ", ".join(sorted(one.component for one in elsewhere))
                self.report(f'job="{job}" does not expose {node.name}; {who} does', node.name)
            else:
                self.report(f"no contract knows {node.name}; {self.known.instead(node.name)}", node.name)
            return Vector(UNTYPED, any_label=True)
        vector = _union([one.vector for one in found])
        for matcher in matchers:
            if not vector.carries(matcher.name):
                self.report(f"{node.name} has no label {matcher.name}; {_near(matcher.name, vector)}", matcher.name)
            for one in found:
                pattern = one.values.get(matcher.name)
                if pattern and matcher.op == _EQUAL and matcher.value and not pattern.fullmatch(matcher.value):
                    self.report(
                        f'{matcher.name} of {node.name} is never "{matcher.value}"; it matches {pattern.pattern}',
                        matcher.value,
                    )
            if matcher.name == "le" and matcher.op == _EQUAL and vector.kind == BUCKET:
                vector = replace(vector, kind=COUNTER)
        named = frozenset(m.name for m in node.matchers.matchers if m.op == _EQUAL and m.value)
        return replace(vector, sure=vector.sure | (named & vector.may))

    def aggregate(self, node: ast.AggregateExpr) -> Vector:
        op = str(node.op)
        vector = self.visit(node.expr)
        added = self._parameter(op, node.param)
        if not vector.is_vector:
            return vector
        labels = frozenset(node.modifier.labels) if node.modifier else frozenset()
        by = node.modifier is None or node.modifier.type == ast.AggModifierType.By
        for label in node.modifier.labels if node.modifier else ():
            if not vector.carries(label):
                word = "by" if by else "without"
                self.report(f"{op} {word} ({label}): no series has a label {label}; {_near(label, vector)}", label)
        if op in functions.CHOOSING:
            return vector
        result = (vector.keep(labels) if by else vector.drop(labels)).add(added)
        if vector.kind in (BUCKET, BUCKET_RATE) and not result.carries("le"):
            self.report(
                f"{op} adds the buckets of a histogram up, each of which holds the smaller ones; keep le for "
                "histogram_quantile, or take _count or _sum",
                op,
            )
        kind = vector.kind if op in functions.ADDING else GAUGE
        return replace(
            result,
            kind=kind,
            aggregated=kind in CUMULATIVE,
            never_zero=op in ("count", "group") or (vector.never_zero and op in ("min", "max")),
        )

    def _parameter(self, op: str, param: object) -> frozenset[str]:
        if op == "count_values":
            return frozenset({param.val if isinstance(param, ast.StringLiteral) else str(param).strip('"')})
        if op == "quantile":
            self._quantile(param)
        elif isinstance(param, ast.Expr):
            self.visit(param)
        return frozenset()

    def _quantile(self, phi: object) -> None:
        if isinstance(phi, ast.NumberLiteral) and not 0 <= phi.val <= 1:
            self.report(f"a quantile lies between 0 and 1, this one is {phi.val:g}", f"{phi.val:g}")

    def call(self, node: ast.Call) -> Vector:
        name, arguments = node.func.name, node.args
        vectors = [self.visit(argument) for argument in arguments]
        vector = next((v for v in vectors if v.is_vector), Vector(SCALAR))
        if name in functions.OF_COUNTERS or name in functions.OF_GAUGES:
            self._range_function(name, vector)
            kind = BUCKET_RATE if vector.kind == BUCKET and name in functions.OF_COUNTERS else GAUGE
            keeps_zero = name in ("min_over_time", "max_over_time", "avg_over_time") and vector.never_zero
            return replace(vector, kind=kind, aggregated=False, never_zero=keeps_zero)
        special = _CALLS.get(name)
        if special:
            return special(self, node, vector)
        if name in functions.SCALARS:
            return Vector(SCALAR, present=True)
        if name in functions.ABSENCE:
            return Vector(GAUGE, may=_equalled(arguments[0]), families=vector.families)
        if name in functions.PASSING:
            return vector
        return replace(vector, kind=GAUGE, never_zero=False)

    def _range_function(self, name: str, vector: Vector) -> None:
        what = " and ".join(sorted(vector.families)) or "the argument"
        if name in functions.OF_COUNTERS and vector.kind in (GAUGE, BUCKET_RATE):
            self.report(f"{name} over a gauge: {what} may fall, which counts as a reset; take delta or deriv", name)
        elif name in functions.OF_COUNTERS and vector.aggregated:
            self.report(
                f"{name} over a sum of counters: one that restarts looks like a reset of all; sum the {name}", name
            )
        elif name in functions.OF_GAUGES and vector.kind in CUMULATIVE:
            self.report(f"{name} over a counter: {what} only grows; take rate or increase", name)

    def histogram_quantile(self, node: ast.Call, vector: Vector) -> Vector:
        self._quantile(node.args[0])
        at = "histogram_quantile"
        if vector.kind == BUCKET:
            self.report("histogram_quantile of buckets since the start of the program; take their rate", at)
        elif vector.kind != BUCKET_RATE and vector.families:
            self.report(f"histogram_quantile of {' and '.join(sorted(vector.families))}, which are no buckets", at)
        elif not vector.carries("le"):
            self.report("histogram_quantile without le; sum by (le, ...)", at)
        # Without requests it is NaN.
        return replace(vector.drop(frozenset({"le"})), kind=GAUGE, never_zero=False, present=False)

    def label_replace(self, node: ast.Call, vector: Vector) -> Vector:
        texts = [argument.val for argument in node.args[1:] if isinstance(argument, ast.StringLiteral)]
        sources = [texts[2]] if node.func.name == "label_replace" else texts[2:]
        for source in sources:
            if not vector.carries(source):
                self.report(f"{node.func.name}: no series has a label {source}; {_near(source, vector)}", source)
        return vector.add(frozenset({texts[0]}))

    def clamp(self, node: ast.Call, vector: Vector) -> Vector:
        least = node.args[1]
        positive = isinstance(least, ast.NumberLiteral) and least.val > 0
        bounded = node.func.name == "clamp_min" and positive
        tamed = node.func.name in ("clamp", "clamp_max") and vector.sign > 0
        return replace(vector, kind=GAUGE, never_zero=bounded, pole="" if tamed else vector.pole)

    def vector_of(self, _node: ast.Call, _vector: Vector) -> Vector:
        return Vector(GAUGE, present=True)


def _union(vectors: list[Vector]) -> Vector:
    """The series of several components under one name."""
    kinds = {vector.kind for vector in vectors}
    first = vectors[0]
    return Vector(
        kinds.pop() if len(kinds) == 1 else UNTYPED,
        may=frozenset().union(*(v.may for v in vectors)),
        sure=first.sure.intersection(*(v.sure for v in vectors)),
        any_label=any(v.any_label for v in vectors),
        components=frozenset().union(*(v.components for v in vectors)),
        families=frozenset().union(*(v.families for v in vectors)),
        never_zero=all(v.never_zero for v in vectors),
        aggregated=any(v.aggregated for v in vectors),
        present=any(v.present for v in vectors),
        pole=next((v.pole for v in vectors if v.pole), ""),
        sign=next((v.sign for v in vectors if v.pole), 1),
    )


def _equalled(node: object) -> frozenset[str]:
    """The labels that absent() takes over from its selector."""
    node = node.vector_selector if isinstance(node, ast.MatrixSelector) else node
    if not isinstance(node, ast.VectorSelector):
        return frozenset()
    return frozenset(m.name for m in node.matchers.matchers if m.op == _EQUAL)


def _near(label: str, vector: Vector) -> str:
    near = get_close_matches(label, vector.may, n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(vector.may)) or 'none'}"


_VISITS: dict[type, Callable[[_Visitor, object], Vector]] = {
    ast.NumberLiteral: _Visitor.number,
    ast.StringLiteral: _Visitor.string,
    ast.ParenExpr: _Visitor.paren,
    ast.UnaryExpr: _Visitor.unary,
    ast.VectorSelector: _Visitor.selector,
    ast.MatrixSelector: _Visitor.matrix,
    ast.SubqueryExpr: _Visitor.subquery,
    ast.AggregateExpr: _Visitor.aggregate,
    ast.BinaryExpr: _Visitor.binary,
    ast.Call: _Visitor.call,
}
_CALLS: dict[str, Callable[[_Visitor, ast.Call, Vector], Vector]] = {
    "histogram_quantile": _Visitor.histogram_quantile,
    "label_replace": _Visitor.label_replace,
    "label_join": _Visitor.label_replace,
    "clamp": _Visitor.clamp,
    "clamp_min": _Visitor.clamp,
    "clamp_max": _Visitor.clamp,
    "vector": _Visitor.vector_of,
}
