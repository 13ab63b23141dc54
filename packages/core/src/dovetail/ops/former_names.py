"""Names that TensorFlow 1 gave to what has another name now, and that its programs still use."""

from __future__ import annotations

from typing import Any

from dovetail.graph.operation import Tensor
from dovetail.ops.positions import argmax, argmin
from dovetail.ops.variables import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    variables_initializer,
)
from dovetail.types.dtypes import DTypeLike, int64

__all__ = [
    "all_variables",
    "arg_max",
    "arg_min",
    "initialize_all_variables",
    "initialize_local_variables",
    "initialize_variables",
]

all_variables = global_variables
initialize_all_variables = global_variables_initializer
initialize_local_variables = local_variables_initializer
initialize_variables = variables_initializer


def arg_max(input: Any, dimension: int, output_type: DTypeLike = int64, name: str | None = None) -> Tensor:
    """Return what ``argmax`` does; ``dimension`` is its axis.

    Example:
        >>> dt.Session().run(dt.arg_max([1.0, 7.0, 5.0], 0))
        np.int64(1)
    """
    return argmax(input, dimension, name=name, output_type=output_type)


def arg_min(input: Any, dimension: int, output_type: DTypeLike = int64, name: str | None = None) -> Tensor:
    """Return what ``argmin`` does; ``dimension`` is its axis.

    Example:
        >>> dt.Session().run(dt.arg_min([1.0, 7.0, 0.5], 0))
        np.int64(2)
    """
    return argmin(input, dimension, name=name, output_type=output_type)
