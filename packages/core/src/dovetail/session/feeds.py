"""What is fed: values checked and converted, and the sizes that symbols take from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.compiler.program import Origin
from dovetail.errors import DovetailError, DTypeError, FeedError
from dovetail.graph.graph import Graph
from dovetail.graph.op import Array
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops.constants import array_of, cast_exactly
from dovetail.types.constraints import Constraint
from dovetail.types.dims import Dim, Symbol, SymbolicDim, evaluate, symbols_of
from dovetail.types.shapes import Shape, TensorType

__all__ = ["FeedSlot", "Sizes"]

_LARGE: Final = 1e38
"""Every floating number below it is one of float32, but for rounding."""
_SMALL: Final = 128
"""Every number below it is one of every numeric dtype."""


@final
class FeedSlot:
    """How values for one tensor are checked.

    Attributes:
        tensor: what is fed.
        is_flag: whether it is a single truth value, for each value of which a plan is made.
    """

    __slots__ = ("_dims", "_floating", "_numeric", "_numpy", "_signed", "_static", "is_flag", "ranked", "tensor")

    def __init__(self, graph: Graph, key: Any) -> None:
        """Find the tensor that ``key`` names.

        Raises:
            FeedError: it is not a tensor of this graph, or one that cannot be fed.
        """
        try:
            tensor = graph.as_graph_element(key)
        except DovetailError as error:
            raise FeedError(f"cannot feed {key!r}: {error}") from error
        if isinstance(tensor, Operation):
            if len(tensor.outputs) != 1:
                raise FeedError(
                    f"cannot feed operation {tensor.name!r}; feed one of its tensors, such as '{tensor.name}:0'."
                )
            tensor = tensor.outputs[0]
        self.tensor: Tensor = tensor
        self.ranked = tensor.shape.rank is not None
        self._dims: tuple[Dim, ...] = tensor.shape.dims if self.ranked else ()
        self._static = self.ranked and tensor.shape.is_static
        self._numpy = tensor.dtype.numpy
        self._floating = tensor.dtype.is_inexact and not tensor.dtype.is_half
        self._numeric = tensor.dtype.is_number
        self._signed = not tensor.dtype.is_unsigned
        self.is_flag = tensor.dtype.is_bool and tensor.shape.rank == 0

    def convert(self, value: Any) -> Array:
        """Return ``value`` as an array of the tensor's dtype and a shape that its declared shape admits.

        Raises:
            FeedError: the value's type, dtype or shape does not fit.
        """
        if type(value) is np.ndarray and value.dtype == self._numpy and not self.tensor.dtype.is_string:
            array: Array = value
        else:
            number = self._number(value)
            array = self._coerce(value) if number is None else number
        if self.ranked:
            shape = array.shape
            if len(shape) != len(self._dims) or (shape != self._dims and not self._admits(shape)):
                raise FeedError(
                    f'"{self.tensor.name}" is {self.tensor.type}, but the value fed has shape {list(shape)}; '
                    f"reshape it to fit. {self.tensor.op.where()}"
                )
        return array

    def _number(self, value: Any) -> Array | None:
        """Return a Python number as an array, where it surely fits: what is fed most often, and converted fast."""
        if type(value) is float and self._floating and -_LARGE < value < _LARGE:
            return np.array(value, self._numpy)
        if type(value) is int and self._numeric and -_SMALL < value < _SMALL and (value >= 0 or self._signed):
            return np.array(value, self._numpy)
        return None

    def _admits(self, shape: tuple[int, ...]) -> bool:
        return all(not isinstance(dim, int) or dim == size for dim, size in zip(self._dims, shape, strict=True))

    def _coerce(self, value: Any) -> Array:
        tensor = self.tensor
        if isinstance(value, Tensor) or hasattr(value, "_as_graph_element"):
            raise FeedError(
                f'the value fed for "{tensor.name}" is {value!r}, a part of the graph; feed an array or a number, such '
                f"as what session.run gave. {tensor.op.where()}"
            )
        try:
            if tensor.dtype.is_string:
                return array_of(value, tensor.dtype)
            array = np.asarray(value)
            if array.dtype == object or array.dtype.kind in "US":
                raise DTypeError(f"it holds {_kinds(value)}")
            if array.dtype != self._numpy:
                array = cast_exactly(array, tensor.dtype, lambda: f"a value of type {array.dtype.name}")
            return array
        except (DovetailError, ValueError, TypeError) as error:
            raise FeedError(
                f'the value fed for "{tensor.name}" ({tensor.type}) does not fit: {error} {tensor.op.where()}'
            ) from error

    def plan_key(self, array: Array) -> Any:
        """Return what a plan depends on of the value fed: flags whole, of unknown ranks all but the first dimension."""
        if self.is_flag:
            return bool(array)
        if self.ranked:
            return None
        shape = array.shape
        return (len(shape), shape[1:], shape[:1] == (1,))

    def type_for(self, array: Array) -> TensorType:
        """Return the type that a plan is made for."""
        tensor = self.tensor
        if self.ranked:
            return tensor.type
        dims: list[Dim] = list(array.shape)
        if dims and dims[0] != 1:
            dims[0] = Symbol(f"{tensor.op.name.replace('/', '.')}.fed")
        return TensorType(tensor.dtype, Shape(dims))


def _kinds(value: Any) -> str:
    if isinstance(value, (list, tuple)) and value:
        return f"a {type(value[0]).__name__}"
    return f"a {type(value).__name__}"


_NOTHING: Final[Mapping[Symbol, int]] = {}


@final
class Sizes:
    """What the symbols of a plan stand for, from the shapes fed; checked once for each combination of shapes."""

    __slots__ = ("_constraints", "_known", "_settled", "_static", "_tensors", "_types")

    def __init__(
        self,
        tensors: Sequence[Tensor],
        types: Sequence[TensorType],
        constraints: Sequence[tuple[Constraint, Origin]],
        settled: frozenset[tuple[Symbol, int]],
    ) -> None:
        """Prepare for feeds of ``tensors`` of ``types``, in a plan for the sizes that are ``settled``."""
        self._settled = settled
        self._tensors = tuple(tensors)
        self._types = tuple(types)
        given = {symbol for one in types for symbol in one.shape.symbols}
        self._constraints = tuple(
            (constraint, origin) for constraint, origin in constraints if constraint.symbols <= given
        )
        self._known: dict[Any, Mapping[Symbol, int] | frozenset[tuple[Symbol, int]]] = {}
        self._static = not given and not self._constraints

    def of(self, arrays: Sequence[Array]) -> Mapping[Symbol, int] | frozenset[tuple[Symbol, int]]:
        """Return the size of each symbol, or those of what broadcasts, for which another plan is needed.

        Raises:
            FeedError: two feeds disagree, or a constraint of a node does not hold.
        """
        if self._static:
            return _NOTHING
        key = tuple([array.shape for array in arrays])
        found = self._known.get(key)
        if found is None:
            found = self._compute(arrays)
            if len(self._known) > 1024:
                self._known.clear()
            self._known[key] = found
        return found

    def _compute(self, arrays: Sequence[Array]) -> Mapping[Symbol, int] | frozenset[tuple[Symbol, int]]:
        sizes: dict[Symbol, int] = {}
        first: dict[Symbol, tuple[Tensor, int]] = {}
        for tensor, type, array in zip(self._tensors, self._types, arrays, strict=True):
            for axis, (dim, size) in enumerate(zip(type.dims, array.shape, strict=True)):
                if isinstance(dim, Symbol):
                    if sizes.setdefault(dim, size) != size:
                        other, other_axis = first[dim]
                        raise FeedError(
                            f'"{tensor.name}" and "{other.name}" share the dimension {dim}, but {size} (axis {axis}) '
                            f"and {sizes[dim]} (axis {other_axis}) were fed; feed batches of one size. "
                            f"{tensor.op.where()}"
                        )
                    first.setdefault(dim, (tensor, axis))
        for tensor, type, array in zip(self._tensors, self._types, arrays, strict=True):
            for axis, (dim, size) in enumerate(zip(type.dims, array.shape, strict=True)):
                if isinstance(dim, SymbolicDim) and not isinstance(dim, Symbol) and evaluate(dim, sizes) != size:
                    raise FeedError(
                        f'"{tensor.name}" is {type}: axis {axis} must be {evaluate(dim, sizes)}, but {size} was fed. '
                        f"{tensor.op.where()}"
                    )
        settled: set[tuple[Symbol, int]] = set()
        failed: tuple[Constraint, Origin] | None = None
        for constraint, origin in self._constraints:
            if constraint.kind == "broadcast":
                sides = [(side, evaluate(side, sizes)) for side in (constraint.left, constraint.right)]
                if sides[0][1] == sides[1][1]:
                    continue
                single = [side for side, size in sides if size == 1]
                if single:
                    settled.update((symbol, sizes[symbol]) for symbol in symbols_of(single[0]))
                    continue
            if failed is None and not constraint.holds(sizes):
                failed = constraint, origin
        if not settled <= self._settled:
            return frozenset(settled)  # what else does not hold may, in a plan that knows what broadcasts
        if failed is not None:
            constraint, origin = failed
            raise FeedError(
                f"the sizes fed do not fit: {constraint.describe(sizes)}.{self._blame(constraint, first)} "
                f"{origin.where()}"
            )
        return sizes

    def _blame(self, constraint: Constraint, first: Mapping[Symbol, tuple[Tensor, int]]) -> str:
        named = [
            f'axis {first[symbol][1]} of "{first[symbol][0].name}"'
            for symbol in sorted(constraint.symbols, key=str)
            if symbol in first
        ]
        return f" They come from {' and '.join(named)}." if named else ""
