"""Loops as operations: ``While`` runs a body as long as a condition holds, ``Scan`` once for each slice of tensors.

A body takes the index of the iteration, the carries (what one iteration hands to the next), for a scan a slice of each
of the ``xs``, and constants; it returns the new carries and the ``ys``, which are stacked. In a graph, the last ``ys``
are the carries as they were at the beginning of the iteration, and the index: the history from which gradients
    recompute each iteration. Where no
gradient asks for it, nothing of it is kept.

The index is the place of the slice, so it counts down in a reversed scan; thus the gradient of a loop, a scan in the
other direction, sees the index that the iteration had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.errors import DTypeError, GradientError, ShapeError
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Body, Signature
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.registry import primitive
from dovetail.graph.subgraph import Subgraph, trace
from dovetail.ops.bodies import ControlOp, argument_types, close, escaped, is_resource, output_types, replay
from dovetail.ops.branches import check_predicate
from dovetail.ops.sizes import opaque_dim, opaque_name
from dovetail.types.dims import Dim, Symbol, evaluate, symbols_of
from dovetail.types.dtypes import int64
from dovetail.types.shapes import Shape, TensorType, demand, unify

__all__ = ["INDEX_TYPE", "Loop", "Scan", "While", "make_scan"]

INDEX_TYPE: Final = TensorType(int64, Shape(()))
"""The type of the index of an iteration."""


class Loop(ControlOp):
    """What loops have in common: types, and the gradient.

    Inputs are the initial carries, the tensors that are sliced, and the constants; outputs are the final carries and
    the stacked results of the iterations.
    """

    body: Body
    carries: int
    indexed: bool = True
    """Whether the bodies take the index; always so in a graph."""
    varying: tuple[str, ...] = ()
    """Names of the symbols that stand for sizes of carries that may change from one iteration to the next."""

    @property
    def sliced(self) -> int:
        """How many tensors are sliced."""
        return 0

    def own_symbols(self) -> Iterable[str]:
        """The sizes that may change."""
        return self.varying

    def body_types(self, types: Sequence[TensorType]) -> list[TensorType]:
        """Return the types of what the body takes for inputs of these types."""
        end = self.carries + self.sliced
        return [
            *[INDEX_TYPE] * self.indexed,
            *types[: self.carries],
            *map(_slice, types[self.carries : end]),
            *types[end:],
        ]

    def loop_types(self, types: Sequence[TensorType], length: Dim) -> tuple[TensorType, ...]:
        """Return the types of the outputs of a loop of ``length`` iterations."""
        arguments, _ = argument_types(self.body, self.body_types(types), self.varying)
        found = output_types(self.body, arguments, self.varying)
        own = {Symbol(name) for name in self.varying}
        known = self.body.symbols.union(*(one.shape.symbols for one in types)) - own
        start = int(self.indexed)
        result = []
        for index, (declared, outer, inner) in enumerate(
            zip(arguments[start : start + self.carries], types, found[: self.carries], strict=False)
        ):
            self._check_carry(index, declared, inner, own)
            result.append(_after(declared, outer, own, f"{self.label}.{index}"))
        for index, one in enumerate(found[self.carries :], self.carries):
            outside = escaped(one, known, self.label, index)
            result.append(
                TensorType(one.dtype, Shape(None) if outside.rank is None else Shape((length, *outside.dims)))
            )
        return tuple(result)

    def _check_carry(self, index: int, before: TensorType, after: TensorType, own: set[Symbol]) -> None:
        if before.dtype is not after.dtype:
            raise DTypeError(f"{self.name}: carry {index} is {before}, yet {after} after an iteration; use dt.cast.")
        if before.rank is None or after.rank is None:
            return
        message = f"{self.name}: carry {index} is {before}, yet {after} after an iteration. Keep its shape."
        if before.rank != after.rank:
            raise ShapeError(message)
        for mine, theirs in zip(before.dims, after.dims, strict=True):
            if own.isdisjoint(symbols_of(mine)):
                demand("equal", mine, theirs, message)

    def history(self, outputs: Sequence[Tensor]) -> tuple[Sequence[Tensor], Tensor]:
        """Return the stacked carries at the beginning of each iteration, and the stacked indices."""
        return outputs[-1 - self.carries : -1], outputs[-1]

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Tensor | None]:
        """A scan in the other direction: computes each iteration anew from the history and goes back through it."""
        return _Backward(self, inputs, outputs, grads, needed).result()

    @property
    def runs_backwards(self) -> bool:
        """Whether the last slice comes first."""
        return False


def _slice(type: TensorType) -> TensorType:
    return TensorType(type.dtype, Shape(None) if type.rank is None else type.shape[1:])


def _after(declared: TensorType, outer: TensorType, own: set[Symbol], label: str) -> TensorType:
    """Return the type of a carry when the loop is done."""
    if declared.rank is None or outer.rank is None:
        return TensorType(outer.dtype, Shape(None))
    dims = [
        size if own.isdisjoint(symbols_of(inner)) else opaque_dim(label, axis)
        for axis, (inner, size) in enumerate(zip(declared.dims, outer.dims, strict=True))
    ]
    return TensorType(outer.dtype, Shape(dims))


@primitive
@final
class While(Loop):
    """Runs a body as long as a condition holds; both take the index, the carries and the constants."""

    condition: Body

    @property
    def steps(self) -> Symbol:
        """The number of iterations."""
        return Symbol(f"{self.label}.steps", data_dependent=True)

    def infer(self, *types: TensorType) -> Signature:
        """Carries keep their types; results are stacked along a new first axis, as long as there were iterations."""
        (predicate,) = output_types(self.condition, self.body_types(types), self.varying)
        check_predicate("while_loop", predicate)
        return self.loop_types(types, self.steps)

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """Those of one iteration; how many there are, only a run knows."""
        return self.condition.flops + self.body.flops

    def reference(self, *arrays: Any, condition: Any, body: Any, sizes: Mapping[Symbol, int]) -> Any:
        """Run the condition and the body in turn."""
        count = self.carries
        carries, constants = arrays[:count], arrays[count:]
        stacks: list[list[Any]] = [[] for _ in self.body.output_types[count:]]
        step = 0
        while True:
            index = (np.asarray(step, np.int64),) if self.indexed else ()
            if not condition(*index, *carries, *constants)[0]:
                break
            results = body(*index, *carries, *constants)
            carries = results[:count]
            for stack, value in zip(stacks, results[count:], strict=True):
                stack.append(value)
            step += 1
        kinds = self.body.output_types[count:]
        return _outputs([*carries, *(_stacked(s, range(step), t, sizes) for s, t in zip(stacks, kinds, strict=True))])


@primitive
@final
class Scan(Loop):
    """Runs a body once for each slice of ``xs`` tensors along their first axis, the last first if ``reverse``."""

    xs: int
    length: Dim = 0
    """The number of iterations, where nothing is sliced."""
    reverse: bool = False

    @property
    def sliced(self) -> int:
        """How many tensors are sliced."""
        return self.xs

    @property
    def runs_backwards(self) -> bool:
        """Whether the last slice comes first."""
        return self.reverse

    def infer(self, *types: TensorType) -> Signature:
        """Carries keep their types; results are stacked along a new first axis, in the order of the slices."""
        length = opaque_dim(f"{self.label}.length") if self.xs else self.length
        sliced = [one for one in types[self.carries : self.carries + self.xs] if one.rank is not None]
        for index, one in enumerate(sliced):
            if one.rank == 0:
                raise ShapeError(f"scan: a tensor to slice is {one}, a scalar; give tensors with a first axis.")
            message = (
                f"scan: the first axes of the tensors to slice differ: {', '.join(map(str, sliced))}. Make them equal."
            )
            length = one.dims[0] if index == 0 else unify(length, one.dims[0], message)
        return self.loop_types(types, length)

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """Those of all iterations."""
        return self.body.flops * (inputs[self.carries].dims[0] if self.xs else self.length)

    def reference(self, *arrays: Any, body: Any, sizes: Mapping[Symbol, int]) -> Any:
        """Run the body on one slice after another."""
        count = self.carries
        carries, xs, constants = arrays[:count], arrays[count : count + self.xs], arrays[count + self.xs :]
        length: Any = len(xs[0]) if xs else self.length
        order = range(length - 1, -1, -1) if self.reverse else range(length)
        stacks: list[list[Any]] = [[] for _ in self.body.output_types[count:]]
        for step in order:
            index = (np.asarray(step, np.int64),) if self.indexed else ()
            results = body(*index, *carries, *[x[step, ...] for x in xs], *constants)
            carries = results[:count]
            for stack, value in zip(stacks, results[count:], strict=True):
                stack.append(value)
        kinds = self.body.output_types[count:]
        return _outputs([*carries, *(_stacked(s, order, t, sizes) for s, t in zip(stacks, kinds, strict=True))])


def _outputs(arrays: list[Any]) -> Any:
    return arrays[0] if len(arrays) == 1 else arrays


def _stacked(values: Sequence[Any], order: Sequence[int], kind: TensorType, sizes: Mapping[Symbol, int]) -> Array:
    """Stack the results of iterations at the places that ``order`` gives."""
    if not values:
        shape = [evaluate(dim, sizes) if symbols_of(dim) <= sizes.keys() else 0 for dim in kind.dims]
        return np.empty((0, *shape), kind.dtype.numpy)
    shape = np.shape(values[0])
    result = np.empty((len(values), *shape), kind.dtype.numpy)
    for place, value in zip(order, values, strict=True):
        if np.shape(value) != shape:
            raise ShapeError(
                f"the results of the iterations are to be stacked, but one has shape {list(shape)}, another "
                f"{list(np.shape(value))}. Pad them to one shape."
            )
        result[place, ...] = value
    return result


# Making scans, for users and for gradients. --------------------------------------------------------------------------


def make_scan(
    function: Callable[
        [Tensor, Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]], tuple[Sequence[Tensor], Sequence[Tensor]]
    ],
    carries: Sequence[Tensor],
    xs: Sequence[Tensor],
    constants: Sequence[Tensor] = (),
    *,
    length: Dim = 0,
    reverse: bool = False,
    prefix: str,
    names: Sequence[str] = (),
) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    """Make a scan of a function that takes index, carries, slices and constants and gives new carries and results.

    Args:
        function: the body; it may use tensors of the graph around.
        carries: the initial carries.
        xs: tensors to slice along their first axis.
        constants: more arguments.
        length: the number of iterations, where nothing is sliced.
        reverse: whether the last slice comes first.
        prefix: begins the names in the body.
        names: names of carries and slices.

    Returns:
        The final carries and the stacked results.
    """
    graph = get_default_graph()
    count, end = len(carries), len(carries) + len(xs)

    def flat(index: Tensor, *tensors: Tensor) -> list[Tensor]:
        after, results = function(index, tensors[:count], tensors[count:end], tensors[end:])
        return [*after, *results, *tensors[:count], index]

    label = opaque_name(prefix)
    types = [one.type for one in (*carries, *xs, *constants)]
    inside = [INDEX_TYPE, *types[:count], *map(_slice, types[count:end]), *types[end:]]
    body = trace(flat, inside, outer=graph, names=("index", *names), prefix=prefix)
    closed = close(graph, [body], repeated=True)
    op = Scan(label=label, body=closed.bodies[0], carries=count, xs=len(xs), length=length, reverse=reverse)
    node = graph.create(op, [*carries, *xs, *constants, *closed.captures], control_inputs=closed.awaited)
    return node.outputs[:count], node.outputs[count : len(node.outputs) - count - 1]


class _Backward:
    """The gradient of one loop."""

    def __init__(
        self, op: Loop, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], needed: Sequence[int]
    ) -> None:
        body = op.body
        assert isinstance(body, Subgraph)
        self.op = op
        self.body = body
        self.inputs = inputs
        self.outputs = outputs
        self.grads = grads
        self.needed = needed
        self.arguments = body.inputs[1:]
        self.first_constant = op.carries + op.sliced
        wanted = {index for index in needed if inputs[index].dtype.is_inexact}
        carried, dependent = self._dependent(wanted)
        self.results = [
            index
            for index in range(op.carries, len(body.outputs))
            if grads[index] is not None and body.outputs[index] in dependent
        ]
        self.carried, relevant = self._relevant(carried)
        self.sliced = [
            i for i in sorted(wanted) if op.carries <= i < self.first_constant and self.arguments[i] in relevant
        ]
        self.constants = [i for i in sorted(wanted) if i >= self.first_constant and self.arguments[i] in relevant]

    def _dependent(self, wanted: set[int]) -> tuple[set[int], set[Tensor]]:
        """Return the carries that depend on the inputs wanted, perhaps through other carries; and all that do."""
        count = self.op.carries
        carried = {index for index in wanted if index < count}
        while True:
            sources = {self.arguments[index] for index in carried | wanted}
            dependent = _dependents(self.body, sources)
            reached = {index for index in range(count) if self.body.outputs[index] in dependent}
            if reached <= carried:
                return carried, dependent
            carried |= reached

    def _relevant(self, carried: set[int]) -> tuple[list[int], set[Tensor]]:
        """Return those of the carries that have a gradient, perhaps from others; and all it comes from."""
        found = {index for index in carried if self.grads[index] is not None}
        while True:
            relevant = _ancestors([self.body.outputs[index] for index in (*found, *self.results)])
            reached = found | {index for index in carried if self.arguments[index] in relevant}
            if reached == found:
                return sorted(found), relevant
            found = reached

    def result(self) -> list[Tensor | None]:
        """Make the scan and return the gradients of the inputs asked for."""
        from dovetail.ops.arrays import zeros_like

        if not self.carried and not self.results:
            return [None] * len(self.needed)
        graph = get_default_graph()
        op, inputs, grads = self.op, self.inputs, self.grads
        for index in self.carried:
            if self._changes(index):
                raise self._changing(index)
        histories, indices = op.history(self.outputs)
        starts = [
            *(zeros_like(self.outputs[i]) if grads[i] is None else grads[i] for i in self.carried),
            *(zeros_like(inputs[i]) for i in self.constants),
        ]
        sliced = inputs[op.carries : self.first_constant]
        finals, stacked = make_scan(
            self._iteration,
            starts,
            [*histories, *sliced, *(grads[i] for i in self.results), indices],
            inputs[self.first_constant :],
            reverse=not op.runs_backwards,
            prefix=graph.unique_name("backward"),
        )
        found = dict(zip([*self.carried, *self.constants], finals, strict=True)) | dict(
            zip(self.sliced, stacked, strict=True)
        )
        return [found.get(index) for index in self.needed]

    def _iteration(
        self, index: Tensor, carries: Sequence[Tensor], xs: Sequence[Tensor], constants: Sequence[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Go back through one iteration."""
        from dovetail.ops.arrays import zeros_like
        from dovetail.ops.gradients import backpropagate

        count = len(self.carried)
        arguments = [*xs[: self.first_constant], *constants]
        outputs = [self.body.outputs[i] for i in (*self.carried, *self.results)]
        resources = [inner for inner, tensor in zip(self.arguments, self.inputs, strict=True) if is_resource(tensor)]
        values = replay(self.body, [index, *arguments], outputs, resources)
        places = [*self.carried, *self.constants, *self.sliced]
        starts = [*carries[:count], *xs[self.first_constant : -1]]
        found = backpropagate(values, [arguments[i] for i in places], starts)
        for i in range(self.op.carries):
            if xs[i].consumers() and self._changes(i):
                raise self._changing(i)
        new = [zeros_like(arguments[i]) if one is None else one for i, one in zip(places, found, strict=True)]
        sums = [
            total if one is None else total + one
            for total, one in zip(carries[count:], found[count : count + len(self.constants)], strict=True)
        ]
        return [*new[:count], *sums], new[count + len(self.constants) :]

    def _changes(self, index: int) -> bool:
        own = {Symbol(name) for name in self.op.varying}
        return not own.isdisjoint(self.arguments[index].shape.symbols)

    def _changing(self, index: int) -> GradientError:
        return GradientError(
            f"{self.op.name}: a gradient is asked for through a loop whose variable {index}, "
            f'"{self.inputs[index].name}" of type {self.inputs[index].type}, changes its shape from one iteration to '
            "the next; its history cannot be kept. Carry a tensor of fixed shape and write into parts of it, or use "
            f"dt.scan, which stacks results. {self.outputs[0].op.where()}"
        )


def _dependents(body: Subgraph, sources: set[Tensor]) -> set[Tensor]:
    """Return the floating tensors of a body that change smoothly with ``sources``."""
    found = set(sources)
    for op in body.graph.get_operations():
        if op.definition.differentiable and any(tensor in found for tensor in op.inputs):
            found.update(tensor for tensor in op.outputs if tensor.dtype.is_inexact)
    return found


def _ancestors(tensors: Sequence[Tensor]) -> set[Tensor]:
    """Return the tensors from which differentiable operations lead to ``tensors``."""
    found = set(tensors)
    waiting: list[Operation] = [tensor.op for tensor in tensors]
    seen: set[Operation] = set()
    while waiting:
        op = waiting.pop()
        if op in seen or not op.definition.differentiable:
            continue
        seen.add(op)
        found.update(op.inputs)
        waiting.extend(tensor.op for tensor in op.inputs)
    return found
