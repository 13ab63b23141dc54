"""``linear_model``."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail_train.feature_column.columns import CategoricalColumn, DenseColumn, Features, as_columns
from dovetail_train.feature_column.embedding import EmbeddingColumn, combined
from dovetail_train.feature_column.input_layer import finish, scope_name

__all__ = ["linear_model"]


def linear_model(
    features: Any,
    feature_columns: Any,
    units: int = 1,
    sparse_combiner: str = "sum",
    weight_collections: Sequence[str] | None = None,
    trainable: bool = True,
    cols_to_vars: MutableMapping[Any, Any] | None = None,
) -> Tensor:
    """Return a weighted sum of what the columns make of features, and a bias.

    A categorical column has a weight for each category. Weights and bias begin with zero.

    Args:
        features: tensors or arrays by name.
        feature_columns: columns, dense or categorical; not embedded ones.
        units: how many sums there are.
        sparse_combiner: how the weights of a row with several categories are combined: ``"sum"``, ``"mean"`` or
            ``"sqrtn"``.
        weight_collections: collections of the graph that variables join as well.
        trainable: whether variables are learned.
        cols_to_vars: is filled with the variables of each column, and with the bias under ``"bias"``.

    Returns:
        A tensor of shape ``[batch, units]``.

    Raises:
        DTypeError: a column is embedded, or something is no column.
        NotFoundError: a feature is missing.
        InvalidArgumentError: there is no sum, or no such way to combine.

    Example:
        >>> columns = [dt.feature_column.numeric_column("a"), dt.feature_column.numeric_column("b")]
        >>> dt.feature_column.linear_model({"a": [1.0, 2.0], "b": [3.0, 4.0]}, columns).shape
        Shape([2, 1])
        >>> [variable.op.name for variable in dt.trainable_variables()]
        ['linear_model/a/weights', 'linear_model/b/weights', 'linear_model/bias_weights']
    """
    if units < 1:
        raise InvalidArgumentError(f"linear_model: units is {units}; it must be positive.")
    if sparse_combiner not in ("sum", "mean", "sqrtn"):
        raise InvalidArgumentError(
            f"linear_model: sparse_combiner is {sparse_combiner!r}; use 'sum', 'mean' or 'sqrtn'."
        )
    kinds = (DenseColumn, CategoricalColumn)
    columns = as_columns(feature_columns, kinds, "linear_model", "give a dense or categorical column.")
    for column in columns:
        if isinstance(column, EmbeddingColumn):
            as_columns(column, (CategoricalColumn,), "linear_model", "give the categorical column itself.")
    found = Features(features)
    with dt.variable_scope(None, "linear_model"):
        parts = []
        for column in columns:
            with dt.variable_scope(scope_name(column.name)):
                before = len(dt.global_variables())
                parts.append(_weighted(column, found, units, sparse_combiner))
                made = dt.global_variables()[before:]
            finish(made, weight_collections, trainable)
            if cols_to_vars is not None:
                cols_to_vars[column] = made
        bias = dt.get_variable("bias_weights", [units], initializer=dt.zeros_initializer())
        finish([bias], weight_collections, trainable)
        if cols_to_vars is not None:
            cols_to_vars["bias"] = [bias]
        return dt.nn.bias_add(dt.add_n(parts), bias)


def _weighted(column: Any, features: Features, units: int, combiner: str) -> Tensor:
    if isinstance(column, CategoricalColumn):
        weights = dt.get_variable("weights", [column.num_buckets, units], initializer=dt.zeros_initializer())
        return combined(weights, features.made(column, column.ids), combiner)
    x = dt.cast(features.made(column, column.dense), dt.float32)
    weights = dt.get_variable("weights", [column.width, units], initializer=dt.zeros_initializer())
    return dt.matmul(x, weights)
