"""Which jobs must be scraped so that a query can have data: without them its panel is empty, and nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import promql_parser as ast

from ...module_utils.panels.variables import fill
from .known import Vocabulary


def needs(queries: Iterable[str], variables: Mapping[str, str | list[str]], known: Vocabulary) -> list[str]:
    """The jobs without which none of a panel's queries can have data, sorted.

    Args:
        queries: with their variables not filled in yet.
    """
    each = [_needs(ast.parse(fill(query, variables)), known) for query in queries]
    return sorted(frozenset.intersection(*each)) if each else []


def _needs(node: object, known: Vocabulary) -> frozenset[str]:
    match node:
        case ast.VectorSelector():
            return _of_selector(node, known)
        case ast.MatrixSelector():
            return _of_selector(node.vector_selector, known)
        case ast.BinaryExpr():
            sides = _needs(node.lhs, known), _needs(node.rhs, known)
            if str(node.op) == "or":
                return sides[0] & sides[1]
            return sides[0] if str(node.op) == "unless" else sides[0] | sides[1]
        case ast.Call() if node.func.name == "absent":
            return frozenset()
        case ast.Call():
            return frozenset().union(*(_needs(argument, known) for argument in node.args))
        case ast.AggregateExpr() | ast.ParenExpr() | ast.UnaryExpr() | ast.SubqueryExpr():
            return _needs(node.expr, known)
        case _:
            return frozenset()


def _of_selector(node: ast.VectorSelector, known: Vocabulary) -> frozenset[str]:
    asked = {m.value for m in node.matchers.matchers if m.name == "job" and m.op == ast.MatchOp.Equal}
    components = {series.component for series in known.find(node.name or "", None)}
    if asked or "" in components or len(components) != 1:
        return frozenset(asked)
    return frozenset(job for job, component in known.jobs.items() if component in components)
