"""An ONNX model while it is made: values, nodes, graphs and functions as plain objects, before any name is final."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, final

from dovetail.extend import Array, DType, TensorType

__all__ = ["ELEMENT_TYPES", "Function", "Graph", "Node", "Value"]

ELEMENT_TYPES: Final = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "string": 8,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
    "complex64": 14,
    "complex128": 15,
    "bfloat16": 16,
}
"""``TensorProto.DataType`` by the names of dtypes, as the standard fixes it."""


@final
class Value:
    """A tensor of the model; compared by identity.

    Attributes:
        name: what it is called, before names are made unique; empty where nothing suggests one.
        type: dtype and shape, ``None`` where no pass needs to know.
        array: the elements, of a constant.
    """

    __slots__ = ("array", "name", "type")

    def __init__(self, type: TensorType | None = None, name: str = "", array: Array | None = None) -> None:
        """Make a value."""
        self.type = type
        self.name = name
        self.array = array

    @property
    def rank(self) -> int | None:
        """The number of axes, where it is known."""
        return None if self.type is None else self.type.rank

    @property
    def dtype(self) -> DType:
        """The element type, of a value whose type is known."""
        assert self.type is not None, self.name
        return self.type.dtype

    def __repr__(self) -> str:
        """Show name and type."""
        return f"<Value {self.name or '?'}: {self.type}>"


@final
class Node:
    """An operator applied to values; compared by identity.

    Attributes:
        op_type: the operator, or the name of a function.
        inputs: values; ``None`` for one left out.
        outputs: values.
        attributes: by name: numbers, strings, lists of them, arrays, or a ``Graph``.
        domain: empty for the standard's operators.
        function: what ``op_type`` names, if it is a function of the model.
        name: of the graph's node that it comes from.
        source: the line of the user's program.
        layer: the layer that made it, as ``distribution:module:Class``; empty for none.
    """

    __slots__ = ("attributes", "domain", "function", "inputs", "layer", "name", "op_type", "outputs", "source")

    def __init__(
        self,
        op_type: str,
        inputs: Iterable[Value | None],
        outputs: Iterable[Value],
        attributes: dict[str, Any] | None = None,
        *,
        domain: str = "",
        function: Function | None = None,
        name: str = "",
        source: str = "",
        layer: str = "",
    ) -> None:
        """Make a node."""
        self.op_type = op_type
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.attributes = attributes or {}
        self.domain = domain
        self.function = function
        self.name = name
        self.source = source
        self.layer = layer

    def changed(
        self,
        inputs: Iterable[Value | None],
        outputs: Iterable[Value],
        attributes: dict[str, Any] | None = None,
        op_type: str | None = None,
    ) -> Node:
        """Return a copy with other inputs and outputs, and perhaps other attributes or another operator."""
        return Node(
            op_type or self.op_type,
            inputs,
            outputs,
            self.attributes if attributes is None else attributes,
            domain=self.domain,
            function=self.function,
            name=self.name,
            source=self.source,
            layer=self.layer,
        )

    def graphs(self) -> Iterator[Graph]:
        """Iterate over the graphs among the attributes."""
        return (value for value in self.attributes.values() if isinstance(value, Graph))

    def __repr__(self) -> str:
        """Show the operator."""
        return f"<Node {self.op_type} {self.name}>"


@final
class Graph:
    """Nodes in an order that respects data; of the model, of a function, or of a branch or loop.

    Attributes:
        inputs: values given.
        nodes: in order.
        outputs: values made.
    """

    __slots__ = ("inputs", "nodes", "outputs")

    def __init__(self, inputs: Sequence[Value] = (), nodes: Sequence[Node] = (), outputs: Sequence[Value] = ()) -> None:
        """Make a graph."""
        self.inputs = list(inputs)
        self.nodes = list(nodes)
        self.outputs = list(outputs)

    def uses(self) -> dict[Value, int]:
        """Return how often each value is taken, by nodes, by graphs within them, and as an output."""
        counts: dict[Value, int] = {}
        for value in self._taken():
            counts[value] = counts.get(value, 0) + 1
        return counts

    def _taken(self) -> Iterator[Value]:
        for node in self.nodes:
            yield from (value for value in node.inputs if value is not None)
            for inner in node.graphs():
                yield from inner._taken()
        yield from self.outputs

    def every_node(self) -> Iterator[Node]:
        """Iterate over the nodes, those of graphs within nodes and of functions included."""
        for node in self.nodes:
            yield node
            for inner in node.graphs():
                yield from inner.every_node()
            if node.function is not None:
                yield from node.function.graph.every_node()

    def constants(self) -> list[Value]:
        """Return the constants that are taken, graphs within nodes included, each once."""
        return list(dict.fromkeys(value for value in self._taken() if value.array is not None))


@final
class Function:
    """A function of the model: a layer's mathematics, with the weights among its inputs.

    Attributes:
        domain: ``dovetail.`` and the distribution that provides the layer.
        name: the layer's class; a number follows where two bodies differ.
        graph: inputs, nodes and outputs.
        comment: what it is, for readers.
    """

    __slots__ = ("comment", "domain", "graph", "name")

    def __init__(self, domain: str, name: str, graph: Graph, comment: str = "") -> None:
        """Make a function."""
        self.domain = domain
        self.name = name
        self.graph = graph
        self.comment = comment
