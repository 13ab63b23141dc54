"""``embedding_column``, and ``shared_embedding_columns``."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail_train.feature_column.columns import CategoricalColumn, DenseColumn, Features

__all__ = ["EmbeddingColumn", "combined", "embedding_column", "shared_embedding_columns"]

_COMBINERS = ("mean", "sqrtn", "sum")


@final
class EmbeddingColumn(DenseColumn):
    """Categories by vectors that are learned."""

    def __init__(
        self,
        categorical_column: CategoricalColumn,
        dimension: int,
        combiner: str,
        initializer: Any,
        max_norm: float | None,
        trainable: bool,
        shared_name: str | None,
    ) -> None:
        """Remember what is given."""
        self.categorical_column = categorical_column
        self.dimension = dimension
        self.combiner = combiner
        self.initializer = initializer
        self.max_norm = max_norm
        self.trainable = trainable
        self.shared_name = shared_name

    @property
    def name(self) -> str:
        """That of the categories, and that they are embedded."""
        ending = "_embedding" if self.shared_name is None else "_shared_embedding"
        return f"{self.categorical_column.name}{ending}"

    @property
    def features(self) -> tuple[str, ...]:
        """Those of the categories."""
        return self.categorical_column.features

    @property
    def width(self) -> int:
        """The length of the vectors."""
        return self.dimension

    def dense(self, features: Features) -> Tensor:
        """Combine the vectors of each row."""
        ids = features.made(self.categorical_column, self.categorical_column.ids)
        return combined(self._table(), ids, self.combiner, self.max_norm)

    def _table(self) -> dt.Variable:
        """Return the vectors; those that columns share are found in a collection of the graph."""
        shared = dt.get_collection(self.shared_name) if self.shared_name is not None else []
        if shared:
            found: dt.Variable = shared[0]
            return found
        table = dt.get_variable(
            "embedding_weights",
            [self.categorical_column.num_buckets, self.dimension],
            initializer=self.initializer or dt.truncated_normal_initializer(stddev=1.0 / math.sqrt(self.dimension)),
            trainable=self.trainable,
        )
        if self.shared_name is not None:
            dt.add_to_collection(self.shared_name, table)
        return table


def combined(table: Any, ids: Tensor, combiner: str, max_norm: float | None = None) -> Tensor:
    """Return for each row one combination of the rows of a table that it names; zeros where it names none.

    Args:
        table: of shape ``[categories, width]``.
        ids: of shape ``[batch, items]``, -1 for nothing.
        combiner: ``"sum"``, ``"mean"``, or ``"sqrtn"``, the sum by the root of how many there are.
        max_norm: rows whose norm is greater are scaled to it.
    """
    zero = dt.constant(0, ids.dtype)
    there = dt.cast(dt.greater_equal(ids, zero), dt.float32)
    rows = dt.nn.embedding_lookup(table, dt.maximum(ids, zero), max_norm=max_norm)
    total = dt.reduce_sum(rows * dt.expand_dims(there, -1), axis=1)
    if combiner == "sum" or ids.shape.dims[1] == 1:
        return total
    count = dt.maximum(dt.reduce_sum(there, axis=1, keepdims=True), 1.0)
    return total / (count if combiner == "mean" else dt.sqrt(count))


def embedding_column(
    categorical_column: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: str | os.PathLike[str] | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
) -> EmbeddingColumn:
    """Return a column of vectors, one for each category, that are learned.

    Args:
        categorical_column: the categories.
        dimension: the length of the vectors.
        combiner: how the vectors of a row are combined: ``"mean"``, ``"sum"``, or ``"sqrtn"``, the sum by the root of
            how many there are.
        initializer: first values; normal ones of standard deviation ``1 / sqrt(dimension)``, truncated, by default.
        ckpt_to_load_from: a checkpoint, or a folder of them, that gives the first values.
        tensor_name_in_ckpt: what they are called there.
        max_norm: vectors whose norm is greater are scaled to it.
        trainable: whether they are learned.

    Raises:
        DTypeError: it is no categorical column.
        ShapeError: the checkpoint's tensor has another shape.
        InvalidArgumentError: the length is not positive, or there is no such way to combine.

    Example:
        >>> word = dt.feature_column.categorical_column_with_hash_bucket("word", 1000)
        >>> column = dt.feature_column.embedding_column(word, dimension=8)
        >>> dt.feature_column.input_layer({"word": ["one", "two"]}, [column]).shape
        Shape([2, 8])
    """
    _check("embedding_column", categorical_column, dimension, combiner)
    shape = (categorical_column.num_buckets, dimension)
    initializer = _first_values("embedding_column", initializer, ckpt_to_load_from, tensor_name_in_ckpt, shape)
    return EmbeddingColumn(categorical_column, dimension, combiner, initializer, max_norm, trainable, None)


def shared_embedding_columns(
    categorical_columns: Sequence[Any],
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    shared_embedding_collection_name: str | None = None,
    ckpt_to_load_from: str | os.PathLike[str] | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
) -> list[EmbeddingColumn]:
    """Return columns whose vectors are the same for the same category.

    Args:
        categorical_columns: with equally many categories.
        dimension: the length of the vectors.
        combiner: as for ``embedding_column``.
        initializer: as for ``embedding_column``.
        shared_embedding_collection_name: the graph's collection that holds the table; called after the columns by
            default.
        ckpt_to_load_from: a checkpoint, or a folder of them, that gives the first values.
        tensor_name_in_ckpt: what they are called there.
        max_norm: vectors whose norm is greater are scaled to it.
        trainable: whether they are learned.

    Raises:
        DTypeError: one is no categorical column.
        InvalidArgumentError: there are none, or the columns have not equally many categories.
    """
    who = "shared_embedding_columns"
    if not categorical_columns:
        raise InvalidArgumentError(f"{who}: categorical_columns is empty; give one at least.")
    for one in categorical_columns:
        _check(who, one, dimension, combiner)
        if one.num_buckets != categorical_columns[0].num_buckets:
            raise InvalidArgumentError(
                f"{who}: {categorical_columns[0].name!r} has {categorical_columns[0].num_buckets} categories, "
                f"{one.name!r} has {one.num_buckets}; they must have equally many."
            )
    shape = (categorical_columns[0].num_buckets, dimension)
    initializer = _first_values(who, initializer, ckpt_to_load_from, tensor_name_in_ckpt, shape)
    name = shared_embedding_collection_name or "_".join(sorted(one.name for one in categorical_columns))
    shared = name if shared_embedding_collection_name else f"{name}_shared_embedding"
    return [
        EmbeddingColumn(one, dimension, combiner, initializer, max_norm, trainable, shared)
        for one in categorical_columns
    ]


def _check(who: str, column: Any, dimension: int, combiner: str) -> None:
    if not isinstance(column, CategoricalColumn):
        raise DTypeError(f"{who}: {column!r} is no categorical column.")
    if dimension < 1:
        raise InvalidArgumentError(f"{who}: dimension is {dimension}; it must be positive.")
    if combiner not in _COMBINERS:
        raise InvalidArgumentError(f"{who}: combiner is {combiner!r}; use 'mean', 'sqrtn' or 'sum'.")


def _first_values(
    who: str, initializer: Any, checkpoint: str | os.PathLike[str] | None, name: str | None, shape: tuple[int, int]
) -> Any:
    """Return the initializer, or one of what a checkpoint holds.

    Raises:
        InvalidArgumentError: one of checkpoint and name is given alone.
        ShapeError: the checkpoint's tensor has another shape.
    """
    if checkpoint is None and name is None:
        return initializer
    if checkpoint is None or name is None:
        raise InvalidArgumentError(
            f"{who}: ckpt_to_load_from is {checkpoint!r}, tensor_name_in_ckpt {name!r}; give both or none."
        )
    values = dt.train.load_variable(checkpoint, name)
    if values.shape != shape:
        raise ShapeError(
            f'{who}: "{name}" of the checkpoint "{checkpoint}" has shape {list(values.shape)}, where {list(shape)} is '
            "wanted: categories by dimension."
        )
    return dt.constant_initializer(values)
