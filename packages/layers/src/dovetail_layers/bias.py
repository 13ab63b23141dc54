"""Biases: a number for each channel."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError

__all__ = ["bias_add"]

_LAST = ("NHWC", "NWC", "NDHWC", "channels_last")
_FIRST = ("NCHW", "NCW", "NCDHW", "channels_first")


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    """Add a vector to the channels.

    Args:
        value: numbers of rank 2 or more; the channels are the last axis, or the second for ``"NCHW"``.
        bias: a vector of one number for each channel, of the same dtype.
        data_format: ``"NHWC"`` or ``"NCHW"``.
        name: name of the node.

    Raises:
        ShapeError: the bias is no vector, or there are not as many channels.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.Session().run(dt.nn.bias_add([[1.0, 2.0]], [10.0, 20.0]))
        array([[11., 22.]], dtype=float32)
    """
    x = dt.convert_to_tensor(value)
    vector = (
        dt.convert_to_tensor(bias) if isinstance(bias, Tensor | dt.Variable) else dt.convert_to_tensor(bias, x.dtype)
    )
    if data_format is not None and data_format not in _LAST + _FIRST:
        raise InvalidArgumentError(f"bias_add: data_format is {data_format!r}; use 'NHWC' or 'NCHW'.")
    first = data_format in _FIRST
    if vector.shape.rank not in (1, None):
        raise ShapeError(f"bias_add: the bias is {vector.type}; give a vector. {vector.op.where()}")
    if x.shape.rank is not None:
        if x.shape.rank < 2:
            raise ShapeError(f"bias_add: the value is {x.type}; rank 2 or more is expected. {x.op.where()}")
        channels = x.shape[1 if first else -1]
        if vector.shape.rank == 1 and isinstance(channels, int) and vector.shape[0] != channels:
            raise ShapeError(
                f"bias_add: the value is {x.type}, with {channels} channels, the bias {vector.type}; give one number "
                f"for each channel. {x.op.where()}"
            )
        if first:
            vector = dt.reshape(vector, [-1, *[1] * (x.shape.rank - 2)])
    result: Tensor = dt.add(x, vector, name=name or "BiasAdd")
    return result
