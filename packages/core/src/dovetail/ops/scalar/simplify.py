"""Simplification of scalar expressions that changes no bit of any result."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from dovetail.errors import DTypeError
from dovetail.ops.scalar import basis
from dovetail.ops.scalar.expression import Apply, Basis, Expression, Literal, inputs_of, rebuild

__all__ = ["fold_literals", "simplify"]

_ON_INTEGERS: Final[Mapping[Basis, Callable[..., int | float | bool]]] = {
    basis.add: operator.add,
    basis.subtract: operator.sub,
    basis.multiply: operator.mul,
    basis.divide: operator.truediv,
    basis.negative: operator.neg,
    basis.absolute: abs,
    basis.square: lambda x: x * x,
    basis.maximum: max,
    basis.minimum: min,
    basis.equal: operator.eq,
    basis.not_equal: operator.ne,
    basis.less: operator.lt,
    basis.less_equal: operator.le,
    basis.greater: operator.gt,
    basis.greater_equal: operator.ge,
    basis.bitwise_and: operator.and_,
    basis.bitwise_or: operator.or_,
    basis.bitwise_xor: operator.xor,
    basis.invert: operator.invert,
}
"""Functions of literal integers, exact whatever their size; the rest fold where all operands are floats or bools."""


def fold_literals(expression: Expression) -> Expression:
    """Replace each subexpression without inputs by its value, which is how such a subexpression is defined.

    Floats are computed in double precision, integers exactly. Conversions are kept.

    Raises:
        DTypeError: a function cannot be applied to its literal operands.

    Example:
        >>> from dovetail.ops.scalar import parse_expression
        >>> print(fold_literals(parse_expression("x0 / sqrt(2.0)")))
        x0 / 1.4142135623730951
    """
    return rebuild(expression, _fold)


def simplify(expression: Expression) -> Expression:
    """Fold literals and drop what does nothing; the result has the same bits, dtype and inputs.

    Rules: ``x * 1``, ``x / 1.0``, ``x - 0`` and ``x + -0.0`` are ``x`` (but not ``x + 0.0``, which turns -0.0 into
    0.0); ``--x`` and ``~~x`` are ``x``; ``x ** 1`` is ``x`` and ``x ** 2`` is ``square(x)``, also by definition;
    ``x + -y`` is ``x - y``, ``x - -y`` is ``x + y``; ``-1.0 * x`` is ``-x``; select with a literal condition, or with
    two equal branches, is the branch, provided that no input is lost.

    Example:
        >>> from dovetail.ops.scalar import parse_expression
        >>> print(simplify(parse_expression("--x0 * 1.0 + x1 * (3.0 - 2.0)")))
        x0 + x1
    """
    return rebuild(expression, simplify_node)


def simplify_node(node: Expression) -> Expression:
    """Simplify one node whose arguments are simple already."""
    node = _fold(node)
    if isinstance(node, Apply):
        rule = _RULES.get(node.function)
        if rule is not None:
            return rule(node, *node.args)
    return node


def is_literal(node: Expression, value: float) -> bool:
    """Whether ``node`` is the int or float ``value``, signs of zero told apart."""
    if not isinstance(node, Literal) or isinstance(node.value, bool) or node.value != value:
        return False
    return math.copysign(1.0, node.value) == math.copysign(1.0, value)


def _fold(node: Expression) -> Expression:
    if not isinstance(node, Apply):
        return node
    values: list[Any] = []
    for arg in node.args:
        if not isinstance(arg, Literal):
            return node
        values.append(arg.value)
    kinds = {type(value) for value in values}
    if node.function is basis.select:
        return _fold_select(node, values)
    try:
        if kinds == {int} and node.function in _ON_INTEGERS:
            return Literal(_ON_INTEGERS[node.function](*values))
        if node.function.domain == "numeric" and kinds == {int}:
            return _fold_rounding(node, values)
        if bool in kinds and (kinds != {bool} or node.function.domain not in ("bool", "any")):
            raise DTypeError(f"{node}: truth values are no numbers; cast them.")
        wanted = np.bool_ if bool in kinds else np.float64
        with np.errstate(all="ignore"):
            return Literal(node.function.numpy(*(np.asarray(value, wanted) for value in values)).item())
    except (ArithmeticError, ValueError) as error:
        raise DTypeError(f"{node} has no value: {error}.") from error


def _fold_select(node: Apply, values: list[Any]) -> Expression:
    if not isinstance(values[0], bool):
        raise DTypeError(f"{node}: the condition is {values[0]!r}, not a bool.")
    chosen = values[1] if values[0] else values[2]
    mixed = float in (type(values[1]), type(values[2])) and not isinstance(chosen, bool)
    return Literal(float(chosen) if mixed else chosen)


def _fold_rounding(node: Apply, values: list[int]) -> Expression:
    if node.function in (basis.floor, basis.ceil, basis.round_, basis.trunc):
        return Literal(values[0])
    if node.function is basis.sign:
        return Literal((values[0] > 0) - (values[0] < 0))
    if node.function is basis.floor_divide:
        return Literal(values[0] // values[1])
    if node.function is basis.remainder:
        return Literal(values[0] % values[1])
    if values[1] < 0:
        raise ValueError("an integer to a negative integer power")
    return Literal(values[0] ** values[1])


def _negation_of(node: Expression) -> Expression | None:
    return node.args[0] if isinstance(node, Apply) and node.function is basis.negative else None


def _add(node: Expression, x: Expression, y: Expression) -> Expression:
    negated = _negation_of(y)
    if negated is not None:
        return simplify_node(basis.subtract(x, negated))
    if is_literal(y, -0.0):
        return x
    if is_literal(x, -0.0):
        return y
    return node


def _subtract(node: Expression, x: Expression, y: Expression) -> Expression:
    negated = _negation_of(y)
    if negated is not None:
        return basis.add(x, negated)
    return x if is_literal(y, 0.0) else node


def _multiply(node: Expression, x: Expression, y: Expression) -> Expression:
    for factor, other in ((x, y), (y, x)):
        if is_literal(factor, 1.0):
            return other
        if is_literal(factor, -1.0) and isinstance(factor, Literal) and isinstance(factor.value, float):
            return _negative(basis.negative(other), other)
    return node


def _divide(node: Expression, x: Expression, y: Expression) -> Expression:
    # A literal int may stand beside integers, whose quotient is floating.
    return x if is_literal(y, 1.0) and isinstance(y, Literal) and isinstance(y.value, float) else node


def _power(node: Expression, x: Expression, y: Expression) -> Expression:
    if is_literal(y, 1.0):
        return x
    return basis.square(x) if is_literal(y, 2.0) else node


def _negative(node: Expression, x: Expression) -> Expression:
    negated = _negation_of(x)
    return node if negated is None else negated


def _logical_not(node: Expression, x: Expression) -> Expression:
    return x.args[0] if isinstance(x, Apply) and x.function is basis.logical_not else node


def _select(node: Expression, condition: Expression, a: Expression, b: Expression) -> Expression:
    if a is b and set(inputs_of(condition)) <= set(inputs_of(a)):
        return a
    if isinstance(condition, Literal):
        chosen, other = (a, b) if condition.value else (b, a)
        if inputs_of(chosen) and set(inputs_of(other)) <= set(inputs_of(chosen)):
            return chosen
    return node


_RULES: Final[Mapping[Basis, Callable[..., Expression]]] = {
    basis.add: _add,
    basis.subtract: _subtract,
    basis.multiply: _multiply,
    basis.divide: _divide,
    basis.power: _power,
    basis.negative: _negative,
    basis.logical_not: _logical_not,
    basis.select: _select,
}
