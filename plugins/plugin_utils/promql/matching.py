"""What becomes of kinds and labels where two vectors meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from promql_parser import BinaryExpr, LabelModifierType, NumberLiteral, VectorMatchCardinality

from .vector import GAUGE, SCALAR, Vector

_SETS = ("and", "or", "unless")
_COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
_NOT_KNOWN = 1e12
_MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


def combine(expr: BinaryExpr, left: Vector, right: Vector, report: Callable[[str, str], None]) -> Vector:
    """The result of a binary expression whose two sides are known."""
    op = str(expr.op)
    if op in _COMPARISONS:
        _judge_pole(op, left, right, report)
    if not (left.is_vector and right.is_vector):
        return _with_scalar(expr, op, left, right)
    _judge_matching(expr, op, left, right, report)
    labels = _result_labels(expr, op, left, right)
    families = left.families | right.families
    components = left.components | right.components
    if op == "or":
        kind = left.kind if left.kind == right.kind else GAUGE
        never_zero = left.never_zero and right.never_zero
        pole = left if left.pole else right
        return replace(
            labels,
            kind=kind,
            families=families,
            components=components,
            never_zero=never_zero,
            pole=pole.pole,
            present=left.present or right.present,
        )
    if op in _SETS:
        return replace(left, present=False)
    present = left.present and right.present
    made = replace(labels, kind=GAUGE, families=families, components=components, present=present)
    if op in _COMPARISONS:
        filtered = replace(made, kind=left.kind, pole="", never_zero=left.never_zero, present=False)
        return made if expr.modifier and expr.modifier.return_bool else filtered
    if op == "/":
        return _quotient(expr, made, left, right)
    pole = left if left.pole else right
    sign = -pole.sign if op == "-" and pole is right else pole.sign
    return replace(made, pole=pole.pole, sign=sign)


def _with_scalar(expr: BinaryExpr, op: str, left: Vector, right: Vector) -> Vector:
    vector, scalar_expr = (left, expr.rhs) if left.is_vector else (right, expr.lhs)
    if not vector.is_vector:
        return replace(left, kind=SCALAR)
    if op in _COMPARISONS:
        if expr.modifier and expr.modifier.return_bool:
            return replace(vector, kind=GAUGE, never_zero=False, pole="")
        never_zero = vector.never_zero or _excludes_zero(op, scalar_expr, vector is left)
        return replace(
            vector, never_zero=never_zero, pole="", present=vector.present and _drops_nothing(op, scalar_expr)
        )
    number = scalar_expr.val if isinstance(scalar_expr, NumberLiteral) else None
    if op == "/" and vector is right:
        pole = "" if vector.never_zero else _name(vector)
        return replace(vector, kind=GAUGE, never_zero=False, pole=pole, sign=1)
    sign = -vector.sign if op == "-" and vector is right else vector.sign
    keeps_kind = op in "*/" and vector is left
    kind = vector.kind if keeps_kind else GAUGE
    return replace(vector, kind=kind, never_zero=vector.never_zero and op in "*/" and number != 0, sign=sign)


def _drops_nothing(op: str, scalar_expr: object) -> bool:
    """A bound far above all values drops only numbers that mean "not known"."""
    return op in ("<", "<=") and isinstance(scalar_expr, NumberLiteral) and scalar_expr.val >= _NOT_KNOWN


def _excludes_zero(op: str, scalar_expr: object, vector_is_left: bool) -> bool:
    """Whether what passes the comparison with a number cannot be 0."""
    if not isinstance(scalar_expr, NumberLiteral):
        return False
    number = scalar_expr.val
    op = op if vector_is_left else _MIRRORED.get(op, op)
    return {
        ">": number >= 0,
        ">=": number > 0,
        "<": number <= 0,
        "<=": number < 0,
        "!=": number == 0,
        "==": number != 0,
    }[op]


def _quotient(expr: BinaryExpr, made: Vector, left: Vector, right: Vector) -> Vector:
    """A part of the whole is 0 where the whole is, and 0/0 is NaN, which no comparison lets through."""
    if right.never_zero or (left.families and left.families <= right.families):
        return replace(made, pole=left.pole, sign=left.sign)
    return replace(made, pole=_name(right), sign=1)


def _name(vector: Vector) -> str:
    return " and ".join(sorted(vector.families)) or "the divisor"


def _judge_pole(op: str, left: Vector, right: Vector, report: Callable[[str, str], None]) -> None:
    for vector, seen in ((left, op), (right, _MIRRORED.get(op, op))):
        lets_through = (">", ">=", "!=") if vector.sign > 0 else ("<", "<=", "!=")
        if vector.pole and seen in lets_through:
            report(
                f"where {vector.pole} is 0 the ratio is infinite and the comparison holds; divide by "
                "`(... > 0)`, or give the contract a min above 0",
                "/",
            )


def _judge_matching(expr: BinaryExpr, op: str, left: Vector, right: Vector, report: Callable[[str, str], None]) -> None:
    matching = expr.modifier.matching if expr.modifier else None
    listed = frozenset(matching.labels) if matching else frozenset()
    if matching and matching.type == LabelModifierType.Include:
        for label in matching.labels:
            for side, name in ((left, "left"), (right, "right")):
                if not side.carries(label):
                    report(f"on ({label}): the {name} side has no label {label}; it has {_listed(side)}", label)
        return
    for label in matching.labels if matching else ():
        if not left.carries(label) and not right.carries(label):
            report(f"ignoring ({label}): neither side has a label {label}", label)
    if op == "or":
        return
    for one, other, name in ((left, right, "right"), (right, left, "left")):
        lacking = sorted(label for label in one.sure - listed if not other.carries(label))
        if lacking:
            report(
                f"the two sides never match: the {name} side has no label {', '.join(lacking)}; "
                f"say on (...) or ignoring ({', '.join(lacking)})",
                op,
            )
            return
    both_have_job = "job" in left.sure and "job" in right.sure and "job" not in listed
    if both_have_job and left.components and right.components and not left.components & right.components:
        who = f"{'/'.join(sorted(left.components))} and {'/'.join(sorted(right.components))}"
        report(f"the two sides never match: {who} differ in the label job; say on (instance)", op)


def _result_labels(expr: BinaryExpr, op: str, left: Vector, right: Vector) -> Vector:
    modifier = expr.modifier
    matching = modifier.matching if modifier else None
    card = modifier.card if modifier else VectorMatchCardinality.OneToOne
    blank = Vector(GAUGE, any_label=left.any_label)
    if op == "or":
        return replace(
            blank, may=left.may | right.may, sure=left.sure & right.sure, any_label=left.any_label or right.any_label
        )
    if card in (VectorMatchCardinality.ManyToOne, VectorMatchCardinality.OneToMany):
        many = left if card == VectorMatchCardinality.ManyToOne else right
        lent = frozenset(modifier.group_labels or ())
        return replace(blank, may=many.may | lent, sure=many.sure, any_label=many.any_label)
    if matching and matching.type == LabelModifierType.Include:
        return replace(blank, may=left.may, sure=left.sure).keep(frozenset(matching.labels))
    result = replace(blank, may=left.may, sure=left.sure)
    return result.drop(frozenset(matching.labels)) if matching else result


def judge_grouping(expr: BinaryExpr, left: Vector, right: Vector, report: Callable[[str, str], None]) -> None:
    """group_left (x) takes x from the side of one."""
    modifier = expr.modifier
    if not modifier or not modifier.group_labels:
        return
    one = right if modifier.card == VectorMatchCardinality.ManyToOne else left
    for label in modifier.group_labels:
        if not one.carries(label):
            report(f"the other side lends no label {label}; it has {_listed(one)}", label)


def _listed(vector: Vector) -> str:
    return ", ".join(sorted(vector.may)) or "none"
