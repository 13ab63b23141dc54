"""Sizes of tensors, as tensors: ``shape``, ``size``, ``rank``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.constants import Dims, dims_to_tensor
from dovetail.ops.sizes import Resolved, Types, Values, object_array
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, int32
from dovetail.types.shapes import Shape, TensorType

__all__ = ["RankOf", "ShapeOf", "SizeOf", "rank", "shape", "shape_n", "size"]


@primitive
@final
class ShapeOf(Op):
    """The sizes of a tensor, as a vector; made where they are not known while the graph is built."""

    name = "Shape"
    differentiable = False
    dtype: DType = int32

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The integer type asked for."""
        return (self.dtype,)

    def infer(self, x: TensorType) -> Signature:
        """A vector as long as the rank."""
        return TensorType(self.dtype, Shape((len(x.dims),)))

    def reference(self, x: Array) -> Array:
        """The array's shape."""
        return np.asarray(x.shape, self.dtype.numpy)

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The dimensions, where the rank is known."""
        return None if types[0].rank is None else _dims_value(types[0].dims)

    def resolve(self, types: Types, values: Values) -> Resolved:
        """The dimensions, unless they are opaque and the input has to run first."""
        if types[0].rank is None or _has_opaque(types[0].shape):
            return None
        return Dims(types[0].dims, self.dtype), ()

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """A matrix, a scalar, an empty tensor."""
        yield Sample(cls(), rng.normal(size=(2, 3)))
        yield Sample(cls(as_dtype("int64")), np.float64(2.0))
        yield Sample(cls(), np.zeros((0, 4), np.int32))


@primitive
@final
class SizeOf(Op):
    """The number of elements of a tensor; made where it is not known while the graph is built."""

    name = "Size"
    differentiable = False
    dtype: DType = int32

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The integer type asked for."""
        return (self.dtype,)

    def infer(self, x: TensorType) -> Signature:
        """A scalar."""
        return TensorType(self.dtype, Shape(()))

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """A scalar, whatever the rank."""
        return (TensorType(self.dtype, Shape(())),)

    def reference(self, x: Array) -> Array:
        """The array's size."""
        return np.asarray(x.size, self.dtype.numpy)

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The product of the dimensions, where the rank is known."""
        return None if types[0].rank is None else _dims_value(types[0].size)

    def resolve(self, types: Types, values: Values) -> Resolved:
        """The product of the dimensions, unless one is opaque and the input has to run first."""
        if types[0].rank is None or _has_opaque(types[0].shape):
            return None
        return Dims(types[0].size, self.dtype), ()

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """A matrix, a scalar, an empty tensor."""
        yield Sample(cls(), rng.normal(size=(2, 3)))
        yield Sample(cls(as_dtype("int64")), np.float64(2.0))
        yield Sample(cls(), np.zeros((0, 4), np.int32))


@primitive
@final
class RankOf(Op):
    """The number of axes of a tensor; made where it is not known while the graph is built."""

    name = "Rank"
    differentiable = False

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Always int32."""
        return (int32,)

    def infer(self, x: TensorType) -> Signature:
        """A scalar."""
        return TensorType(int32, Shape(()))

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """A scalar, whatever the rank."""
        return (TensorType(int32, Shape(())),)

    def reference(self, x: Array) -> Array:
        """The array's rank."""
        return np.asarray(x.ndim, np.int32)

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The rank, where it is known."""
        return None if types[0].rank is None else _dims_value(types[0].rank)

    def resolve(self, types: Types, values: Values) -> Resolved:
        """The rank, as soon as it is known."""
        return None if types[0].rank is None else (Dims(types[0].rank), ())

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """A matrix and a scalar."""
        yield Sample(cls(), rng.normal(size=(2, 3)))
        yield Sample(cls(), np.float64(2.0))


def _dims_value(dims: Dim | tuple[Dim, ...]) -> Array:
    return object_array(dims, (len(dims),)) if isinstance(dims, tuple) else object_array([dims], ())


def _has_opaque(shape: Shape) -> bool:
    return any(symbol.data_dependent for symbol in shape.symbols)


def shape(input: Any, name: str | None = None, out_type: DTypeLike = int32) -> Tensor:
    """Return the sizes of a tensor as a vector of integers.

    Slices, stacks and arithmetic of it are known as dimensions, so that ``reshape(x, [shape(x)[0], -1])`` gives a known
    shape also where the batch size is symbolic.

    Args:
        input: the tensor.
        name: name of the node.
        out_type: int32 or int64.

    Raises:
        DTypeError: ``out_type`` is no integer type.

    Example:
        >>> dt.shape(dt.zeros([2, 3])).symbolic_value
        array([2, 3], dtype=object)
    """
    x, dtype = as_tensor(input), _integer_type("shape", out_type)
    if x.shape.rank is None or _has_opaque(x.shape):
        result: Tensor = ShapeOf(dtype)(x, name=name)
        return result
    return dims_to_tensor(x.shape.dims, dtype, name=name or "Shape")


def shape_n(input: Sequence[Any], name: str | None = None, out_type: DTypeLike = int32) -> list[Tensor]:
    """Return the shape of each of several tensors; see ``shape``."""
    return [shape(one, name, out_type) for one in input]


def size(input: Any, name: str | None = None, out_type: DTypeLike = int32) -> Tensor:
    """Return the number of elements of a tensor, as a scalar.

    Args:
        input: the tensor.
        name: name of the node.
        out_type: int32 or int64.

    Raises:
        DTypeError: ``out_type`` is no integer type.

    Example:
        >>> dt.Session().run(dt.size(dt.zeros([2, 3])))
        np.int32(6)
    """
    x, dtype = as_tensor(input), _integer_type("size", out_type)
    if x.shape.rank is None or _has_opaque(x.shape):
        result: Tensor = SizeOf(dtype)(x, name=name)
        return result
    return dims_to_tensor(x.shape.size, dtype, name=name or "Size")


def rank(input: Any, name: str | None = None) -> Tensor:
    """Return the number of axes of a tensor, as an int32 scalar.

    Example:
        >>> dt.Session().run(dt.rank(dt.zeros([2, 3])))
        np.int32(2)
    """
    x = as_tensor(input)
    if x.shape.rank is None:
        result: Tensor = RankOf()(x, name=name)
        return result
    return dims_to_tensor(x.shape.rank, int32, name=name or "Rank")


def _integer_type(operation: str, dtype: DTypeLike) -> DType:
    wanted = as_dtype(dtype)
    if not wanted.is_integer:
        raise DTypeError(f"{operation}: out_type is {wanted.name}; use int32 or int64.")
    return wanted
