"""Layout: transpositions are carried through the nodes that do not mind the order of axes, until they cancel.

Each value may be at hand in several orders of its axes. A transposition makes no node at first: it only says in which
order its output is at hand. A node that works in any order takes its inputs in the order that costs least and gives its
output in that; a node that wants one order gets a transposition where the value is not at hand in it. So between a
convolution and the next, whatever stands between them, nothing is transposed, and the model's inputs and outputs keep
one each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, final

import numpy as np

import dovetail as dt
from dovetail.extend import Shape, TensorType
from dovetail_io.onnx.model import Graph, Node, Value
from dovetail_io.onnx.operators import ELEMENTWISE
from dovetail_io.onnx.passes.prune import substitute

__all__ = ["cancel_transpositions"]

Order: TypeAlias = tuple[int, ...]
"""Axis ``i`` of a value is axis ``order[i]`` of what is at hand."""


def cancel_transpositions(graph: Graph) -> None:
    """Carry transpositions along and cancel them; a graph that would get more of them stays as it is."""
    count = _transpositions(graph.nodes)
    if count:
        walk = _Walk(graph)
        if _transpositions(walk.nodes) <= count:
            graph.nodes = walk.nodes
            graph.outputs = walk.outputs
            for node in graph.nodes:
                for inner in node.graphs():
                    substitute(inner, walk.renamed)


def _transpositions(nodes: Sequence[Node]) -> int:
    return sum(node.op_type == "Transpose" for node in nodes)


def _identity(rank: int) -> Order:
    return tuple(range(rank))


def _inverse(order: Order) -> Order:
    return tuple(np.argsort(order).tolist()) if order else ()


def _turned(type: TensorType | None, order: Order) -> TensorType | None:
    """Return the type of what is at hand, given that of the value and its order."""
    return None if type is None else TensorType(type.dtype, Shape([type.dims[axis] for axis in _inverse(order)]))


@final
class _Walk:
    """One walk over the nodes.

    Attributes:
        nodes: the new nodes.
        outputs: the graph's outputs.
        renamed: new values for old ones that graphs within nodes take.
    """

    def __init__(self, graph: Graph) -> None:
        """Walk."""
        self.nodes: list[Node] = []
        self.renamed: dict[Value, Value] = {}
        self.at_hand: dict[Value, dict[Order, Value]] = {}
        for value in graph.inputs:
            if value.rank is not None:
                self.at_hand[value] = {_identity(value.rank): value}
        for node in graph.nodes:
            handler = _HANDLERS.get(node.op_type) if not node.domain else None
            if handler is None or not handler(self, node):
                self.keep(node)
        self.outputs = [self.plain(value) for value in graph.outputs]

    # What handlers use. ----------------------------------------------------------------------------------------------

    def orders(self, value: Value) -> dict[Order, Value]:
        """Return the orders in which a value is at hand."""
        if value.rank is None:
            return {}
        return self.at_hand.setdefault(value, {_identity(value.rank): value})

    def plain(self, value: Value) -> Value:
        """Return a value in its own order."""
        return value if value.rank is None else self.get(value, _identity(value.rank))

    def get(self, value: Value, order: Order) -> Value:
        """Return a value in an order; a transposition is added where it is not at hand in it."""
        orders = self.orders(value)
        found = orders.get(order)
        if found is None:
            known, source = next(iter(orders.items()))
            # axis i of value is axis known[i] of source, and is to be axis order[i] of the result
            perm = [known[axis] for axis in _inverse(order)]
            if source.array is not None:
                found = Value(
                    _turned(value.type, order), source.name, np.ascontiguousarray(source.array.transpose(perm))
                )
            else:
                found = Value(_turned(value.type, order), value.name)
                self.nodes.append(Node("Transpose", [source], [found], {"perm": perm}, name=value.name))
            orders[order] = found
        return found

    def keep(self, node: Node) -> None:
        """Keep a node as it is, its inputs in their own order."""
        inputs = [None if value is None else self.plain(value) for value in node.inputs]
        for inner in node.graphs():
            for value in inner.uses():
                if value in self.at_hand and (plain := self.plain(value)) is not value:
                    self.renamed[value] = plain
        self.nodes.append(node.changed(inputs, node.outputs))

    def emit(
        self,
        node: Node,
        inputs: Sequence[Value | None],
        order: Order,
        attributes: dict[str, Any] | None = None,
    ) -> bool:
        """Keep a node with its inputs in some order; its outputs are at hand in ``order``."""
        outputs = []
        for value in node.outputs:
            made = value if order == _identity(len(order)) else Value(_turned(value.type, order), value.name)
            self.at_hand[value] = {order: made}
            outputs.append(made)
        self.nodes.append(node.changed(inputs, outputs, attributes))
        return True

    def only_order(self, value: Value) -> Order | None:
        """Return the order in which a value is at hand, where that is not its own."""
        if value.rank is None:
            return None
        orders = self.orders(value)
        return None if _identity(value.rank) in orders else next(iter(orders))


# Handlers: each returns whether it dealt with the node. ---------------------------------------------------------------

Handler: TypeAlias = Callable[[_Walk, Node], bool]


def _transpose(walk: _Walk, node: Node) -> bool:
    x, y = node.inputs[0], node.outputs[0]
    if x is None or x.rank is None:
        return False
    perm = node.attributes["perm"]
    # axis i of y is axis perm[i] of x
    walk.at_hand[y] = {tuple([order[axis] for axis in perm]): value for order, value in walk.orders(x).items()}
    return True


def _elementwise(walk: _Walk, node: Node) -> bool:
    rank = node.outputs[0].rank
    inputs = [value for value in node.inputs if value is not None]
    if rank is None or rank < 2 or any(value.rank is None for value in inputs):
        return False
    full = [value for value in inputs if value.rank == rank and value.array is None]
    candidates = dict.fromkeys(order for value in full for order in walk.orders(value))
    if not candidates or list(candidates) == [_identity(rank)]:
        return False
    costs = {order: sum(_cost(walk, value, order, rank) for value in inputs) for order in candidates}
    best = min(costs, key=lambda order: (costs[order], order == _identity(rank)))
    if best == _identity(rank):
        return False
    return walk.emit(
        node, [None if value is None else _aligned(walk, value, best, rank) for value in node.inputs], best
    )


def _cost(walk: _Walk, value: Value, order: Order, rank: int) -> int:
    if value.array is not None or value.rank == 0:
        return 0
    if value.rank == rank:
        return order not in walk.orders(value)
    return 0 if order == _identity(rank) or value.rank == 1 else 2


def _aligned(walk: _Walk, value: Value, order: Order, rank: int) -> Value:
    """Return an operand, which may have fewer axes, so that it broadcasts to the others in an order."""
    assert value.type is not None
    own = len(value.type.dims)
    if own == 0 or (value.array is not None and value.array.size == 1):
        return walk.plain(value)
    if own == rank:
        return walk.get(value, order)
    lead = rank - own
    if value.array is not None:
        array = value.array.reshape((1,) * lead + value.array.shape).transpose(_inverse(order))
        return Value(TensorType(value.type.dtype, Shape(array.shape)), value.name, np.ascontiguousarray(array))
    if own == 1:
        place = order[-1]
        return _unsqueezed(walk, walk.plain(value), [axis for axis in range(rank) if axis != place])
    wide = _unsqueezed(walk, walk.plain(value), list(range(lead)))
    return walk.get(wide, order)


def _unsqueezed(walk: _Walk, value: Value, axes: list[int]) -> Value:
    assert value.type is not None
    rest = iter(value.type.dims)
    shape = Shape([1 if axis in axes else next(rest) for axis in range(len(value.type.dims) + len(axes))])
    result = Value(TensorType(value.type.dtype, shape), value.name)
    places = np.asarray(axes, np.int64)
    walk.nodes.append(Node("Unsqueeze", [value, _vector(places)], [result], name=value.name))
    return result


def _vector(numbers: Any) -> Value:
    array = np.asarray(numbers, np.int64)
    return Value(TensorType(dt.int64, Shape(array.shape)), "constant", array)


def _along_axis(walk: _Walk, node: Node) -> bool:
    """Work along one axis of the first input; the outputs have the same axes."""
    x = node.inputs[0]
    if x is None or (order := walk.only_order(x)) is None:
        return False
    axis = order[node.attributes["axis"] % len(order)]
    return walk.emit(node, [walk.get(x, order), *node.inputs[1:]], order, {**node.attributes, "axis": axis})


def _of_first(walk: _Walk, node: Node) -> bool:
    """Work on each element of the first input; the others are scalars."""
    x = node.inputs[0]
    if x is None or (order := walk.only_order(x)) is None:
        return False
    return walk.emit(node, [walk.get(x, order), *node.inputs[1:]], order)


def _concat(walk: _Walk, node: Node) -> bool:
    inputs = [value for value in node.inputs if value is not None]
    if any(value.rank is None for value in inputs):
        return False
    candidates = dict.fromkeys(order for value in inputs if value.array is None for order in walk.orders(value))
    rank = inputs[0].rank or 0
    if not candidates or list(candidates) == [_identity(rank)]:
        return False
    costs = {order: sum(_cost(walk, value, order, rank) for value in inputs) for order in candidates}
    best = min(costs, key=lambda order: (costs[order], order == _identity(rank)))
    if best == _identity(rank):
        return False
    attributes = {**node.attributes, "axis": best[node.attributes["axis"] % rank]}
    return walk.emit(node, [walk.get(value, best) for value in inputs], best, attributes)


def _reduce(walk: _Walk, node: Node) -> bool:
    x = node.inputs[0]
    axes = node.inputs[1] if len(node.inputs) > 1 else None
    if x is None or axes is None or axes.array is None or (order := walk.only_order(x)) is None:
        return False
    rank = len(order)
    gone = [int(axis) % rank for axis in axes.array]
    places = sorted(order[axis] for axis in gone)
    result = order if node.attributes.get("keepdims", 1) else _without(order, gone)
    return walk.emit(node, [walk.get(x, order), _vector(places)], result)


def _without(order: Order, axes: Sequence[int]) -> Order:
    """Return the order of a value that lacks some axes of one of ``order``."""
    kept = [place for axis, place in enumerate(order) if axis not in axes]
    return tuple([sorted(kept).index(place) for place in kept])


def _arg(walk: _Walk, node: Node) -> bool:
    x = node.inputs[0]
    if x is None or (order := walk.only_order(x)) is None:
        return False
    axis = node.attributes.get("axis", 0) % len(order)
    result = order if node.attributes.get("keepdims", 1) else _without(order, [axis])
    return walk.emit(node, [walk.get(x, order)], result, {**node.attributes, "axis": order[axis]})


def _pad(walk: _Walk, node: Node) -> bool:
    x, pads = node.inputs[0], node.inputs[1]
    if x is None or pads is None or pads.array is None or len(node.inputs) > 3 or (order := walk.only_order(x)) is None:
        return False
    both = pads.array.reshape(2, len(order))[:, list(_inverse(order))].reshape(-1)
    return walk.emit(node, [walk.get(x, order), _vector(both), *node.inputs[2:]], order)


def _slice(walk: _Walk, node: Node) -> bool:
    x = node.inputs[0]
    axes = node.inputs[3] if len(node.inputs) > 3 else None
    if x is None or axes is None or axes.array is None or (order := walk.only_order(x)) is None:
        return False
    places = _vector([order[int(axis) % len(order)] for axis in axes.array])
    inputs = [walk.get(x, order), *node.inputs[1:3], places, *node.inputs[4:]]
    return walk.emit(node, inputs, order)


def _squeeze(walk: _Walk, node: Node) -> bool:
    x = node.inputs[0]
    axes = node.inputs[1] if len(node.inputs) > 1 else None
    if x is None or axes is None or axes.array is None or (order := walk.only_order(x)) is None:
        return False
    gone = [int(axis) % len(order) for axis in axes.array]
    return walk.emit(node, [walk.get(x, order), _vector(sorted(order[axis] for axis in gone))], _without(order, gone))


def _reshape(walk: _Walk, node: Node) -> bool:
    """Where only axes of size 1 have moved, the elements are in the same order, and no transposition is needed."""
    x = node.inputs[0]
    if x is None or x.type is None or (order := walk.only_order(x)) is None:
        return False
    moved = [place for place, dim in zip(order, x.type.dims, strict=True) if dim != 1]
    shape = node.inputs[1]
    if moved != sorted(moved) or (shape is not None and shape.array is not None and 0 in shape.array[1:]):
        return False
    if shape is None or shape.array is None or (shape.array.size and shape.array[0] == 0 and order[0] != 0):
        return False
    return walk.emit(node, [walk.get(x, order), shape], _identity(node.outputs[0].rank or 0))


_HANDLERS: Final[dict[str, Handler]] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(["ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"], _reduce),
    **dict.fromkeys(["ArgMax", "ArgMin"], _arg),
    **dict.fromkeys(["LogSoftmax", "Softmax", "Split"], _along_axis),
    "Concat": _concat,
    "Dropout": _of_first,
    "Pad": _pad,
    "Reshape": _reshape,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
}
