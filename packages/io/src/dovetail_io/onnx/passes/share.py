"""Share: nodes that do the same with the same values become one."""

from __future__ import annotations

from typing import Any, Final

from dovetail.extend import DType
from dovetail_io.onnx.model import Graph, Node, Value
from dovetail_io.onnx.passes.prune import substitute

__all__ = ["share"]

_DRAWS: Final = frozenset(["Dropout", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"])


def share(graph: Graph) -> None:
    """Keep the first of equal nodes; those that draw random numbers or hold graphs are equal to none."""
    known: dict[Any, Node] = {}
    replaced: dict[Value, Value] = {}
    kept = []
    for node in graph.nodes:
        key = _key(node, replaced)
        first = node if key is None else known.setdefault(key, node)
        if first is node or any(value in graph.outputs for value in node.outputs):
            kept.append(node)
        else:
            replaced.update(zip(node.outputs, first.outputs, strict=True))
    graph.nodes = kept
    substitute(graph, replaced)


def _key(node: Node, replaced: dict[Value, Value]) -> Any:
    """Return what equal nodes have in common; ``None`` for a node that is equal to none."""
    if node.op_type in _DRAWS or node.attributes.get("training_mode") or node.function is not None:
        return None
    attributes = []
    for name, value in sorted(node.attributes.items()):
        plain = tuple(value) if isinstance(value, list) else value
        if not isinstance(plain, int | float | str | tuple | DType):
            return None
        attributes.append((name, plain))
    inputs = tuple(_same(replaced.get(value, value)) if value is not None else None for value in node.inputs)
    return node.domain, node.op_type, inputs, tuple(attributes), len(node.outputs)


def _same(value: Value) -> Any:
    """Return what stands for a value: small constants by their elements."""
    array = value.array
    if array is None or array.dtype == object or array.size > 64:
        return value
    return str(array.dtype), array.shape, array.tobytes()
