"""Changing dtypes: ``cast`` and its short forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Sample
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.arithmetic import maximum, minimum
from dovetail.ops.comparison import not_equal
from dovetail.ops.complex_numbers import complex, imag, real
from dovetail.ops.indexed_slices import IndexedSlices
from dovetail.ops.scalar import Convert, Expression, Input
from dovetail.ops.scalars import ScalarOp, fits
from dovetail.ops.sizes import Types, Values
from dovetail.types.dtypes import (
    DType,
    DTypeLike,
    as_dtype,
    bfloat16,
    bool_,
    complex64,
    complex128,
    float32,
    float64,
    int32,
    int64,
    uint8,
)

__all__ = [
    "cast",
    "saturate_cast",
    "to_bfloat16",
    "to_complex64",
    "to_complex128",
    "to_double",
    "to_float",
    "to_int32",
    "to_int64",
]


@register
@final
class Cast(ScalarOp):
    """The elements in another dtype: truncated toward zero from floating to integer, with NaN as 0."""

    label = "cast"
    dtype: DType

    @property
    def scalar_expression(self) -> Expression:
        """The conversion of an element."""
        return Convert(self.dtype, Input(0))

    def passes_through(self, types: Types) -> int | None:
        """Where the dtype is that already."""
        return 0 if types[0].dtype is self.dtype else None

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The same dimensions, in another integer dtype that holds them."""
        value = values[0]
        if value is None or not self.dtype.is_integer or self.dtype.size < 4:
            return None
        return value if fits(value, self.dtype) else None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Between floating dtypes, integers and truth values; what does not fit, scalars, empty."""
        yield Sample(cls(float64), rng.normal(size=(2, 3)))
        yield Sample(cls(float32), rng.normal(size=(2, 3)), wrt=())
        yield Sample(cls(float32), np.arange(3, dtype=np.int32))
        yield Sample(cls(int32), np.array([-1.9, -0.5, 0.5, 1.9, 3e9, -3e9, np.inf, np.nan]))
        yield Sample(cls(uint8), np.array([0, 1, 255, 256, -1]))
        yield Sample(cls(bool_), np.array([0.0, -0.0, 0.5, np.nan]))
        yield Sample(cls(int64), np.array([True, False]))
        yield Sample(cls(bfloat16), np.float64(1.2345), wrt=())
        yield Sample(cls(int32), np.zeros((0, 3)))


def cast(x: Any, dtype: DTypeLike, name: str | None = None) -> Any:
    """Return the elements in another dtype; the gradient is cast back.

    Floating to integer truncates toward zero; numbers beyond the range give its ends, and NaN gives 0. Integers wrap.
    Bool is 0 and 1, and from a number whether it differs from 0. Of complex numbers a real dtype takes the real part.

    Args:
        x: a tensor, a value, or ``IndexedSlices``.
        dtype: the dtype wanted; where ``x`` has it already, ``x`` itself comes back.
        name: name of the node.

    Raises:
        DTypeError: one of the dtypes is string.

    Example:
        >>> dt.Session().run(dt.cast([1.8, -2.2], dt.int32))
        array([ 1, -2], dtype=int32)
    """
    wanted = as_dtype(dtype)
    if isinstance(x, IndexedSlices):
        return IndexedSlices(cast(x.values, wanted, name), x.indices, x.dense_shape)
    tensor = as_tensor(x)
    if tensor.dtype is wanted:
        return tensor
    if tensor.dtype.is_string or wanted.is_string:
        raise DTypeError(
            f'cast: "{tensor.name}" is {tensor.type}, which does not become {wanted.name}; strings are not numbers. '
            f"{tensor.op.where()}"
        )
    if tensor.dtype.is_complex or wanted.is_complex:
        return _cast_complex(tensor, wanted, name)
    return Cast(wanted)(tensor, name=name)


def _cast_complex(x: Tensor, wanted: DType, name: str | None) -> Tensor:
    """Cast the parts, of which a real number has one."""
    if wanted.is_bool:
        result: Tensor = not_equal(x, 0.0, name=name)
        return result
    with get_default_graph().name_scope(name or "Cast"):
        part = cast(real(x) if x.dtype.is_complex else x, wanted.real_dtype)
        if not wanted.is_complex:
            return part  # type: ignore[no-any-return] # no slices are given
        return complex(part, cast(imag(x), wanted.real_dtype) if x.dtype.is_complex else 0.0)


def saturate_cast(value: Any, dtype: DTypeLike, name: str | None = None) -> Tensor:
    """Return the elements in another dtype; those beyond its range become its nearest number.

    Args:
        value: a tensor of numbers.
        dtype: the dtype wanted.
        name: name of the node.

    Raises:
        DTypeError: one of the dtypes holds no numbers.

    Example:
        >>> dt.Session().run(dt.saturate_cast([300, -5], dt.uint8))
        array([255,   0], dtype=uint8)
    """
    wanted, tensor = as_dtype(dtype), as_tensor(value)
    if not wanted.is_numeric or not tensor.dtype.is_numeric:
        raise DTypeError(
            f'saturate_cast: "{tensor.name}" is {tensor.type}, and {wanted.name} is wanted; both must be numeric. '
            f"{tensor.op.where()}"
        )
    source = tensor.dtype
    if not (source.is_floating and wanted.is_integer):  # a conversion that keeps to the range by itself
        if source.min < wanted.min:
            tensor = maximum(tensor, _bound(wanted.min, source))
        if source.max > wanted.max:
            tensor = minimum(tensor, _bound(wanted.max, source))
    result: Tensor = cast(tensor, wanted, name=name)
    return result


def _bound(limit: int | float, dtype: DType) -> Any:
    return int(limit) if dtype.is_integer else float(limit)


def to_float(x: Any, name: str = "ToFloat") -> Tensor:
    """Return the elements as float32, as ``cast`` does.

    Example:
        >>> dt.to_float([1, 2]).dtype
        dovetail.float32
    """
    result: Tensor = cast(x, float32, name=name)
    return result


def to_double(x: Any, name: str = "ToDouble") -> Tensor:
    """Return the elements as float64, as ``cast`` does.

    Example:
        >>> dt.to_double([1.0]).dtype
        dovetail.float64
    """
    result: Tensor = cast(x, float64, name=name)
    return result


def to_bfloat16(x: Any, name: str = "ToBFloat16") -> Tensor:
    """Return the elements as bfloat16, as ``cast`` does.

    Example:
        >>> dt.to_bfloat16([1.0]).dtype
        dovetail.bfloat16
    """
    result: Tensor = cast(x, bfloat16, name=name)
    return result


def to_complex64(x: Any, name: str = "ToComplex64") -> Tensor:
    """Return the elements as complex64, as ``cast`` does.

    Example:
        >>> dt.to_complex64([1.0]).dtype
        dovetail.complex64
    """
    result: Tensor = cast(x, complex64, name=name)
    return result


def to_complex128(x: Any, name: str = "ToComplex128") -> Tensor:
    """Return the elements as complex128, as ``cast`` does.

    Example:
        >>> dt.to_complex128([1.0]).dtype
        dovetail.complex128
    """
    result: Tensor = cast(x, complex128, name=name)
    return result


def to_int32(x: Any, name: str = "ToInt32") -> Tensor:
    """Return the elements as int32, as ``cast`` does.

    Example:
        >>> dt.Session().run(dt.to_int32([1.8, -1.8]))
        array([ 1, -1], dtype=int32)
    """
    result: Tensor = cast(x, int32, name=name)
    return result


def to_int64(x: Any, name: str = "ToInt64") -> Tensor:
    """Return the elements as int64, as ``cast`` does.

    Example:
        >>> dt.to_int64([1.8]).dtype
        dovetail.int64
    """
    result: Tensor = cast(x, int64, name=name)
    return result
