"""Bodies of control flow: what such operations have in common, and how Python functions become bodies.

A body sees the graph around it through its captures, which become arguments of the operation. Inside, a variable is
read by nodes of the body. When the body is done, a variable that nothing in it writes is read around it instead, so
that the operation takes a plain value; of one that is written the operation takes the handle, and lowering threads the
state through.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from dovetail.errors import GradientError, GraphError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import Graph, get_default_graph
from dovetail.graph.op import Body, Op
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.subgraph import BodyGraph, BodyInput, Subgraph, copy_nodes, trace
from dovetail.ops import nest
from dovetail.ops.constants import constant
from dovetail.ops.sizes import opaque_dim
from dovetail.ops.state import AssignVariable, ReadVariable, VariableHandle
from dovetail.types.dims import Dim, Symbol, substitute, symbols_of
from dovetail.types.dtypes import DType
from dovetail.types.shapes import Shape, TensorType

__all__ = [
    "Closed",
    "ControlOp",
    "argument_types",
    "as_output",
    "close",
    "escaped",
    "is_resource",
    "output_types",
    "replay",
    "trace_structure",
]


class ControlOp(Op):
    """An operation whose attributes are bodies: subgraphs in a graph, programs once lowered.

    Class attributes:
        conditional: whether a body may be one that is not meant to run, so that sizes need not fit it.
    """

    gradient_without_ranks = True
    partial_gradient = True
    conditional: ClassVar[bool] = False
    label: str
    """Begins the names of sizes that only a run determines."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        """Set the attributes, and learn from the bodies what concerns the operation as a whole."""
        super().__init__(*args, **attributes)
        self.__dict__["effect"] = any(body.effect for body in self.bodies().values())
        self.__dict__["_symbols"] -= {Symbol(name) for name in self.own_symbols()}

    def __str__(self) -> str:
        """Show the attributes but for the bodies."""
        hidden = {"label", *self.bodies()}
        shown = [
            f"{field.name}={self.__dict__[field.name]}"
            for field in self.fields
            if field.name not in hidden and (field.required or self.__dict__[field.name] != field.default)
        ]
        return f"{self.name}[{', '.join(shown)}]" if shown else self.name

    __repr__ = __str__

    def bodies(self) -> dict[str, Any]:
        """Return the bodies by the names of their attributes."""
        return {name: value for name, value in self.attributes().items() if isinstance(value, Body)}

    def own_symbols(self) -> Iterable[str]:
        """Names of the symbols in the bodies' inputs that stand for nothing around the operation."""
        return ()

    def infer_all(self, types: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Types of the outputs; ranks may be unknown."""
        result = self.infer(*types)
        return result if isinstance(result, tuple) else (result,)


def argument_types(
    body: Body, actual: Sequence[TensorType], own: Iterable[str] = (), known: Mapping[Symbol, Dim] | None = None
) -> tuple[list[TensorType], dict[Symbol, Dim]]:
    """Return the types that a body's inputs have for arguments of these types, and what its symbols stand for.

    Args:
        body: the body.
        actual: types of the arguments.
        own: names of symbols that stand for nothing outside.
        known: what is known of symbols besides.
    """
    own = set(own)
    dims: dict[Symbol, Dim] = dict(known or {})
    for declared, given in zip(body.input_types, actual, strict=True):
        if declared.rank is None or given.rank is None:
            continue
        for inner, outer in zip(declared.dims, given.dims, strict=True):
            if isinstance(inner, Symbol) and inner != outer and inner.name not in own and not _opaque(outer):
                dims.setdefault(inner, outer)
    types = []
    for declared, given in zip(body.input_types, actual, strict=True):
        if declared.rank is None or given.rank is None:
            types.append(given)
            continue
        sizes = [
            substitute(inner, dims) if _opaque(outer) or any(one.name in own for one in symbols_of(inner)) else outer
            for inner, outer in zip(declared.dims, given.dims, strict=True)
        ]
        types.append(TensorType(given.dtype, Shape(sizes)))
    return types, dims


def _opaque(dim: Dim) -> bool:
    return any(symbol.data_dependent for symbol in symbols_of(dim))


def output_types(body: Body, actual: Sequence[TensorType], own: Iterable[str] = ()) -> tuple[TensorType, ...]:
    """Return the types of a body's outputs for arguments of these types."""
    if not isinstance(body, Subgraph):
        return body.output_types
    types, dims = argument_types(body, actual, own)
    if tuple(types) == body.input_types:
        return body.output_types
    return _specialized(body, tuple(types), tuple(dims.items())).output_types


@functools.lru_cache(maxsize=256)
def _specialized(body: Subgraph, types: tuple[TensorType, ...], dims: tuple[tuple[Symbol, Dim], ...]) -> Subgraph:
    return body.specialize(types, dict(dims))


def escaped(type: TensorType, known: frozenset[Symbol], label: str, index: int) -> TensorType:
    """Return the type of a body's output outside, where sizes that only the body determines have names of their own."""
    if type.rank is None:
        return type
    dims = [
        opaque_dim(f"{label}.{index}", axis)
        if any(one.data_dependent and one not in known for one in symbols_of(dim))
        else dim
        for axis, dim in enumerate(type.dims)
    ]
    return TensorType(type.dtype, Shape(dims))


# From functions to bodies. -------------------------------------------------------------------------------------------


def trace_structure(
    function: Callable[..., Any],
    types: Sequence[TensorType],
    *,
    outer: Graph,
    prefix: str,
    what: str,
    names: Sequence[str] = (),
) -> tuple[Subgraph, Any]:
    """Trace a function that returns a nested structure.

    Args:
        function: takes one tensor for each type.
        types: types of its arguments.
        outer: the graph around.
        prefix: begins the names in the body.
        what: names the function, in errors.
        names: names of the arguments.

    Returns:
        The body, its captures last, and what the function returned.

    Raises:
        InvalidArgumentError: it returned ``None``.
    """
    returned: list[Any] = []

    def flat(*arguments: Tensor) -> Sequence[Tensor]:
        result = function(*arguments)
        returned.append(result)
        return [as_output(what, leaf) for leaf in nest.flatten(result)]

    body = trace(flat, types, outer=outer, names=names, prefix=prefix)
    return body, returned[0]


def as_output(what: str, value: Any, dtype: DType | None = None) -> Tensor:
    """Return what a body gave as a tensor; an operation becomes a truth value that is there once it is done.

    Args:
        what: names the function that gave it, in errors.
        value: a tensor, an operation, a number.
        dtype: what a Python value should become.

    Raises:
        InvalidArgumentError: it is ``None``.
    """
    if value is None:
        raise InvalidArgumentError(f"{what} returns None; return a tensor, or an operation to run.")
    if isinstance(value, Operation):
        with get_default_graph().control_dependencies([value]):
            return constant(True, name="done")
    return as_tensor(value, dtype)


def is_resource(tensor: Tensor) -> bool:
    """Whether a tensor stands for a variable rather than for a value."""
    if isinstance(tensor.op.definition, BodyInput) and isinstance(tensor.op.graph, BodyGraph):
        around = tensor.op.graph.captured_from(tensor)
        return around is not None and is_resource(around)
    return isinstance(tensor.op.definition, VariableHandle)


class Closed:
    """Bodies whose captures are arguments of the operation.

    Attributes:
        bodies: the bodies, which take their own arguments and then all captures.
        captures: tensors of the graph around.
        awaited: operations of the graph around that the operation runs after.
    """

    def __init__(self, bodies: Sequence[Subgraph], captures: Sequence[Tensor], awaited: Iterable[Operation]) -> None:
        """Put them together."""
        self.bodies = tuple(bodies)
        self.captures = tuple(captures)
        self.awaited = tuple(awaited)


def close(graph: Graph, bodies: Sequence[Subgraph], *, repeated: bool = False) -> Closed:
    """Give bodies that were traced in ``graph`` the same captures, in the same order, each but once.

    Args:
        graph: the graph around.
        bodies: the bodies.
        repeated: whether they run several times, so that each sees what the others, and itself, wrote before.
    """
    writes = [_writes(body) for body in bodies]
    written = {handle for one in writes for handle in one}
    places: dict[tuple[Tensor, int], list[Tensor | None]] = {}
    for number, body in enumerate(bodies):
        counts: dict[Tensor, int] = {}
        pairs = zip(body.captures, body.inputs[len(body.inputs) - len(body.captures) :], strict=True)
        for around, inner in pairs:
            taken = around
            if is_resource(inner):
                handle = _handle_of(inner)
                if inner in body.graph.reads:
                    earlier = (
                        written if repeated else {one for one, at in writes[number].items() if at < inner.op.index}
                    )
                    by_handle = handle in earlier
                else:
                    by_handle = any(not isinstance(op.definition, ReadVariable) for op in inner.consumers())
                taken = _handle_in(graph, handle) if by_handle else _read_around(handle, graph)
            count = counts[taken] = counts.get(taken, -1) + 1
            places.setdefault((taken, count), [None] * len(bodies))[number] = inner
    for handle in written:
        graph.variable_reads.pop(handle, None)
    captures = [taken for taken, _ in places]
    closed = []
    for number, body in enumerate(bodies):
        inputs = list(body.inputs[: len(body.inputs) - len(body.captures)])
        for taken, inners in zip(captures, places.values(), strict=True):
            known = inners[number]
            inputs.append(body.graph.add_input(taken.type, "unused") if known is None else known)
        closed.append(Subgraph(body.graph, inputs, body.outputs, captures))
    return Closed(closed, captures, dict.fromkeys(op for body in bodies for op in body.graph.awaited))


def _writes(body: Subgraph) -> dict[Tensor, int]:
    """Return the variables that a body writes, or that control flow in it takes to do so, and where first."""
    found: dict[Tensor, int] = {}
    for op in body.graph.get_operations():
        if isinstance(op.definition, AssignVariable | ControlOp):
            for tensor in op.inputs:
                if is_resource(tensor):
                    found.setdefault(_handle_of(tensor), op.index)
    return found


def _handle_of(tensor: Tensor) -> Tensor:
    """Return the variable's own handle."""
    while isinstance(tensor.op.graph, BodyGraph):
        around = tensor.op.graph.captured_from(tensor)
        if around is None:
            raise GraphError(f'"{tensor.name}" stands for no variable. {tensor.op.where()}')
        tensor = around
    return tensor


def _handle_in(graph: Graph, handle: Tensor) -> Tensor:
    return handle if handle.op.graph is graph else graph.adopt(handle, handle.op.definition, handle.op.source)


def _read_around(handle: Tensor, graph: Graph) -> Tensor:
    """Return the value of a variable in the graph around a body, read once between two writes."""
    from dovetail.ops.variables import read_variable

    known = graph.variable_reads.get(handle)
    return read_variable(handle, graph) if known is None else known


def replay(
    body: Subgraph, arguments: Sequence[Tensor], wanted: Sequence[Tensor], resources: Iterable[Tensor]
) -> list[Tensor]:
    """Copy into the default graph what computes ``wanted``, outputs of ``body``, with ``arguments`` for its inputs.

    Args:
        body: the body.
        arguments: a tensor for each input.
        wanted: tensors of the body.
        resources: the inputs that stand for variables which the body writes.

    Raises:
        GradientError: the value of one of these variables is needed.
    """
    variables = set(resources)
    tensors: dict[Tensor, Tensor] = dict(zip(body.inputs, arguments, strict=True))
    seen: set[Operation] = set()
    waiting = [tensor.op for tensor in wanted if tensor not in tensors]
    while waiting:
        op = waiting.pop()
        if op in seen:
            continue
        seen.add(op)
        if any(tensor in variables for tensor in op.inputs):
            raise GradientError(
                f'"{op.name}" uses a variable that the same branch or loop body writes, and a gradient is asked for '
                "through it, which would need the value from before. Write the variable outside, or carry the value "
                f"as a loop variable. {op.where()}"
            )
        waiting.extend(tensor.op for tensor in op.inputs if tensor not in tensors)
    copy_nodes(sorted(seen, key=lambda op: op.index), get_default_graph(), tensors)
    return [tensors[tensor] for tensor in wanted]
