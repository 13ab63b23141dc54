"""Tensors filled by rule: ``zeros``, ``ones``, ``fill`` and their likes, ``range``, ``linspace``, ``eye``."""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.broadcasting import broadcast_to
from dovetail.ops.constants import Constant, constant, dims_to_tensor
from dovetail.ops.reshaping import expand_dims
from dovetail.ops.shapes import shape
from dovetail.ops.sizes import Resolved, Types, Values, as_dim, object_array, opaque_dim, opaque_name, sizes_of
from dovetail.types.dims import Dim, SymbolicDim, ceil_div, dim_max
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float32, int32, string
from dovetail.types.shapes import Shape, TensorType

__all__ = [
    "DynamicRange",
    "Range",
    "eye",
    "fill",
    "lin_space",
    "linspace",
    "ones",
    "ones_like",
    "range",
    "zeros",
    "zeros_like",
]


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """Return a tensor of one value.

    Args:
        dims: the shape: ints, dimensions, scalar tensors, or an integer vector.
        value: a scalar.
        name: name of the node.

    Raises:
        ShapeError: ``value`` is no scalar.

    Example:
        >>> dt.Session().run(dt.fill([2, 2], 7))
        array([[7, 7],
               [7, 7]], dtype=int32)
    """
    scalar = as_tensor(value)
    if scalar.shape.rank is not None and scalar.shape.rank > 0:
        raise ShapeError(f"fill: the value is {scalar.type}; give a scalar, or use broadcast_to.")
    return _filled(dims, scalar, name or "Fill")


def _filled(dims: Any, scalar: Tensor, name: str) -> Tensor:
    sizes = sizes_of(dims, f"{name}: shape")
    if sizes == ():
        return scalar
    for size in sizes or ():
        if isinstance(size, int) and size < 0:
            raise ShapeError(f"{name}: the shape {dims} holds {size}; sizes are at least 0.")
    return broadcast_to(scalar, dims, name=name)


def zeros(shape: Any, dtype: DTypeLike = float32, name: str | None = None) -> Tensor:
    """Return a tensor of zeros (of ``False``, of empty strings).

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector.
        dtype: the element type.
        name: name of the node.

    Example:
        >>> dt.zeros([2, 3]).type
        float32[2, 3]
    """
    return _filled(shape, _scalar(0, as_dtype(dtype)), name or "zeros")


def ones(shape: Any, dtype: DTypeLike = float32, name: str | None = None) -> Tensor:
    """Return a tensor of ones (of ``True``).

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector.
        dtype: the element type.
        name: name of the node.

    Raises:
        DTypeError: ``dtype`` is string.

    Example:
        >>> dt.ones([2, 3], dt.int32).type
        int32[2, 3]
    """
    return _filled(shape, _scalar(1, as_dtype(dtype)), name or "ones")


def _scalar(value: int, dtype: DType) -> Tensor:
    if dtype is string:
        if value:
            raise DTypeError("ones: there is no string that is one; use fill.")
        return constant(b"")
    return constant(np.asarray(value, dtype.numpy))


def zeros_like(tensor: Any, dtype: DTypeLike | None = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Return zeros of the shape of a tensor.

    Args:
        tensor: the tensor.
        dtype: another element type than the tensor's.
        name: name of the node.
        optimize: has no effect: what is known of the shape is always used; here for TensorFlow 1 programs.

    Example:
        >>> dt.zeros_like(dt.ones([2, 3])).type
        float32[2, 3]
    """
    x = as_tensor(tensor)
    return _filled(_shape_of(x), _scalar(0, x.dtype if dtype is None else as_dtype(dtype)), name or "zeros_like")


def ones_like(tensor: Any, dtype: DTypeLike | None = None, name: str | None = None, optimize: bool = True) -> Tensor:
    """Return ones of the shape of a tensor.

    Args:
        tensor: the tensor.
        dtype: another element type than the tensor's.
        name: name of the node.
        optimize: has no effect: what is known of the shape is always used; here for TensorFlow 1 programs.

    Raises:
        DTypeError: the element type is string.

    Example:
        >>> dt.ones_like(dt.zeros([2, 3]), dt.int32).type
        int32[2, 3]
    """
    x = as_tensor(tensor)
    return _filled(_shape_of(x), _scalar(1, x.dtype if dtype is None else as_dtype(dtype)), name or "ones_like")


def _shape_of(x: Tensor) -> Any:
    return shape(x) if x.shape.rank is None else x.shape.dims


# Ranges. -------------------------------------------------------------------------------------------------------------


@primitive
@final
class Range(Op):
    """``size`` numbers from ``start`` on in steps of ``delta``."""

    differentiable = False
    start: Dim | float
    size: Dim
    delta: Dim | float
    dtype: DType = int32

    def default_name(self) -> str:
        """``range``, as TensorFlow 1 names it."""
        return "range"

    def infer(self) -> Signature:
        """A vector."""
        return TensorType(self.dtype, Shape((self.size,)))

    def reference(self) -> Array:
        """``start + i * delta``, in 64 bits, rounded once."""
        exact = np.int64 if self.dtype.is_integer else np.float64
        numbers = np.arange(int(self.size)).astype(exact) * exact(self.delta) + exact(self.start)
        return numbers.astype(self.dtype.numpy)

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The numbers, where they are few integers."""
        if not self.dtype.is_integer or not isinstance(self.size, int) or self.size > 64:
            return None
        return object_array([self.start + place * self.delta for place in builtins.range(self.size)], (self.size,))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Upwards, downwards, fractions, none."""
        yield Sample(cls(0, 5, 1))
        yield Sample(cls(7, 3, -2, as_dtype("int64")))
        yield Sample(cls(0.5, 4, 0.25, float32))
        yield Sample(cls(3, 0, 1))


@primitive
@final
class DynamicRange(Op):
    """``Range`` with a start, limit and step that only the run computes; ``symbol`` names its length."""

    differentiable = False
    symbol: str

    def default_name(self) -> str:
        """``range``, as TensorFlow 1 names it."""
        return "range"

    def infer(self, start: TensorType, limit: TensorType, delta: TensorType) -> Signature:
        """A vector of opaque length."""
        return self.infer_all((start, limit, delta))[0]

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """A vector of opaque length; the inputs are scalars."""
        for one in types:
            if one.dtype is not types[0].dtype or not one.dtype.is_numeric:
                raise DTypeError(
                    f"range: start, limit and delta are {', '.join(map(str, types))}; use numbers of one dtype."
                )
            if one.rank not in (0, None):
                raise ShapeError(f"range: start, limit and delta are {', '.join(map(str, types))}; use scalars.")
        return (TensorType(types[0].dtype, Shape((opaque_dim(self.symbol),))),)

    def reference(self, start: Array, limit: Array, delta: Array) -> Array:
        """``start + i * delta``, in 64 bits, rounded once."""
        dtype = as_dtype(start.dtype)
        first, last, step = ((int if dtype.is_integer else float)(one) for one in (start, limit, delta))
        if step == 0:
            raise InvalidArgumentError("range: delta is 0; use another step.")
        size = _count(first, last, step)
        return Range(first, size, step, dtype).reference()

    def resolve(self, types: Types, values: Values) -> Resolved:
        """``Range``, once the numbers are known."""
        known = [value.item() for value in values if value is not None]
        if len(known) < 3 or not isinstance(known[2], int) or known[2] == 0:
            return None
        first, last, step = known
        return Range(first, _count(first, last, step), step, types[0].dtype), ()

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Integers upwards, fractions downwards, none."""
        yield Sample(cls("range.sample"), np.int32(1), np.int32(8), np.int32(3))
        yield Sample(cls("range.sample"), np.float64(1.0), np.float64(-1.0), np.float64(-0.5), wrt=())
        yield Sample(cls("range.sample"), np.int64(1), np.int64(1), np.int64(1))


def _count(start: Any, limit: Any, delta: Any) -> Any:
    """Return how many numbers from ``start`` in steps of ``delta`` lie before ``limit``."""
    if isinstance(start, float) or isinstance(limit, float) or isinstance(delta, float):
        return max(math.ceil((limit - start) / delta), 0)
    if delta > 0:
        return dim_max(ceil_div(limit - start, delta), 0)
    return dim_max(ceil_div(start - limit, -delta), 0)


def range(
    start: Any, limit: Any = None, delta: Any = 1, dtype: DTypeLike | None = None, name: str | None = "range"
) -> Tensor:
    """Return numbers in even steps.

    Args:
        start: the first number; the limit, where it is given alone, and then the first is 0.
        limit: the number before which to end.
        delta: the step.
        dtype: the element type; by default that of the numbers: int32 for ints, float32 for floats.
        name: name of the node.

    Returns:
        A vector of ``ceil((limit - start) / delta)`` numbers; its length is symbolic where a dimension is given, and
        depends on the data where a tensor is.

    Raises:
        InvalidArgumentError: ``delta`` is 0.
        DTypeError: the numbers have different dtypes, or are none.

    Example:
        >>> dt.Session().run(dt.range(3, 9, 2))
        array([3, 5, 7], dtype=int32)
    """
    first, last = (0, start) if limit is None else (start, limit)
    for one in (first, last, delta):
        if isinstance(one, complex):
            raise DTypeError(f"range: {one} is complex, and complex numbers have no order; use real numbers.")
    numbers = [_number(one) for one in (first, last, delta)]
    tensors = [one for one in numbers if isinstance(one, Tensor)]
    if dtype is not None:
        wanted = as_dtype(dtype)
    elif tensors:
        wanted = tensors[0].dtype
    else:
        wanted = _number_type((first, last, delta))
    if not wanted.is_numeric:
        raise DTypeError(f"range: the dtype is {wanted.name}; use an integer or floating type.")
    if not tensors and wanted.is_integer and any(isinstance(one, float) for one in numbers):
        raise DTypeError(f"range: {numbers} are not all integers; use dtype=dt.float32, or dt.cast.")
    if numbers[2] == 0:
        raise InvalidArgumentError("range: delta is 0; use another step.")
    step_known = isinstance(numbers[2], int | float)
    symbolic = any(isinstance(one, SymbolicDim) for one in numbers)
    result: Tensor
    if not tensors and step_known and not (symbolic and any(isinstance(one, float) for one in numbers)):
        result = Range(numbers[0], _count(*numbers), numbers[2], wanted)(name=name)
        return result
    from dovetail.ops.math import cast

    inputs = [
        one if isinstance(one, Tensor) and one.dtype is wanted else cast(as_tensor(one), wanted) for one in numbers
    ]
    result = DynamicRange(opaque_name("range"))(*inputs, name=name)
    return result


def _number(value: Any) -> Any:
    """Return an argument as a Python number or dimension, or as a tensor where only the run knows it."""
    if isinstance(value, bool | str | bytes) or value is None:
        raise DTypeError(f"range: {value!r} is no number.")
    if isinstance(value, int | float | SymbolicDim):
        return value
    if isinstance(value, np.generic | np.ndarray) and value.size == 1 and value.dtype.kind in "iuf":
        return value.item()
    tensor = as_tensor(value)
    if tensor.dtype.is_integer:
        dim = as_dim(tensor, "range")
        return tensor if dim is None else dim
    definition = tensor.op.definition
    return definition.value.array.item() if isinstance(definition, Constant) and tensor.shape.rank == 0 else tensor


def _number_type(given: Sequence[Any]) -> DType:
    """Return the element type of arguments that are all known: that of a tensor or array among them comes first."""
    for value in given:
        if isinstance(value, Tensor | np.generic | np.ndarray):
            return as_dtype(value.dtype)
    return float32 if any(isinstance(value, float) for value in given) else int32


def linspace(start: Any, stop: Any, num: Any, name: str | None = "LinSpace") -> Tensor:
    """Return ``num`` numbers in even steps from ``start`` to ``stop``, both included.

    Args:
        start: a floating scalar.
        stop: a floating scalar.
        num: how many numbers, at least 1.
        name: name of the node.

    Raises:
        InvalidArgumentError: ``num`` is less than 1.
        DTypeError: ``start`` is not floating.

    Example:
        >>> dt.Session().run(dt.linspace(0.0, 1.0, 5))
        array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    from dovetail.ops.math import add, cast, divide, maximum, multiply, subtract

    first = as_tensor(start)
    if not first.dtype.is_floating:
        raise DTypeError(f"linspace: start is {first.type}; use a floating number, such as 0.0.")
    last = as_tensor(stop, first.dtype)
    count = as_dim(num, "linspace: num")
    if isinstance(count, int) and count < 1:
        raise InvalidArgumentError(f"linspace: num is {count}; at least one number is needed.")
    steps = range(num if count is None else count, dtype=first.dtype)
    intervals = cast(as_tensor(num) if count is None else dims_to_tensor(dim_max(count - 1, 1)), first.dtype)
    if count is None:
        intervals = maximum(subtract(intervals, 1.0), 1.0)
    part = divide(steps, intervals)
    result: Tensor = add(multiply(first, subtract(1.0, part)), multiply(last, part), name=name)
    return result


lin_space = linspace


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: DTypeLike = float32,
    name: str | None = "eye",
) -> Tensor:
    """Return the identity matrix, or a batch of it.

    Args:
        num_rows: the number of rows: an int, a dimension or an integer scalar.
        num_columns: the number of columns; that of rows by default.
        batch_shape: leading sizes.
        dtype: the element type.
        name: name of the node.

    Example:
        >>> dt.Session().run(dt.eye(2, 3))
        array([[1., 0., 0.],
               [0., 1., 0.]], dtype=float32)
    """
    from dovetail.ops.math import cast, equal

    rows = range(num_rows, dtype=int32)
    columns = rows if num_columns is None else range(num_columns, dtype=int32)
    diagonal = equal(expand_dims(rows, 1), expand_dims(columns, 0))
    if batch_shape is None:
        square: Tensor = cast(diagonal, as_dtype(dtype), name=name)
        return square
    from dovetail.ops.joining import concat

    matrix: Tensor = cast(diagonal, as_dtype(dtype))
    sizes = sizes_of(batch_shape, "eye: batch_shape")
    if sizes is not None and None not in sizes:
        return broadcast_to(matrix, (*sizes, *matrix.shape.dims), name=name)
    return broadcast_to(matrix, concat([as_tensor(batch_shape), shape(matrix)], 0), name=name)
