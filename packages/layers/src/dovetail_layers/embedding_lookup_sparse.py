"""Means and sums of the rows of a table, for rows of numbers of several lengths."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail_layers.embedding import embedding_lookup

__all__ = ["embedding_lookup_sparse"]


def embedding_lookup_sparse(
    params: Any,
    sp_ids: Any,
    sp_weights: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    combiner: str | None = None,
    max_norm: float | None = None,
) -> Tensor:
    """Return for each row of numbers one combination of the rows of a table that they name.

    Args:
        params: the table, of shape ``[rows, ...]``, or a list of parts of it.
        sp_ids: a ``SparseTensor`` of integers, of shape ``[batch, most]``, its elements row by row.
        sp_weights: a ``SparseTensor`` of the same places with the weights of the numbers; ``None`` for 1.
        partition_strategy: which rows parts hold, as for ``embedding_lookup``.
        name: scope of the nodes.
        combiner: ``"sum"``, the weighted sum, ``"mean"``, this divided by the sum of the weights, or ``"sqrtn"``, this
            divided by the root of the sum of their squares; ``"mean"`` by default.
        max_norm: rows of the table whose norm is greater are scaled to it.

    Returns:
        A tensor of shape ``[batch] + params.shape[1:]``, up to the last row that has a number; zero where a row has
        none. The gradient of a whole table is ``dt.IndexedSlices``.

    Raises:
        DTypeError: ids or weights are no ``SparseTensor``, or the ids are no integers.
        InvalidArgumentError: there is no such combiner or strategy; when it runs, an id is out of range.

    Example:
        >>> words = dt.SparseTensor([[0, 0], [0, 1], [1, 0]], [2, 0, 1], [2, 2])
        >>> dt.Session().run(dt.nn.embedding_lookup_sparse(dt.constant([[1.0], [2.0], [4.0]]), words, None))
        array([[2.5],
               [2. ]], dtype=float32)
    """
    operation = "embedding_lookup_sparse"
    chosen = combiner or "mean"
    if chosen not in ("sum", "mean", "sqrtn"):
        raise InvalidArgumentError(f"{operation}: combiner is {chosen!r}; use 'sum', 'mean' or 'sqrtn'.")
    ids = _sparse(operation, "sp_ids", sp_ids)
    with dt.name_scope(name or operation):
        rows = embedding_lookup(params, ids.values, partition_strategy, max_norm=max_norm)
        segments = ids.indices[:, 0]
        shape = [-1, *[1] * (len(rows.shape) - 1)]
        if sp_weights is None:
            weights = dt.ones(dt.shape(ids.values), rows.dtype)
        else:
            weights = dt.cast(_sparse(operation, "sp_weights", sp_weights).values, rows.dtype)
        factors = dt.reshape(weights, shape)
        total: Tensor = dt.segment_sum(rows * factors, segments)
        if chosen == "sum":
            return total
        squares = chosen == "sqrtn"
        divisor = dt.segment_sum(dt.square(factors) if squares else factors, segments)
        result: Tensor = dt.div_no_nan(total, dt.sqrt(divisor) if squares else divisor)
        return result


def _sparse(operation: str, name: str, value: Any) -> dt.SparseTensor:
    if not isinstance(value, (dt.SparseTensor, dt.SparseTensorValue)):
        raise DTypeError(f"{operation}: {name} is a {type(value).__name__}, where a SparseTensor is wanted.")
    return dt.SparseTensor.from_value(value)
