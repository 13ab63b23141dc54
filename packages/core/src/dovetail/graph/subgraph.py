"""``Subgraph``: a function traced into a graph of its own, the body of control flow or of a composite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

from dovetail.errors import GraphError
from dovetail.graph.graph import Graph
from dovetail.graph.op import Op, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.graph.source import Source
from dovetail.types.shapes import TensorType

__all__ = ["BodyGraph", "BodyInput", "Subgraph", "trace"]


@primitive
@final
class BodyInput(Op):
    """An input of a body."""

    stateful = True
    type: TensorType

    def infer(self) -> Signature:
        """The declared type."""
        return self.type


@final
class BodyGraph(Graph):
    """The graph of a body; tensors of the graphs around it become inputs when they are used."""

    def __init__(self, outer: Graph | None, *, prefix: str = "") -> None:
        """Make the body's graph within ``outer``; ``None`` allows no captures."""
        super().__init__()
        self.outer = outer
        self.prefix = prefix
        self.inputs: list[Tensor] = []
        self.captures: dict[Tensor, Tensor] = {}
        if outer is not None:
            self.seed = outer.seed
            self.state = outer.state
            self.layer_calls = outer.layer_calls
            self._sources = list(outer._sources[-1:])
            self._layers = list(outer._layers[-1:])
            self._devices = list(outer._devices)

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """Return the unique name, which begins with the body's prefix so that stable ids differ between bodies."""
        if self.prefix and not self._scope and not name.endswith("/"):
            name = f"{self.prefix}/{name}"
        return super().unique_name(name, mark_as_used)

    def add_input(self, type: TensorType, name: str = "input") -> Tensor:
        """Add an input of the body."""
        tensor = self.create(BodyInput(type), (), name=name, source=self._sources[-1] if self._sources else None).outputs[0]
        self.inputs.append(tensor)
        return tensor

    def adopt(self, tensor: Tensor, definition: Op, source: Source) -> Tensor:
        """Return the input that stands for a tensor of a graph around this one, made at the first use."""
        if self.outer is None or not self._encloses(tensor.op.graph):
            return super().adopt(tensor, definition, source)
        near = tensor if tensor.op.graph is self.outer else self.outer.adopt(tensor, definition, source)
        known = self.captures.get(near)
        if known is None:
            known = self.create(BodyInput(tensor.type), (), name="capture", source=source).outputs[0]
            known.symbolic_value = tensor.symbolic_value
            self.captures[near] = known
        return known

    def _encloses(self, graph: Graph) -> bool:
        outer = self.outer
        while outer is not None:
            if outer is graph:
                return True
            outer = outer.outer if isinstance(outer, BodyGraph) else None
        return False


@final
class Subgraph:
    """A traced function: inputs (arguments first, then captures), and outputs.

    Compared by identity. As an attribute of control flow it is saved with the graph.
    """

    __slots__ = ("captures", "graph", "inputs", "outputs")

    def __init__(self, graph: BodyGraph, inputs: Sequence[Tensor], outputs: Sequence[Tensor], captures: Sequence[Tensor]) -> None:
        """Describe a traced function; ``captures`` are tensors of the graph around, for the last inputs."""
        self.graph = graph
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.captures = tuple(captures)

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        """Types of the inputs."""
        return tuple(tensor.type for tensor in self.inputs)

    @property
    def output_types(self) -> tuple[TensorType, ...]:
        """Types of the outputs."""
        return tuple(tensor.type for tensor in self.outputs)

    def __str__(self) -> str:
        """Show the signature."""
        return f"({', '.join(map(str, self.input_types))}) -> ({', '.join(map(str, self.output_types))})"

    __repr__ = __str__


def trace(
    function: Callable[..., Any],
    types: Sequence[TensorType],
    *,
    outer: Graph | None = None,
    names: Sequence[str] = (),
    prefix: str = "",
    source: Source | None = None,
) -> Subgraph:
    """Run ``function`` on stand-ins of the given types and keep what it builds.

    Args:
        function: takes one tensor for each type; returns a tensor or a sequence of them.
        types: types of its arguments.
        outer: the graph whose tensors may be captured; ``None`` for a closed function.
        names: names of the arguments.
        prefix: begins every name in the body.
        source: the line that nodes of the body report; by default that of the graph around.

    Raises:
        GraphError: the function returns something other than tensors.
    """
    body = BodyGraph(outer, prefix=prefix)
    if source is not None:
        body._sources = [source]
    with body.as_default():
        arguments = [body.add_input(one, names[i] if i < len(names) else f"arg{i}") for i, one in enumerate(types)]
        result = function(*arguments)
        outputs = []
        for value in result if isinstance(result, (tuple, list)) else (result,):
            tensor = _as_body_tensor(value, body)
            outputs.append(tensor)
    return Subgraph(body, [*arguments, *body.captures.values()], outputs, list(body.captures))


def _as_body_tensor(value: Any, body: BodyGraph) -> Tensor:
    from dovetail.graph.convert import as_tensor

    tensor = as_tensor(value)
    if tensor.op.graph is body:
        return tensor
    if body.outer is None:
        raise GraphError(f"the body returns {tensor.name!r}, a tensor of another graph.")
    return body.adopt(tensor, BodyInput(tensor.type), tensor.op.source)

