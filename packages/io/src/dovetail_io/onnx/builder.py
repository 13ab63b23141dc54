"""``Builder``: what converters make nodes with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.extend import (
    Dim,
    DType,
    Instruction,
    Origin,
    Program,
    Shape,
    Source,
    Symbol,
    SymbolicDim,
    TensorType,
    dims,
)
from dovetail.extend import Value as ProgramValue
from dovetail_io.onnx.model import Graph, Node, Value
from dovetail_io.onnx.operators import ELEMENT_NAMES, carrier, inputs_of, is_data, result_type

__all__ = ["Builder", "ConversionError"]

_END: Final = np.iinfo(np.int64).max
_BEGIN: Final = np.iinfo(np.int64).min
_NOWHERE: Final = Origin("", Source("", 0))


class ConversionError(Exception):
    """Raised by a converter for what ONNX cannot express; the text ends the sentence "it cannot be exported: …"."""


@final
class Builder:
    """Makes the nodes of a graph: of the model, of a function, or of a body of control flow.

    A converter takes one, the operation, and a value for each input; it returns a value for each output::

        @converter(definitions.Reverse)
        def reverse(to: Builder, op: definitions.Reverse, x: Value) -> Value:
            ...
            return to.node("Slice", x, starts, ends, axes, steps)

    Attributes:
        opset: the version of ONNX's operators to write for.
        graph: the graph that nodes are added to.
        origin: what the nodes made now come from.
        types: types of what the operation that is converted makes.
        instruction: what is converted.
        takers: returns what takes a value of the program; ``None`` among it for an output of the program.
        inline: converts a program, such as a body of control flow, into this graph: takes it and what stands for its
            inputs, and returns what stands for its outputs.
        masked: for sequences that are zero beyond their lengths: the lengths, and what they were before.
        walked: for states after each step within lengths: the lengths, and the last state.
        nested: returns the builder of a graph within this one, such as a branch, from its inputs.
        training: whether the model keeps what is done while training only.
        known: returns what stands for a value of the program, ``None`` where nothing does as yet.
        variable: returns a variable of the session as a constant, by its name.
    """

    inline: Callable[[Program, Sequence[Value]], list[Value]]
    nested: Callable[[Sequence[Value]], Builder]
    takers: Callable[[ProgramValue], Sequence[Instruction | None]]
    known: Callable[[ProgramValue], Value | None]
    variable: Callable[[str], Value]

    def __init__(self, opset: int, graph: Graph, outer: Builder | None = None, *, training: bool = False) -> None:
        """Begin a graph; within a body of control flow, values of ``outer`` may be taken."""
        self.opset = opset
        self.training = training
        self.graph = graph
        self.origin = _NOWHERE
        self.types: tuple[TensorType, ...] = ()
        self.instruction: Instruction | None = None
        self._sizes: dict[Dim, Value] = dict(outer._sizes) if outer is not None else {}
        self._sources: dict[Symbol, tuple[Value, int]] = dict(outer._sources) if outer is not None else {}
        self._constants: dict[Any, Value] = {}
        self._drawn: dict[Value, Value] = outer._drawn if outer is not None else {}
        self._moments: dict[Value, Value] = outer._moments if outer is not None else {}
        self.masked: dict[Value, tuple[Value, Value]] = outer.masked if outer is not None else {}
        self.walked: dict[Value, tuple[Value, Value]] = outer.walked if outer is not None else {}
        for value in graph.inputs:
            self.knows(value)

    # Nodes. ----------------------------------------------------------------------------------------------------------

    def node(
        self, op_type: str, *inputs: Value | None, type: TensorType | None = None, domain: str = "", **attributes: Any
    ) -> Value:
        """Add a node of one output.

        Args:
            op_type: the operator.
            inputs: values; ``None`` for one left out.
            type: type of the output, for passes; found by itself for operators that work element by element.
            domain: of an operator that is not the standard's.
            attributes: numbers, strings, dtypes, lists of them, arrays, graphs.
        """
        return self.several(op_type, *inputs, types=(type,), domain=domain, **attributes)[0]

    def several(
        self,
        op_type: str,
        *inputs: Value | None,
        types: Sequence[TensorType | None],
        domain: str = "",
        **attributes: Any,
    ) -> tuple[Value, ...]:
        """Add a node with an output for each of ``types``."""
        if any(value in self._drawn for value in inputs if value is not None):
            raise ConversionError("ONNX has operators for uniform and normal random numbers only")
        if not domain:
            narrow = self._narrow(op_type, inputs)
            if narrow is not None:
                return self._carried(op_type, inputs, types, attributes, *narrow)
            self._check(op_type, inputs)
        if types[0] is None and len(types) == 1:
            types = (result_type(op_type, inputs, attributes),)
        outputs = tuple(Value(one) for one in types)
        self.graph.nodes.append(
            Node(
                op_type,
                inputs,
                outputs,
                attributes,
                domain=domain,
                name=self.origin.name,
                source="" if self.origin is _NOWHERE else str(self.origin.source),
                layer="" if self.origin.layer is None else self.origin.layer.qualified_class,
            )
        )
        return outputs

    @property
    def taken(self) -> tuple[bool, ...]:
        """Which outputs something takes; a converter may return ``None`` for the others."""
        return () if self.instruction is None else tuple(bool(self.takers(one)) for one in self.instruction.outputs)

    def _check(self, op_type: str, inputs: Sequence[Value | None]) -> None:
        """Refuse what the operator does not take in this version."""
        takes = inputs_of(op_type, self.opset)
        if takes is None:
            raise ConversionError(f"opset {self.opset} has no operator {op_type}")
        if not takes.least <= len(inputs) <= takes.most:
            raise ConversionError(f"the operator {op_type} does not take {len(inputs)} inputs in opset {self.opset}")
        for index, value in enumerate(inputs):
            if value is not None and value.type is not None:
                if ELEMENT_NAMES[value.dtype.name] not in takes.types[min(index, len(takes.types) - 1)]:
                    raise ConversionError(f"the operator {op_type} takes no {value.dtype.name} in opset {self.opset}")

    def _narrow(self, op_type: str, inputs: Sequence[Value | None]) -> tuple[DType, DType] | None:
        for index, value in enumerate(inputs):
            if value is not None and value.type is not None and is_data(op_type, index):
                wide = carrier(op_type, value.dtype)
                return None if wide is None else (value.dtype, wide)
        return None

    def _carried(
        self,
        op_type: str,
        inputs: Sequence[Value | None],
        types: Sequence[TensorType | None],
        attributes: Mapping[str, Any],
        narrow: DType,
        wide: DType,
    ) -> tuple[Value, ...]:
        """Compute in a wider dtype and cast back."""

        def widened(index: int, value: Value | None) -> Value | None:
            if value is None or not is_data(op_type, index) or value.type is None or value.dtype is not narrow:
                return value
            return self.cast(value, wide)

        back = [is_data(op_type, index, output=True) for index in range(len(types))]
        outputs = self.several(
            op_type,
            *[widened(index, value) for index, value in enumerate(inputs)],
            types=[
                TensorType(wide, one.shape) if one is not None and again else one
                for one, again in zip(types, back, strict=True)
            ],
            **attributes,
        )
        return tuple(
            self.cast(value, narrow, one.shape if one is not None else None) if again else value
            for value, one, again in zip(outputs, types, back, strict=True)
        )

    def constant(self, array: Any, dtype: DType | None = None, name: str = "") -> Value:
        """Return a constant; small ones that are equal are one value."""
        array = np.asarray(array, None if dtype is None else dtype.numpy)
        kind = dt.as_dtype(array.dtype)
        type = TensorType(kind, Shape(array.shape))
        if name or array.size > 64 or kind.is_string:
            return Value(type, name, array)
        return self._constants.setdefault((type, array.tobytes()), Value(type, "constant", array))

    def ints(self, numbers: Iterable[int]) -> Value:
        """Return a constant vector of int64."""
        return self.constant(np.asarray(list(numbers), np.int64))

    def cast(self, x: Value, dtype: DType, shape: Shape | None = None) -> Value:
        """Convert the elements as the ``Cast`` operator does; a value of that dtype is returned as it is."""
        if x.type is not None and x.dtype is dtype:
            return x
        if x.array is not None and not x.dtype.is_string and x.array.size <= 64:
            return self.constant(x.array.astype(dtype.numpy))
        return self.node("Cast", x, type=None if shape is None else TensorType(dtype, shape), to=dtype)

    def gives(self, values: Iterable[Value]) -> Graph:
        """Make values the outputs of the graph, each made by a node of its own; returns the graph."""
        graph = self.graph
        made = {value for node in graph.nodes for value in node.outputs}
        for value in values:
            own = value in made and value not in graph.outputs
            graph.outputs.append(value if own else self.node("Identity", value, type=value.type))
        return graph

    # What only training does. ----------------------------------------------------------------------------------------

    def draw(self, type: TensorType, sizes: Value) -> Value:
        """Return what stands for random bits of a type, which nothing but ``drawn`` takes, given their sizes."""
        bits = Value(type, "bits")
        self._drawn[bits] = sizes
        return bits

    def drawn(self, bits: Value) -> Value | None:
        """Return the sizes of random bits; ``None`` for other values."""
        return self._drawn.get(bits)

    def note_moments(self, x: Value, mean: Value) -> None:
        """Remember that a value is the mean of another over all axes but that of the channels."""
        self._moments[mean] = x

    def averaged(self, mean: Value) -> Value | None:
        """Return what a value is the mean of, if that was noted of it or of what it is a reshaped copy of."""
        found = self._moments.get(mean)
        if found is not None:
            return found
        maker = next((node for node in reversed(self.graph.nodes) if mean in node.outputs), None)
        moved = maker is not None and maker.op_type in ("Reshape", "Squeeze", "Unsqueeze") and maker.inputs[0]
        return self.averaged(moved) if maker is not None and moved else None

    # Moving elements. ------------------------------------------------------------------------------------------------

    def transpose(self, x: Value, perm: Sequence[int]) -> Value:
        """Return ``x`` with its axes in another order; a constant is transposed here."""
        if list(perm) == list(range(len(perm))):
            return x
        type = None if x.type is None else TensorType(x.dtype, Shape([x.type.dims[axis] for axis in perm]))
        if x.array is not None:
            return Value(type, x.name, np.ascontiguousarray(x.array.transpose(perm)))
        return self.node("Transpose", x, type=type, perm=list(perm))

    def reshape(self, x: Value, shape: Sequence[Dim]) -> Value:
        """Return ``x`` in another shape; sizes that are not ints are worked out when the model runs."""
        assert x.type is not None
        type = TensorType(x.dtype, Shape(shape))
        if type == x.type:
            return x
        if x.array is not None and type.shape.is_static:
            return Value(type, x.name, x.array.reshape(type.shape.evaluate({})))
        known = self._copied(x.type.dims, shape)
        if known is not None:
            return self.node("Reshape", x, self.ints(known), type=type)
        return self.node("Reshape", x, self.sizes(shape), type=type, allowzero=int(0 in shape))

    @staticmethod
    def _copied(old: Sequence[Dim], new: Sequence[Dim]) -> list[int] | None:
        """Return a shape for ``Reshape`` that holds whatever the symbols are: 0 copies a size, -1 takes the rest."""
        if 0 in new:
            return None
        result = []
        for axis, dim in enumerate(new):
            if isinstance(dim, int):
                result.append(dim)
            elif axis < len(old) and old[axis] == dim:
                result.append(0)
            else:
                result.append(-1)
        return result if result.count(-1) <= 1 else None

    def unsqueeze(self, x: Value, axes: Sequence[int]) -> Value:
        """Return ``x`` with axes of size 1 that stand at ``axes`` of the result."""
        if not axes:
            return x
        type = None
        if x.type is not None:
            rest = iter(x.type.dims)
            shape = Shape([1 if axis in axes else next(rest) for axis in range(len(x.type.dims) + len(axes))])
            type = TensorType(x.dtype, shape)
            if x.array is not None:
                return Value(type, x.name, np.expand_dims(x.array, tuple(axes)))
        return self.node("Unsqueeze", x, self.ints(axes), type=type)

    def squeeze(self, x: Value, axes: Sequence[int]) -> Value:
        """Return ``x`` without the axes, each of size 1."""
        if not axes:
            return x
        type = None
        if x.type is not None:
            type = TensorType(x.dtype, Shape([dim for axis, dim in enumerate(x.type.dims) if axis not in axes]))
        return self.node("Squeeze", x, self.ints(axes), type=type)

    def expand(self, x: Value, shape: Sequence[Dim]) -> Value:
        """Return ``x`` broadcast to a shape."""
        assert x.type is not None
        type = TensorType(x.dtype, Shape(shape))
        return x if type == x.type else self.node("Expand", x, self.sizes(shape), type=type)

    def concat(self, parts: Sequence[Value], axis: int, type: TensorType | None = None) -> Value:
        """Return values one after the other along an axis."""
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=axis, type=type)

    def vector(self, x: Value) -> Value:
        """Return an integer scalar as a vector of one int64."""
        return self.reshape(self.cast(x, dt.int64), (1,))

    # Sizes. ----------------------------------------------------------------------------------------------------------

    def knows(self, value: Value, type: TensorType | None = None) -> None:
        """Let sizes be read off a value, the first that has a symbol as one of its sizes.

        Args:
            value: the value.
            type: its type as this graph sees it, where that has symbols of its own.
        """
        seen = type or value.type
        if seen is None or seen.rank is None or value.array is not None:
            return
        for axis, dim in enumerate(seen.dims):
            if isinstance(dim, Symbol):
                self._sources.setdefault(dim, (value, axis))

    def sizes(self, shape: Sequence[Dim]) -> Value:
        """Return dimensions as a vector of int64; those that are not ints are computed from the sizes of inputs."""
        if all(isinstance(dim, int) for dim in shape):
            return self.ints(shape)  # type: ignore[arg-type]
        return self.concat([self.size(dim) for dim in shape], 0, TensorType(dt.int64, Shape((len(shape),))))

    def size(self, dim: Dim) -> Value:
        """Return a dimension as a vector of one int64."""
        if isinstance(dim, int):
            return self.ints([dim])
        known = self._sizes.get(dim)
        if known is None:
            known = self._sizes[dim] = self._size(dim)
        return known

    def _size(self, dim: SymbolicDim) -> Value:
        if isinstance(dim, Symbol):
            source = self._sources.get(dim)
            if source is None:
                raise ConversionError(f"it needs the size {dim}, which no input of the model, or of its function, has")
            value, axis = source
            return self.node("Shape", value, start=axis, end=axis + 1, type=TensorType(dt.int64, Shape((1,))))
        if isinstance(dim, dims.FloorDiv):
            above, below = self.size(dim.numerator), self.size(dim.denominator)
            exact = self.node("Sub", above, self.node("Mod", above, below))  # Div truncates, Mod has the divisor's sign
            return self.node("Div", exact, below)
        if isinstance(dim, dims.Max | dims.Min):
            return self.node("Max" if isinstance(dim, dims.Max) else "Min", *map(self.size, dim.args))
        total: Value | None = None
        for monomial, coefficient in dim.terms:
            term: Value | None = None
            for atom in monomial:
                term = self.size(atom) if term is None else self.node("Mul", term, self.size(atom))
            if term is None:
                term = self.ints([coefficient])
            elif coefficient != 1:
                term = self.node("Mul", term, self.ints([coefficient]))
            total = term if total is None else self.node("Add", total, term)
        assert total is not None
        return total

    # Slices. ---------------------------------------------------------------------------------------------------------

    def slice(
        self,
        x: Value,
        axes: Sequence[int],
        starts: Sequence[Value | Dim | None],
        ends: Sequence[Value | Dim | None],
        steps: Sequence[int] | None = None,
        type: TensorType | None = None,
    ) -> Value:
        """Return part of ``x`` by NumPy's rules; bounds are dimensions, vectors of one int64, or ``None``."""
        steps = steps or [1] * len(axes)
        first = [_default(one, 0 if step > 0 else _END) for one, step in zip(starts, steps, strict=True)]
        last = [_default(one, _END if step > 0 else _BEGIN) for one, step in zip(ends, steps, strict=True)]
        return self.node(
            "Slice", x, self._bounds(first), self._bounds(last), self.ints(axes), self.ints(steps), type=type
        )

    def _bounds(self, bounds: Sequence[Value | Dim]) -> Value:
        if all(isinstance(one, int) for one in bounds):
            return self.ints(bounds)  # type: ignore[arg-type]
        return self.concat([one if isinstance(one, Value) else self.size(one) for one in bounds], 0)


def _default(bound: Value | Dim | None, default: int) -> Value | Dim:
    return default if bound is None else bound
