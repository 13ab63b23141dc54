"""Tensors filled by rule: ``zeros``, ``ones``, ``fill`` and their likes, ``range``, ``linspace``, ``eye``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.constants import constant, dims_to_tensor
from dovetail.ops.shapes import broadcast_to, expand_dims, reshape, shape
from dovetail.ops.sizes import as_dim, known_elements, opaque_dim, opaque_name, sizes_of
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
