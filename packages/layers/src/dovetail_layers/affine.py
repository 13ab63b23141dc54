"""Products with weights and what is added: the mathematics of dense layers as functions."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_layers.bias import bias_add

__all__ = ["relu_layer", "xw_plus_b"]


def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """Return ``matmul(x, weights) + biases``.

    Args:
        x: a matrix, of shape ``[batch, inputs]``.
        weights: a matrix of the same dtype, of shape ``[inputs, units]``.
        biases: a vector of one number for each unit.
        name: scope of the nodes.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.Session().run(dt.nn.xw_plus_b([[1.0, 2.0]], [[1.0], [10.0]], [0.5]))
        array([[21.5]], dtype=float32)
    """
    with dt.name_scope(name or "xw_plus_b"):
        return bias_add(dt.matmul(x, weights), biases)


def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """Return ``relu(matmul(x, weights) + biases)``; the arguments are those of `xw_plus_b`.

    Example:
        >>> dt.Session().run(dt.nn.relu_layer([[1.0, 2.0]], [[1.0, -1.0], [10.0, 0.0]], [0.5, 0.0]))
        array([[21.5,  0. ]], dtype=float32)
    """
    with dt.name_scope(name or "relu_layer"):
        return dt.relu(xw_plus_b(x, weights, biases))
