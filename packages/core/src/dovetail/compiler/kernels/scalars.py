"""Scalar expressions as nodes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

from dovetail.compiler.kernels.elements import computed
from dovetail.compiler.kernels.ir import Apply as ApplyNode
from dovetail.compiler.kernels.ir import Constant, Local, Node
from dovetail.compiler.kernels.ir import Convert as ConvertNode
from dovetail.ops.scalar.dtype_rules import dtypes_of, operand_dtype, settled
from dovetail.ops.scalar.expression import Apply, Convert, Expression, Input, Literal, nodes_of
from dovetail.ops.scalar.simplify import simplify
from dovetail.types.dtypes import DType, bool_, float64

__all__ = ["apply_expression", "constant", "convert", "convert_down", "convert_up", "weight_of"]

_HEAVY: Final = {
    "divide": 3, "reciprocal": 3, "sqrt": 4, "rsqrt": 6, "floor_divide": 4, "remainder": 6, "power": 24, "exp": 10,
    "expm1": 12, "log": 12, "log1p": 14, "sigmoid": 14, "tanh": 14, "sin": 16, "cos": 16, "tan": 20, "asin": 20,
    "acos": 20, "atan": 20, "atan2": 24, "sinh": 20, "cosh": 20, "asinh": 24, "acosh": 24, "atanh": 24, "erf": 20,
    "erfc": 30, "lgamma": 60, "digamma": 60,
}  # fmt: skip


@functools.lru_cache(maxsize=4096)
def weight_of(expression: Expression) -> int:
    """Return about how many simple operations an expression takes."""
    return sum(_HEAVY.get(node.function.name, 1) for node in nodes_of(expression) if isinstance(node, Apply))


def constant(value: bool | int | float, dtype: DType) -> Constant:
    """Return a constant of the dtype that values of ``dtype`` are computed in."""
    wide = computed(dtype)
    if wide.is_floating:
        return Constant(float(wide.numpy.type(value)), wide)
    if wide.is_bool:
        return Constant(bool(value), wide)
    return Constant(int(wide.numpy.type(value)), wide)


def convert(node: Node, source: DType, target: DType) -> Node:
    """Return a value of ``source`` in ``target``, each as it is computed; halves are rounded where they are made."""
    if source is target:
        return node
    wide = computed(target)
    if target.is_half:
        return ConvertNode(wide, ConvertNode(target, node))
    return node if computed(source) is target else ConvertNode(target, node)


def convert_up(node: Node, dtype: DType) -> Node:
    """Return what is loaded as ``dtype`` in the dtype that it is computed in."""
    wide = computed(dtype)
    return node if wide is dtype else ConvertNode(wide, node)


def convert_down(node: Node, dtype: DType) -> Node:
    """Return what was computed for ``dtype`` in the dtype that it is stored in."""
    return node if node.dtype is dtype else ConvertNode(dtype, node)


def apply_expression(expression: Expression, dtypes: Sequence[DType], inputs: Sequence[Node]) -> Node:
    """Return the node of a scalar expression; literals take the dtype of what stands beside them.

    Args:
        expression: what to compute.
        dtypes: dtypes of its inputs.
        inputs: their nodes, in the dtypes they are computed in.
    """
    nodes = list(inputs)
    steps, result = _recipe(expression, tuple(dtypes))
    for made, places in steps:
        if isinstance(made, ApplyNode):
            nodes.append(ApplyNode(made.function, [nodes[place] for place in places], made.dtype))
        elif isinstance(made, ConvertNode):
            nodes.append(ConvertNode(made.dtype, nodes[places[0]]))
        else:
            nodes.append(made)
    return nodes[result]


@functools.lru_cache(maxsize=4096)
def _recipe(expression: Expression, dtypes: tuple[DType, ...]) -> tuple[Sequence[tuple[Node, Sequence[int]]], int]:
    """Return what to make after the inputs, in order, with the places of what each is made of; and the result's place.

    An expression is applied many times, to one array after another, and in trial as well; so it is looked at once.
    """
    inputs = [Local(computed(dtype)) for dtype in dtypes]
    place: dict[Node, int] = {node: number for number, node in enumerate(inputs)}
    steps: list[tuple[Node, Sequence[int]]] = []

    def visit(node: Node) -> None:
        if node not in place:
            for one in node.args:
                visit(one)
            place[node] = len(place)
            steps.append((node, [place[one] for one in node.args]))

    root = _built(expression, dtypes, inputs)
    visit(root)
    return steps, place[root]


def _built(expression: Expression, dtypes: Sequence[DType], inputs: Sequence[Node]) -> Node:
    root = simplify(expression)
    found = dtypes_of(root, dtypes)
    made: dict[tuple[Expression, DType], Node] = {}

    def node_of(one: Expression, wanted: DType) -> Node:
        key = (one, wanted)
        known = made.get(key)
        if known is None:
            known = made[key] = build(one, wanted)
        return known

    def build(one: Expression, wanted: DType) -> Node:
        if isinstance(one, Input):
            return inputs[one.index]
        if isinstance(one, Literal):
            return constant(one.value, wanted)
        if isinstance(one, Convert):
            own = found[one.arg]
            if not isinstance(own, DType):
                own = bool_ if own is bool else one.dtype if own is int or one.dtype.is_floating else float64
            return convert(node_of(one.arg, own), own, one.dtype)
        if not isinstance(one, Apply):
            raise TypeError(type(one).__name__)
        function = one.function
        common = operand_dtype(one, found)
        if not isinstance(common, DType):
            common = wanted if function.result in ("operand", "quotient") else settled(common)
        arguments = list(one.args)
        first = [node_of(arguments.pop(0), bool_)] if function.domain == "select" else []
        nodes = [*first, *(node_of(arg, common) for arg in arguments)]
        if function.result == "bool":
            return ApplyNode(function, nodes, bool_)
        if function.result == "quotient" and common.is_integer:
            own = found[one]
            target = own if isinstance(own, DType) else wanted
            return ApplyNode(function, [ConvertNode(target, node) for node in nodes], target)
        return ApplyNode(function, nodes, computed(common))

    own = found[root]
    return node_of(root, own if isinstance(own, DType) else settled(own))
