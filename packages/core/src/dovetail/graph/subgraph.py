"""``Subgraph``: a function traced into a graph of its own, the body of control flow or of a composite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import GraphError
from dovetail.graph.graph import Graph
from dovetail.graph.op import Array, Body, Op, Signature, free_symbols
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.registry import primitive
from dovetail.graph.source import Source
from dovetail.types.dims import Dim, Symbol, substitute
from dovetail.types.shapes import TensorType

__all__ = ["BodyGraph", "BodyInput", "Subgraph", "copy_nodes", "trace"]


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
    """The graph of a body; tensors of the graphs around it become inputs when they are used.

    Attributes:
        outer: the graph around it.
        prefix: begins every name.
        inputs: the arguments.
        captures: the input that stands for each tensor of the graph around.
        reads: inputs, one for each reading of a variable, and the variable's handle.
        awaited: operations of the graphs around that something inside is to run after.
    """

    def __init__(self, outer: Graph | None, *, prefix: str = "") -> None:
        """Make the body's graph within ``outer``; ``None`` allows no captures."""
        super().__init__()
        self.outer = outer
        self.prefix = prefix
        self.inputs: list[Tensor] = []
        self.captures: dict[Tensor, Tensor] = {}
        self.reads: dict[Tensor, Tensor] = {}
        self.awaited: dict[Operation, None] = {}
        self._captured_from: dict[Tensor, Tensor] = {}
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
        tensor = self.create(
            BodyInput(type), (), name=name, source=self._sources[-1] if self._sources else None
        ).outputs[0]
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
            self._captured_from[known] = near
        return known

    def add_read(self, handle: Tensor) -> Tensor:
        """Add an input that stands for a variable at this point of the body, of which nothing else is made."""
        tensor = self.create(BodyInput(handle.type), (), name="variable").outputs[0]
        self.reads[tensor] = self._captured_from[tensor] = handle
        return tensor

    def captured_from(self, tensor: Tensor) -> Tensor | None:
        """Return the tensor of the graph around that an input stands for; ``None`` for arguments."""
        return self._captured_from.get(tensor)

    def as_graph_element(self, value: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """Return the tensor or operation that ``value`` names or is; tensors of the graphs around become inputs.

        Raises:
            GraphError: it belongs to a graph that is not around this one.
            NotFoundError: the name is unknown.
            DTypeError: ``value`` is nothing of a graph.
        """
        convert = getattr(value, "_as_graph_element", None)
        if convert is not None:
            value = convert()
        if isinstance(value, Tensor) and self._encloses(value.op.graph):
            return self.adopt(value, value.op.definition, value.op.source)
        if isinstance(value, Operation) and self._encloses(value.graph):
            return value
        return super().as_graph_element(value, allow_tensor, allow_operation)

    def _control_inputs(self, inputs: Sequence[Tensor], extra: Iterable[Operation]) -> tuple[Operation, ...]:
        found = super()._control_inputs(inputs, extra)
        self.awaited.update((op, None) for op in found if op.graph is not self)
        return tuple(op for op in found if op.graph is self)

    def _encloses(self, graph: Graph) -> bool:
        outer = self.outer
        while outer is not None:
            if outer is graph:
                return True
            outer = outer.outer if isinstance(outer, BodyGraph) else None
        return False


@final
class Subgraph(Body):
    """A traced function: inputs (arguments first, then captures), and outputs.

    Compared by identity. As an attribute of control flow it is saved with the graph.
    """

    __slots__ = ("_symbols", "captures", "graph", "inputs", "outputs")

    def __init__(
        self, graph: BodyGraph, inputs: Sequence[Tensor], outputs: Sequence[Tensor], captures: Sequence[Tensor]
    ) -> None:
        """Describe a traced function; ``captures`` are tensors of the graph around, for the last inputs."""
        self.graph = graph
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.captures = tuple(captures)
        self._symbols: frozenset[Symbol] | None = None

    @property
    def input_types(self) -> tuple[TensorType, ...]:
        """Types of the inputs."""
        return tuple(tensor.type for tensor in self.inputs)

    @property
    def output_types(self) -> tuple[TensorType, ...]:
        """Types of the outputs."""
        return tuple(tensor.type for tensor in self.outputs)

    @property
    def symbols(self) -> frozenset[Symbol]:
        """The symbols that its inputs or attributes mention and that nothing inside determines."""
        if self._symbols is None:
            steps = [(op.definition, [tensor.type for tensor in op.outputs]) for op in self.graph.get_operations()]
            self._symbols = free_symbols(self.input_types, steps)
        return self._symbols

    @property
    def effect(self) -> bool:
        """Whether something inside has an effect."""
        return any(op.definition.effect for op in self.graph.get_operations())

    @property
    def flops(self) -> Dim:
        """Floating-point operations of a run."""
        return sum(
            (
                op.definition.flops([tensor.type for tensor in op.inputs], [tensor.type for tensor in op.outputs])
                for op in self.graph.get_operations()
            ),
            0,
        )

    def substitute(self, dims: Mapping[Symbol, Dim]) -> Subgraph:
        """Return the body with symbols replaced by dimensions."""
        if self.symbols.isdisjoint(dims):
            return self
        types = [TensorType(one.dtype, one.shape.substitute(dims)) for one in self.input_types]
        return self.specialize(types, dims)

    def specialize(self, types: Sequence[TensorType], dims: Mapping[Symbol, Dim]) -> Subgraph:
        """Return the body for inputs of other types, in which ``dims`` replace symbols."""
        graph = BodyGraph(self.graph.outer, prefix=self.graph.prefix)
        tensors: dict[Tensor, Tensor] = {}
        for old, type in zip(self.inputs, types, strict=True):
            node = graph.create(
                BodyInput(type), (), name=f"{old.op.name}/", stable_id=old.op.stable_id, source=old.op.source
            )
            new = node.outputs[0]
            if old.symbolic_value is not None:
                new.symbolic_value = _substituted(old.symbolic_value, dims)
            tensors[old] = new
        copy_nodes(self.graph.get_operations(), graph, tensors, dims)
        return Subgraph(
            graph, [tensors[one] for one in self.inputs], [tensors[one] for one in self.outputs], self.captures
        )

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
    return Subgraph(
        body,
        [*arguments, *body.captures.values(), *body.reads],
        outputs,
        [*body.captures, *body.reads.values()],
    )


def _as_body_tensor(value: Any, body: BodyGraph) -> Tensor:
    from dovetail.graph.convert import as_tensor

    tensor = as_tensor(value)
    if tensor.op.graph is body:
        return tensor
    if body.outer is None:
        raise GraphError(f"the body returns {tensor.name!r}, a tensor of another graph.")
    return body.adopt(tensor, BodyInput(tensor.type), tensor.op.source)


def _substituted(values: Array, dims: Mapping[Symbol, Dim]) -> Array:
    result = np.empty(values.shape, object)
    result.reshape(-1)[:] = [substitute(dim, dims) for dim in values.reshape(-1).tolist()]
    return result


def copy_nodes(
    operations: Iterable[Operation],
    graph: Graph,
    tensors: dict[Tensor, Tensor],
    dims: Mapping[Symbol, Dim] | None = None,
) -> None:
    """Copy nodes into ``graph``, with their names (where they are free), identities, lines and devices.

    Args:
        operations: the nodes, each after those that it takes.
        graph: where to make the copies.
        tensors: what stands for tensors that the nodes take; gains the outputs of the copies. Nodes whose outputs are
            given already are left out.
        dims: dimensions to put for symbols.
    """
    taken = {op.name for op in graph.get_operations()}
    copies: dict[Operation, Operation] = {}
    for op in operations:
        if op.outputs and op.outputs[0] in tensors:
            continue
        definition = op.definition.substitute(dims) if dims else op.definition
        copy = graph.create(
            definition,
            [tensors[tensor] for tensor in op.inputs],
            name=op.name.rpartition("/")[2] if op.name in taken else f"{op.name}/",
            control_inputs=[copies[one] for one in op.control_inputs if one in copies],
            stable_id=op.stable_id,
            source=op.source,
        )
        graph.reserve_name(copy.name)
        copy.device = op.device
        copy.layer = op.layer
        copies[op] = copy
        tensors.update(zip(op.outputs, copy.outputs, strict=True))
