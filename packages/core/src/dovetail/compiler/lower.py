"""From a graph to a program: pruned to the fetches, types settled by the feeds, state threaded through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.compiler.program import Instruction, Origin, Output, Program, ProgramInput, Value
from dovetail.errors import DTypeError, MissingFeedError, ShapeError, UnsupportedOperationError
from dovetail.graph.graph import Graph
from dovetail.graph.op import Op
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.subgraph import BodyInput
from dovetail.ops.bodies import ControlOp
from dovetail.ops.constants import Constant
from dovetail.ops.printing import Printing
from dovetail.ops.random_bits import DynamicRandomBits, RandomBits
from dovetail.ops.scalars import ScalarOp
from dovetail.ops.state import (
    AssignVariable,
    IsInitialized,
    NoOp,
    Placeholder,
    PlaceholderWithDefault,
    ReadVariable,
    VariableHandle,
)
from dovetail.types.attributes import ArrayAttribute
from dovetail.types.constraints import Constraint, collecting
from dovetail.types.dims import Dim, Symbol
from dovetail.types.dtypes import bool_, uint64
from dovetail.types.shapes import Shape, TensorType

__all__ = ["Feed", "Lowering", "handle", "holds_anyway", "lower", "needed_operations"]

_FLAG: Final = TensorType(bool_, Shape(()))


@final
class Feed:
    """What is known of a fed tensor when a plan is made.

    Attributes:
        type: its type in the program.
        constant: its value, for flags, which the plan is made for.
    """

    __slots__ = ("constant", "type")

    def __init__(self, type: TensorType, constant: Any = None) -> None:
        """Describe a feed."""
        self.type = type
        self.constant = constant


def lower(
    graph: Graph,
    fetches: Sequence[Tensor],
    targets: Iterable[Operation] = (),
    feeds: Mapping[Tensor, Feed] | None = None,
    settled: frozenset[tuple[Symbol, int]] = frozenset(),
) -> Program:
    """Return the program of a run.

    Args:
        graph: the graph to run.
        fetches: tensors whose values are wanted, in this order among the program's ``fetch`` outputs.
        targets: operations that run for their effects.
        feeds: tensors whose values are given.
        settled: sizes of symbols where something of size 1 broadcasts; the program is for these alone. Other symbols
            that are to be equal, or to broadcast, count as one.

    Raises:
        MissingFeedError: a placeholder that is needed is not fed.
        ShapeError: sizes do not fit, now that the ranks are known.
    """
    operations = needed_operations(fetches, targets, feeds or {})
    work = Lowering(graph, feeds or {}, symbols=_merged_symbols(graph, operations, dict(settled)))
    work.run(operations)
    outputs = [Output(work.value_of(tensor, final=False), "fetch", tensor.name) for tensor in fetches]
    return work.finish(outputs)


def _merged_symbols(graph: Graph, operations: Sequence[Operation], settled: Mapping[Symbol, int]) -> dict[Symbol, Dim]:
    """Return what each symbol stands for where nodes want two of them equal, and for those that are settled."""
    merged: dict[Symbol, Dim] = dict(settled)

    def find(symbol: Symbol) -> Symbol:
        while isinstance(merged.get(symbol), Symbol):
            symbol = merged[symbol]  # type: ignore[assignment]
        return symbol

    for constraint in _constraints_of(graph, operations):
        left, right = constraint.left, constraint.right
        if constraint.kind not in ("equal", "broadcast") or left in settled or right in settled:
            continue
        if not isinstance(left, Symbol) or not isinstance(right, Symbol) or left.data_dependent or right.data_dependent:
            continue
        first, second = sorted((find(left), find(right)), key=str)
        if first != second:
            merged[second] = first
    return {symbol: settled[symbol] if symbol in settled else find(symbol) for symbol in merged}


def _constraints_of(graph: Graph, operations: Iterable[Operation]) -> Iterator[Constraint]:
    """Yield what operations want of sizes, in the bodies of control flow too."""
    if graph.constraints:
        kept = set(operations)
        yield from (constraint for op, constraint in graph.constraints if op in kept)
    for op in operations:
        if isinstance(op.definition, ControlOp):
            for body in op.definition.bodies().values():
                for constraint in _constraints_of(body.graph, body.graph.get_operations()):
                    if holds_anyway(op.definition, constraint):
                        yield constraint


def holds_anyway(definition: ControlOp, constraint: Constraint) -> bool:
    """Whether a constraint of a body is one of the program around: a branch that does not run wants nothing."""
    return not definition.conditional or constraint.kind == "broadcast"


def needed_operations(
    fetches: Iterable[Tensor], targets: Iterable[Operation], feeds: Mapping[Tensor, Any]
) -> list[Operation]:
    """Return, in order of creation, the operations that the fetches need when ``feeds`` are given.

    What mentions a size that only the run of another operation determines needs that operation.
    """
    seen: set[Operation] = set()
    makers: dict[Graph, dict[Symbol, Operation]] = {}
    waiting = [tensor.op for tensor in fetches if tensor not in feeds]
    waiting.extend(targets)
    while waiting:
        op = waiting.pop()
        if op in seen:
            continue
        seen.add(op)
        waiting.extend(tensor.op for tensor in op.inputs if tensor not in feeds)
        waiting.extend(op.control_inputs)
        for symbol in op.definition.symbols:
            if symbol.data_dependent:
                if op.graph not in makers:
                    makers[op.graph] = _makers(op.graph)
                if symbol in makers[op.graph]:
                    waiting.append(makers[op.graph][symbol])
    return sorted(seen, key=lambda one: one.index)


def _makers(graph: Graph) -> dict[Symbol, Operation]:
    """Return the first operation of a graph that determines each size which only a run knows."""
    found: dict[Symbol, Operation] = {}
    for op in graph.get_operations():
        for tensor in op.outputs:
            for dim in tensor.shape if tensor.shape.rank is not None else ():
                if isinstance(dim, Symbol) and dim.data_dependent:
                    found.setdefault(dim, op)
    return found


class Lowering:
    """The state of lowering one graph; control flow makes one for each of its bodies."""

    def __init__(
        self,
        graph: Graph,
        feeds: Mapping[Tensor, Feed],
        *,
        respecialize: bool = False,
        symbols: Mapping[Symbol, Dim] | None = None,
    ) -> None:
        """Begin; ``feeds`` are tensors whose values are given, ``symbols`` what some symbols stand for."""
        self.graph = graph
        self.feeds = feeds
        self.values: dict[Tensor, Value] = {}
        self.state: dict[str, Value] = {}
        self.written: dict[str, Operation] = {}
        self.inputs: dict[tuple[str, Any], ProgramInput] = {}
        self.instructions: list[Instruction] = []
        self.constraints: list[tuple[Constraint, Origin]] = []
        self.resources: dict[Tensor, str] = {}
        self.flags: dict[Value, bool] = {}
        self.symbols: dict[Symbol, Dim] = dict(symbols or {})
        self.respecialize = (
            respecialize or bool(symbols) or any(feed.type != tensor.type for tensor, feed in feeds.items())
        )

    # What the handlers use. ------------------------------------------------------------------------------------------

    def origin(self, op: Operation) -> Origin:
        """Return where instructions of ``op`` come from."""
        return Origin(op.name, op.source, op.device, op.layer, op.stable_id)

    def external(self, kind: Any, key: Any, type: TensorType, origin: Origin) -> Value:
        """Return the program's input of that kind and key, made at the first use."""
        known = self.inputs.get((kind, key))
        if known is None:
            known = ProgramInput(Value(type, str(getattr(key, "name", key))), kind, key, origin)
            self.inputs[kind, key] = known
        return known.value

    def resource_of(self, handle: Tensor) -> str:
        """Return the name of the variable that a handle stands for."""
        name = self.resources.get(handle)
        if name is None:
            name = handle.op.name
        return name

    @property
    def loop_indices(self) -> tuple[Value, ...]:
        """The indices of the loops around, the outermost first."""
        return ()

    def read(self, handle: Tensor) -> Value:
        """Return the current value of a variable."""
        return self.read_state(self.resource_of(handle), handle.type, self.origin(handle.op))

    def read_state(self, name: str, type: TensorType, origin: Origin) -> Value:
        """Return the current value of the variable of that name."""
        value = self.state.get(name)
        if value is None:
            value = self.external("state", name, type, origin)
            self.state[name] = value
        return value

    def write_state(self, name: str, value: Value, op: Operation) -> None:
        """Make ``value`` the current value of the variable of that name."""
        self.state[name] = value
        self.written[name] = op

    def is_written(self, name: str) -> bool:
        """Whether the variable of that name was written so far."""
        return name in self.written

    def is_resource(self, tensor: Tensor) -> bool:
        """Whether a tensor stands for a variable rather than for a value."""
        return isinstance(tensor.op.definition, VariableHandle) or tensor in self.resources

    def value_of(self, tensor: Tensor, *, final: bool = True) -> Value:
        """Return the value of a tensor; a variable's handle is read.

        Args:
            tensor: the tensor.
            final: for a handle, whether writes so far count; a fetched handle gives the value from before the run.
        """
        if self.is_resource(tensor) and tensor not in self.values:
            if final:
                return self.read(tensor)
            return self.external("state", self.resource_of(tensor), tensor.type, self.origin(tensor.op))
        return self.values[tensor]

    def emit(
        self, definition: Op, inputs: Sequence[Value], op: Operation, origin: Origin | None = None
    ) -> tuple[Value, ...]:
        """Append an instruction with inferred types; returns its outputs."""
        origin = origin or self.origin(op)
        types = self.infer(definition, [value.type for value in inputs], origin)
        outputs = tuple(Value(one, op.name) for one in types)
        if len(outputs) == 1:
            outputs[0].symbolic = definition.symbolic_value([v.type for v in inputs], [v.symbolic for v in inputs])
        self.append(Instruction(definition, inputs, outputs, origin))
        return outputs

    def append(self, one: Instruction) -> None:
        """Append an instruction, and note its result if it is a truth value that is known now, as a flag is."""
        self.instructions.append(one)
        if len(one.outputs) == 1 and one.outputs[0].type == _FLAG:
            if isinstance(one.op, Constant):
                self.flags[one.outputs[0]] = bool(one.op.value.array)
            elif isinstance(one.op, ScalarOp) and all(value in self.flags for value in one.inputs):
                known = [np.bool_(self.flags[value]) for value in one.inputs]
                self.flags[one.outputs[0]] = bool(one.op.reference(*known))

    def settled(self, type: TensorType) -> TensorType:
        """Return ``type`` with what the symbols stand for."""
        if not self.symbols or type.rank is None:
            return type
        return TensorType(type.dtype, type.shape.substitute(self.symbols))

    def infer(self, definition: Op, types: Sequence[TensorType], origin: Origin) -> tuple[TensorType, ...]:
        """Infer types, with the node in what is raised and the constraints kept."""
        recorder = _Recorder(self.constraints, origin)
        try:
            with collecting(recorder):
                return definition.infer_all(types)
        except (ShapeError, DTypeError) as error:
            kind = ShapeError if isinstance(error, ShapeError) else DTypeError
            raise kind(f"{error} {origin.where()}") from error

    # The walk. -------------------------------------------------------------------------------------------------------

    def run(self, operations: Iterable[Operation]) -> None:
        """Lower operations, which stand in order of creation."""
        for tensor, feed in self.feeds.items():
            origin = self.origin(tensor.op)
            if feed.constant is not None:
                self.values[tensor] = self.emit(Constant(ArrayAttribute(feed.constant)), (), tensor.op, origin)[0]
            else:
                self.values[tensor] = self.external("feed", tensor, self.settled(feed.type), origin)
            if isinstance(tensor.op.definition, VariableHandle):
                self.state[tensor.op.name] = self.values[tensor]
        operations = list(operations)
        kept = set(operations)
        self.constraints.extend((c, self.origin(op)) for op, c in self.graph.constraints if op in kept)
        for op in operations:
            handler = _HANDLERS.get(type(op.definition))
            if handler is not None:
                handler(self, op)
            else:
                self.plain(op)

    def plain(self, op: Operation) -> None:
        """Lower an operation that is a function of its inputs."""
        definition = op.definition
        if definition.free_shape:
            definition = definition.with_types([tensor.type for tensor in op.outputs])
        if self.symbols:
            definition = definition.substitute(self.symbols)
        inputs = [self.value_of(tensor) for tensor in op.inputs]
        resolved = definition.resolve([v.type for v in inputs], [v.symbolic for v in inputs]) if inputs else None
        if resolved is not None:
            definition, kept = resolved
            inputs = [inputs[i] for i in kept]
            outputs = self.emit(definition, inputs, op)
        elif self.respecialize or self.symbols:
            outputs = self.emit(definition, inputs, op)
        else:
            outputs = tuple(Value(tensor.type, op.name, tensor.symbolic_value) for tensor in op.outputs)
            self.append(Instruction(definition, inputs, outputs, self.origin(op)))
        self.publish(op, outputs)

    def publish(self, op: Operation, values: Sequence[Value]) -> None:
        """Let ``values`` be what the outputs of ``op`` stand for; sizes left to the run may be known now."""
        for tensor, value in zip(op.outputs, values, strict=True):
            if value.type.rank is None and not op.definition.free_shape:
                raise UnsupportedOperationError(
                    f"{op.type}: the rank of its output is not known even now that the feeds are; "
                    f"give the placeholders a shape, or use set_shape. {op.where()}"
                )
            if tensor not in self.values:
                self.values[tensor] = value
                if tensor.shape.rank is None or value.type.rank is None:
                    continue
                if not tensor.shape.is_compatible_with(value.type.shape):
                    raise ShapeError(
                        f'{op.type}: with what is fed, "{tensor.name}" is {value.type}, where set_shape said '
                        f"{tensor.shape}. Feed what fits, or say another shape. {op.where()}"
                    )
                for declared, size in zip(tensor.shape.dims, value.type.dims, strict=True):
                    if isinstance(declared, Symbol) and declared.data_dependent and declared != size:
                        self.symbols.setdefault(declared, size)

    def finish(self, outputs: Sequence[Output]) -> Program:
        """Return the program with ``outputs`` and the new state of variables that were written."""
        states = [Output(self.state[name], "state", name) for name in self.written]
        return Program(self.inputs.values(), self.instructions, [*outputs, *states], self.constraints)


class _Recorder:
    """Keeps constraints with the node that wants them."""

    def __init__(self, found: list[tuple[Constraint, Origin]], origin: Origin) -> None:
        self.found = found
        self.origin = origin

    def require(self, constraint: Constraint) -> None:
        self.found.append((constraint, self.origin))


def _placeholder(work: Lowering, op: Operation) -> None:
    if op.outputs[0] in work.values:
        return
    raise MissingFeedError(
        f'placeholder "{op.name}" of type {op.outputs[0].type} is needed and was not fed; pass '
        f"feed_dict={{{op.name.rpartition('/')[2]}: ...}}. {op.where()}"
    )


def _placeholder_with_default(work: Lowering, op: Operation) -> None:
    (tensor,) = op.outputs
    if tensor in work.values:
        return
    value = work.values[tensor] = work.value_of(op.inputs[0])
    if tensor.shape.rank is not None and value.type.rank is not None:
        # Sizes that a feed may choose are now those of the default.
        for declared, size in zip(tensor.shape.dims, value.type.dims, strict=True):
            if isinstance(declared, Symbol) and declared != size:
                work.symbols.setdefault(declared, size)


def _nothing(work: Lowering, op: Operation) -> None:
    return


def _read(work: Lowering, op: Operation) -> None:
    if op.outputs[0] not in work.values:
        source = op.inputs[0]
        work.values[op.outputs[0]] = work.read(source) if work.is_resource(source) else work.value_of(source)


def _assign(work: Lowering, op: Operation) -> None:
    value = work.value_of(op.inputs[1])
    work.infer(op.definition, [op.inputs[0].type, value.type], work.origin(op))
    work.write_state(work.resource_of(op.inputs[0]), value, op)
    if op.outputs[0] not in work.values:
        work.values[op.outputs[0]] = value


def _is_initialized(work: Lowering, op: Operation) -> None:
    name = work.resource_of(op.inputs[0])
    if work.is_written(name):
        value = work.emit(Constant(ArrayAttribute(np.array(True))), (), op)[0]
    else:
        value = work.external("initialized", name, _FLAG, work.origin(op))
    work.values[op.outputs[0]] = value


def _random(work: Lowering, op: Operation) -> None:
    definition = op.definition.substitute(work.symbols)
    assert isinstance(definition, RandomBits | DynamicRandomBits)
    if op.outputs[0] in work.values:
        return
    scalar = TensorType(uint64, Shape(()))
    identity = (op.name, definition.seed, op.stable_id)
    key = work.external("key", identity, scalar, work.origin(op))
    counter = work.external("counter", identity, scalar, work.origin(op))
    inputs = (*(work.value_of(tensor) for tensor in op.inputs), key, counter, *work.loop_indices)
    bits = definition.in_program
    resolved = bits.resolve([value.type for value in inputs], [value.symbolic for value in inputs])
    if resolved is not None:
        bits, kept = resolved
        inputs = tuple(inputs[i] for i in kept)
    work.values[op.outputs[0]] = work.emit(bits, inputs, op)[0]


def _print(work: Lowering, op: Operation) -> None:
    definition = op.definition
    assert isinstance(definition, Printing)
    inputs = [work.value_of(tensor) for tensor in op.inputs]
    if definition.first_n >= 0:
        identity = (op.name, None, op.stable_id)
        inputs.append(work.external("counter", identity, TensorType(uint64, Shape(())), work.origin(op)))
        definition = definition.replace(counted=True)
    work.publish(op, work.emit(definition, inputs, op))


_HANDLERS: Final[dict[type[Op], Callable[[Lowering, Operation], None]]] = {
    Placeholder: _placeholder,
    PlaceholderWithDefault: _placeholder_with_default,
    NoOp: _nothing,
    BodyInput: _nothing,
    VariableHandle: _nothing,
    ReadVariable: _read,
    AssignVariable: _assign,
    IsInitialized: _is_initialized,
    RandomBits: _random,
    DynamicRandomBits: _random,
    Printing: _print,
}


def handle(definition: type[Op], handler: Callable[[Lowering, Operation], None]) -> None:
    """Let ``handler`` lower nodes of a definition."""
    _HANDLERS[definition] = handler
