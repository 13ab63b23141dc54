"""``input_layer``."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail_train.feature_column.columns import DenseColumn, Features, as_columns

__all__ = ["input_layer"]


def input_layer(
    features: Any,
    feature_columns: Any,
    weight_collections: Sequence[str] | None = None,
    trainable: bool = True,
    cols_to_vars: MutableMapping[Any, Any] | None = None,
    cols_to_output_tensors: MutableMapping[Any, Any] | None = None,
) -> Tensor:
    """Return what the columns make of features, side by side in the order of their names: the input of a network.

    Args:
        features: tensors or arrays by name.
        feature_columns: dense columns: numeric, bucketized, indicator, embedding.
        weight_collections: collections of the graph that variables join as well.
        trainable: whether variables are learned.
        cols_to_vars: is filled with the variables of each column.
        cols_to_output_tensors: is filled with what each column makes.

    Returns:
        A tensor of shape ``[batch, sum of the columns' widths]``.

    Raises:
        DTypeError: a column is categorical, or something is no column.
        NotFoundError: a feature is missing.

    Example:
        >>> numeric = dt.feature_column.numeric_column
        >>> columns = [numeric("b", shape=2), numeric("a")]
        >>> dt.Session().run(dt.feature_column.input_layer({"a": [1.0], "b": [[2.0, 3.0]]}, columns))
        array([[1., 2., 3.]], dtype=float32)
    """
    advice = "wrap it in indicator_column or embedding_column."
    columns = as_columns(feature_columns, (DenseColumn,), "input_layer", advice)
    found = Features(features)
    parts = []
    with dt.variable_scope(None, "input_layer"):
        for column in columns:
            with dt.variable_scope(scope_name(column.name)):
                before = len(dt.global_variables())
                part = found.made(column, column.dense)
                made = dt.global_variables()[before:]
            finish(made, weight_collections, trainable)
            if cols_to_vars is not None:
                cols_to_vars[column] = made
            if cols_to_output_tensors is not None:
                cols_to_output_tensors[column] = part
            parts.append(part if part.dtype is dt.float32 else dt.cast(part, dt.float32))
        return dt.concat(parts, 1)


def finish(variables: Sequence[dt.Variable], collections: Sequence[str] | None, trainable: bool) -> None:
    """Let variables join collections, and leave that of the trainable ones where that is wanted."""
    graph = dt.get_default_graph()
    for variable in variables:
        for key in collections or ():
            if variable not in dt.get_collection(key):
                dt.add_to_collection(key, variable)
        learned = graph.get_collection_ref(dt.GraphKeys.TRAINABLE_VARIABLES)
        if not trainable and variable in learned:
            learned.remove(variable)


def scope_name(name: str) -> str:
    """Return a column's name as one of a scope: letters, digits and ``_.-``."""
    return (
        "".join(one if one.isascii() and (one.isalnum() or one in "_.-") else "_" for one in name).lstrip("_-") or "_"
    )
