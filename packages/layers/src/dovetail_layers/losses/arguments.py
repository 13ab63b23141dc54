"""Arguments that losses share."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, ShapeError

__all__ = ["floating_of_one_shape", "without_last_axis_of_one"]


def floating_of_one_shape(
    operation: str, labels: Any, predictions: Any, name: str = "predictions"
) -> tuple[Tensor, Tensor]:
    """Return labels and predictions, both of the dtype of the predictions.

    Half types, integers and truth values become float32, as in TensorFlow.

    Args:
        operation: the loss, for errors.
        labels: what is true.
        predictions: what is predicted.
        name: what the predictions are called.

    Raises:
        DTypeError: the predictions are no numbers.
        ShapeError: the shapes differ.
    """
    found = dt.convert_to_tensor(predictions)
    if found.dtype.is_half or found.dtype.is_integer or found.dtype.is_bool:
        found = dt.cast(found, dt.float32)
    if not found.dtype.is_floating:
        raise DTypeError(f"{operation}: {name} are {found.type}, where a floating type is wanted. {found.op.where()}")
    wanted = dt.cast(labels, found.dtype)
    if not wanted.shape.is_compatible_with(found.shape):
        raise ShapeError(
            f"{operation}: labels are {wanted.type}, {name} {found.type}; their shapes must be equal, for "
            f"broadcasting would compare each with each. Use dt.reshape or dt.expand_dims. {found.op.where()}"
        )
    return wanted, found


def without_last_axis_of_one(tensor: Tensor, rank: int | None) -> Tensor:
    """Return ``tensor`` without its last axis, where its rank is one more than ``rank`` and that axis has size 1."""
    if rank is None or tensor.shape.rank != rank + 1 or tensor.shape[-1] != 1:
        return tensor
    result: Tensor = dt.squeeze(tensor, [-1])
    return result
