"""Partial derivatives of scalar expressions, as scalar expressions.

Tangents are carried from the leaves to the root over the shared structure, so a derivative is about as large as its
expression, and a conversion converts the tangent along with the value. Where an expression selects, its derivative
selects too: ``select(x > 0.0, log(x), 0.0)`` has the derivative ``select(x > 0.0, 1 / x, 0.0)``, not a product of zero
and infinity.
"""

from __future__ import annotations

from dovetail.errors import InvalidArgumentError
from dovetail.ops.scalar import basis
from dovetail.ops.scalar.expression import (
    Apply,
    Convert,
    Expression,
    Input,
    Literal,
    as_expression,
    inputs_of,
    nodes_of,
    rebuild,
)
from dovetail.ops.scalar.simplify import is_literal, simplify, simplify_node

__all__ = ["derivative", "derivative_with_output"]


def derivative(expression: Expression, index: int) -> Expression | None:
    """Differentiate ``expression`` with respect to input ``index``.

    The result may mention fewer inputs than the expression, even none, and then adopts its dtype where it is used.
    Products with 0 are dropped, also where the other factor could be infinite.

    Returns:
        the derivative, or None where the expression does not depend on the input, or only by jumps.

    Example:
        >>> from dovetail.ops.scalar import parse_expression
        >>> print(derivative(parse_expression("x0 * sin(x1)"), 1))
        x0 * cos(x1)
    """
    return _differentiate(simplify(expression), index, None)


def derivative_with_output(
    expression: Expression, index: int, inputs: int | None = None
) -> tuple[Expression | None, bool]:
    """Differentiate, using the value of ``expression`` itself, which stands as ``Input(inputs)`` in the result.

    Args:
        expression: what to differentiate.
        index: with respect to which input.
        inputs: how many inputs the expression has; left out, one more than the highest index that occurs.

    Returns:
        the derivative or None, and whether it mentions the value.

    Example:
        >>> from dovetail.ops.scalar import parse_expression
        >>> result, uses_output = derivative_with_output(parse_expression("tanh(x0)"), 0)
        >>> print(result, uses_output)
        1.0 - x1 * x1 True
    """
    used = inputs_of(expression)
    count = used[-1] + 1 if used else 0
    if inputs is not None and inputs < count:
        raise InvalidArgumentError(f"the expression {expression} has at least {count} inputs, not {inputs}.")
    output = Input(count if inputs is None else inputs)
    result = _differentiate(simplify(expression), index, output)
    return result, result is not None and output.index in inputs_of(result)


def _differentiate(expression: Expression, index: int, output: Expression | None) -> Expression | None:
    tangents: dict[Expression, Expression | None] = {}
    for node in nodes_of(expression):
        if isinstance(node, Input):
            tangents[node] = Literal(1.0) if node.index == index else None
        elif isinstance(node, Convert):
            tangents[node] = _convert_tangent(node, tangents[node.arg])
        elif isinstance(node, Apply):
            value = output if output is not None and node is expression else node
            tangents[node] = _apply_tangent(node, value, [tangents[arg] for arg in node.args])
        else:
            tangents[node] = None
    return tangents[expression]


def _convert_tangent(node: Convert, tangent: Expression | None) -> Expression | None:
    if tangent is None or not node.dtype.is_floating:
        return None
    return tangent if isinstance(tangent, Literal) else Convert(node.dtype, tangent)


def _apply_tangent(node: Apply, value: Expression, tangents: list[Expression | None]) -> Expression | None:
    total: Expression | None = None
    for rule, tangent in zip(node.function.derivatives, tangents, strict=True):
        if rule is None or tangent is None:
            continue
        factor = rebuild(as_expression(rule(value, *node.args)), _simplify_factor, {value, *node.args})
        term = _times(factor, tangent)
        if term is not None:
            total = term if total is None else _plus(total, term)
    return total


def _simplify_factor(node: Expression) -> Expression:
    """Simplify a node of a partial derivative, which may lose inputs: it is multiplied by what has the full shape."""
    node = simplify_node(node)
    if isinstance(node, Apply) and node.function is basis.select and isinstance(node.args[0], Literal):
        return node.args[1] if node.args[0].value else node.args[2]
    return node


def _times(factor: Expression, tangent: Expression) -> Expression | None:
    """Multiply; zero gives None, and a mask selects."""
    if is_literal(factor, 0.0) or is_literal(factor, -0.0):
        return None
    if isinstance(factor, Apply) and factor.function is basis.select:
        condition, a, b = factor.args
        if isinstance(a, Literal) and isinstance(b, Literal) and {a.value, b.value} == {0.0, 1.0}:
            return basis.select(condition, *(tangent if branch.value else 0.0 for branch in (a, b)))
    return simplify_node(basis.multiply(factor, tangent))


def _plus(x: Expression, y: Expression) -> Expression:
    """Add; two masks of one condition that exclude each other merge."""
    if isinstance(x, Apply) and isinstance(y, Apply) and x.function is y.function is basis.select:
        (condition, a, b), (other, c, d) = x.args, y.args
        if condition is other and is_literal(b, 0.0) and is_literal(c, 0.0):
            return simplify_node(basis.select(condition, a, d))
        if condition is other and is_literal(a, 0.0) and is_literal(d, 0.0):
            return simplify_node(basis.select(condition, c, b))
    return simplify_node(basis.add(x, y))
