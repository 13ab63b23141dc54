"""Recurrent: a walk along turned sequences goes backwards instead, and two walks over the same sequences become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail.extend import Dim, Shape, TensorType
from dovetail_io.onnx.model import Graph, Node, Value
from dovetail_io.onnx.passes.prune import prune, substitute

__all__ = ["join_directions"]

_OPERATORS: Final = ("GRU", "LSTM", "RNN")
_LENGTHS, _STATES, _PEEPHOLES = 4, (5, 6), 7


def join_directions(graph: Graph) -> None:
    """Let walks along turned sequences go backwards, and join those of two directions."""
    if not any(_is_recurrent(node) for node in graph.nodes):
        return
    for place in range(len(graph.nodes)):  # whose nodes are others after each change
        if _is_recurrent(graph.nodes[place]):
            _walk_backwards(graph, place)
    prune(graph)
    waiting: dict[Any, Node] = {}
    for node in list(graph.nodes):
        if _is_recurrent(node):
            other = waiting.pop((*_shared(graph, node), _opposite(node)), None)
            if other is not None and node not in _depending(graph.nodes, set(other.outputs)):
                _join(graph, other, node)
            else:
                waiting[(*_shared(graph, node), node.attributes["direction"])] = node
    prune(graph)


def _is_recurrent(node: Node) -> bool:
    return node.op_type in _OPERATORS and not node.domain


def _opposite(node: Node) -> str:
    return "forward" if node.attributes["direction"] == "reverse" else "reverse"


def _input(node: Node, place: int) -> Value | None:
    return node.inputs[place] if place < len(node.inputs) else None


def _maker(graph: Graph, value: Value | None, op_type: str) -> Node | None:
    if value is None:
        return None
    return next(
        (one for one in graph.nodes if value in one.outputs and one.op_type == op_type and not one.domain), None
    )


def _takers(graph: Graph, value: Value) -> list[Node | None]:
    """Return the nodes that take a value; ``None`` for an output of the graph, and for a graph within a node."""
    found: list[Node | None] = [node for node in graph.nodes if value in node.inputs]
    within = any(value in inner.uses() for node in graph.nodes for inner in node.graphs())
    return found + [None] * (graph.outputs.count(value) + within)


def _root(graph: Graph, lengths: Value | None) -> Any:
    """Return what lengths are, whatever their dtype, and whether or not they are held to the last step."""
    found = lengths
    for op_type in ("Cast", "Min", "Cast"):
        maker = _maker(graph, found, op_type)
        found = found if maker is None else maker.inputs[0]
    return tuple(found.array.tolist()) if found is not None and found.array is not None else found


# Backwards. ----------------------------------------------------------------------------------------------------------


def _walk_backwards(graph: Graph, place: int) -> None:
    """Walk backwards along sequences rather than forwards along turned ones, whose results are turned again."""
    node = graph.nodes[place]
    lengths = _root(graph, _input(node, _LENGTHS))
    turned = _maker(graph, node.inputs[0], "ReverseSequence")
    if lengths is None or turned is None or not _turns(graph, turned, lengths):
        return
    results = []
    for taker in _takers(graph, node.outputs[0]):
        if taker is None or taker.op_type != "Squeeze":
            return
        for one in _takers(graph, taker.outputs[0]):
            if one is None or one.op_type != "ReverseSequence" or not _turns(graph, one, lengths):
                return
            results.append((one.outputs[0], taker.outputs[0]))
    attributes = {**node.attributes, "direction": _opposite(node)}
    graph.nodes[place] = node.changed([turned.inputs[0], *node.inputs[1:]], node.outputs, attributes)
    substitute(graph, dict(results))


def _turns(graph: Graph, node: Node, lengths: Any) -> bool:
    axes = node.attributes["time_axis"], node.attributes["batch_axis"]
    return axes == (0, 1) and bool(_root(graph, node.inputs[1]) == lengths)


# Both directions. ----------------------------------------------------------------------------------------------------


def _shared(graph: Graph, node: Node) -> tuple[Any, ...]:
    """Return what two walks have in common that can be one."""
    given = tuple(_input(node, place) is None for place in (*_STATES, _PEEPHOLES))
    attributes = tuple(
        (name, tuple(value) if isinstance(value, list) else value)
        for name, value in sorted(node.attributes.items())
        if name != "direction"
    )
    return node.op_type, node.inputs[0], _root(graph, _input(node, _LENGTHS)), given, attributes


def _join(graph: Graph, first: Node, second: Node) -> None:
    forward, backward = (first, second) if first.attributes["direction"] == "forward" else (second, first)
    joined: list[Node] = []
    inputs: list[Value | None] = [forward.inputs[0]]
    for place in range(1, max(len(forward.inputs), len(backward.inputs))):
        one, other = _input(forward, place), _input(backward, place)
        inputs.append(one if place == _LENGTHS or one is None or other is None else _both(joined, one, other, 0))
    outputs = [_doubled(value, 1 if index == 0 else 0) for index, value in enumerate(forward.outputs)]
    attributes = {**forward.attributes, "direction": "bidirectional"}
    if "activations" in attributes:
        attributes["activations"] = attributes["activations"] * 2
    joined.append(forward.changed(inputs, outputs, attributes))
    for index, pair in enumerate(zip(forward.outputs, backward.outputs, strict=True)):
        if index == 0 and _side_by_side(graph, joined, outputs[0], pair):
            continue
        joined.append(Node("Split", [outputs[index]], pair, {"axis": 1 if index == 0 else 0, "num_outputs": 2}))
    # after the later of the two, before which all that either takes is made; what takes the earlier one comes later
    place = graph.nodes.index(second)
    between = graph.nodes[graph.nodes.index(first) + 1 : place]
    late = _depending(between, set(first.outputs))
    early = [node for node in between if node not in late]
    graph.nodes[graph.nodes.index(first) : place + 1] = [*early, *joined, *late]


def _depending(nodes: Sequence[Node], values: set[Value]) -> list[Node]:
    """Return the nodes that depend on values."""
    found = []
    for node in nodes:
        taken = {value for value in node.inputs if value is not None}
        taken.update(value for inner in node.graphs() for value in inner.uses())
        if taken & values:
            found.append(node)
            values.update(node.outputs)
    return found


def _both(joined: list[Node], one: Value, other: Value, axis: int) -> Value:
    assert one.type is not None
    if one.array is not None and other.array is not None:
        array = np.concatenate([one.array, other.array], axis)
        return Value(TensorType(one.dtype, Shape(array.shape)), one.name, array)
    result = _doubled(one, axis)
    joined.append(Node("Concat", [one, other], [result], {"axis": axis}, name=one.name))
    return result


def _doubled(value: Value, axis: int) -> Value:
    assert value.type is not None
    dims: list[Dim] = list(value.type.dims)
    dims[axis] = 2
    return Value(TensorType(value.dtype, Shape(dims)), value.name)


def _side_by_side(graph: Graph, joined: list[Node], every: Value, pair: tuple[Value, Value]) -> bool:
    """Put the outputs of both directions side by side by one transposition, where nothing else takes them."""
    squeezed = [_only(graph, value, "Squeeze") for value in pair]
    if squeezed[0] is None or squeezed[1] is None:
        return False
    ends = [_only(graph, node.outputs[0], "Concat") for node in squeezed if node is not None]
    concat = ends[0]
    if concat is None or ends[1] is not concat or concat.attributes["axis"] not in (-1, 2):
        return False
    if list(concat.inputs) != [node.outputs[0] for node in squeezed if node is not None]:
        return False
    last, perm = concat, [0, 2, 1, 3]
    turned = _only(graph, concat.outputs[0], "Transpose")
    if turned is not None and list(turned.attributes["perm"]) == [1, 0, 2]:
        last, perm = turned, [2, 0, 1, 3]
    if every.type is None or not isinstance(width := every.type.dims[3], int):
        return False
    moved = Value(TensorType(every.dtype, Shape([every.type.dims[axis] for axis in perm])), every.name)
    shape = np.asarray([0, 0, 2 * width], np.int64)
    joined.append(Node("Transpose", [every], [moved], {"perm": perm}, name=concat.name))
    sizes = Value(TensorType(dt.int64, Shape((3,))), "constant", shape)
    joined.append(Node("Reshape", [moved, sizes], [last.outputs[0]], name=concat.name))
    graph.nodes = [node for node in graph.nodes if node not in (*squeezed, concat, last)]
    return True


def _only(graph: Graph, value: Value, op_type: str) -> Node | None:
    """Return the only taker of a value, if it is of this operator."""
    takers = _takers(graph, value)
    (only,) = takers if len(takers) == 1 else (None,)
    return only if only is not None and only.op_type == op_type and not only.domain else None
