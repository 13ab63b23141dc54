"""``bitcast``: the bytes of a tensor, read as another dtype."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float64, int64, uint8
from dovetail.types.shapes import Shape, TensorType, demand

__all__ = ["Bitcast", "bitcast"]


@primitive
@final
class Bitcast(Op):
    """The bytes of the elements as elements of another dtype, the lowest byte first; a last axis makes up for sizes."""

    differentiable = False
    gradient_without_ranks = True
    dtype: DType

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The dtype asked for."""
        for one in (dtypes[0], self.dtype):
            if not one.is_number:
                raise DTypeError(f"bitcast: {dtypes[0].name} as {self.dtype.name}: only numbers are read as others.")
        return (self.dtype,)

    def infer(self, x: TensorType) -> Signature:
        """One axis more where elements get smaller, one less where they get larger."""
        self.dtypes(x.dtype)
        have, want = x.dtype.size, self.dtype.size
        if have == want:
            return TensorType(self.dtype, x.shape)
        if have > want:
            return TensorType(self.dtype, Shape((*x.dims, have // want)))
        message = f"bitcast: the input is {x}; {want // have} elements along a last axis make one {self.dtype.name}."
        if not x.dims:
            raise ShapeError(message)
        demand("equal", x.dims[-1], want // have, message)
        return TensorType(self.dtype, Shape(x.dims[:-1]))

    def reference(self, x: Array) -> Array:
        """NumPy's view of a copy."""
        have, want = x.dtype.itemsize, self.dtype.size
        shape = x.shape if have == want else (*x.shape, have // want) if have > want else x.shape[:-1]
        little = np.ascontiguousarray(x).astype(x.dtype.newbyteorder("<"), copy=True)
        read = np.frombuffer(little.tobytes(), self.dtype.numpy.newbyteorder("<"))
        return read.astype(self.dtype.numpy).reshape(shape)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """To equal, smaller and larger elements; scalars, empty."""
        yield Sample(cls(uint8), rng.normal(size=(2, 3)))
        yield Sample(cls(float64), np.arange(3, dtype=np.int64))
        yield Sample(cls(uint8), np.array([1, -1], np.int32))
        yield Sample(cls(int64), rng.integers(0, 256, (2, 8)).astype(np.uint8))
        yield Sample(cls(uint8), np.int16(258))
        yield Sample(cls(int64), np.zeros((0, 8), np.uint8))


def bitcast(input: Any, type: DTypeLike, name: str | None = None) -> Tensor:
    """Return the bytes of a tensor, read as elements of another dtype, the lowest byte first.

    Args:
        input: a tensor of numbers.
        type: the dtype. If its elements are smaller, a last axis holds those that one became; if larger, the last axis
            must hold those that become one.
        name: name of the node.

    Raises:
        DTypeError: one of the dtypes is bool or string.
        ShapeError: the last axis does not fit.

    Example:
        >>> dt.Session().run(dt.bitcast([1.0, -2.0], dt.uint32))
        array([1065353216, 3221225472], dtype=uint32)
        >>> dt.bitcast(dt.zeros([5], dt.float64), dt.uint8).shape
        Shape([5, 8])
    """
    result: Tensor = Bitcast(as_dtype(type))(as_tensor(input), name=name or "Bitcast")
    return result
