"""``bucketized_column``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail_train.feature_column.columns import CategoricalColumn, DenseColumn, Features
from dovetail_train.feature_column.numeric import NumericColumn

__all__ = ["BucketizedColumn", "bucketized_column"]


@final
class BucketizedColumn(DenseColumn, CategoricalColumn):
    """Numbers by the ranges that they fall into: ones and zeros to a network, categories to a linear model."""

    def __init__(self, source_column: NumericColumn, boundaries: tuple[float, ...]) -> None:
        """Remember what is given."""
        self.source_column = source_column
        self.boundaries = boundaries

    @property
    def name(self) -> str:
        """That of the numbers, and that they are in buckets."""
        return f"{self.source_column.name}_bucketized"

    @property
    def features(self) -> tuple[str, ...]:
        """Those of the numbers."""
        return self.source_column.features

    @property
    def num_buckets(self) -> int:
        """The ranges of each number in a row."""
        return (len(self.boundaries) + 1) * self.source_column.width

    @property
    def width(self) -> int:
        """A number for each category."""
        return self.num_buckets

    def _buckets(self, features: Features) -> Tensor:
        """Return the range of each number, of shape ``[batch, numbers]``."""
        x = features.made(self.source_column, self.source_column.dense)
        flat = dt.reshape(x, [1, -1])
        boundaries = dt.constant(np.array([self.boundaries], x.dtype.numpy))
        places = dt.searchsorted(boundaries, flat, side="right", out_type=dt.int64)
        return dt.reshape(places, [-1, self.source_column.width])

    def ids(self, features: Features) -> Tensor:
        """Return the ranges, counted on from one number in a row to the next."""
        first = np.arange(self.source_column.width) * (len(self.boundaries) + 1)
        return self._buckets(features) + dt.constant(first.astype(np.int64))

    def dense(self, features: Features) -> Tensor:
        """Return a one for the range of each number."""
        shown = dt.one_hot(self._buckets(features), len(self.boundaries) + 1)
        return dt.reshape(shown, [-1, self.width])


def bucketized_column(source_column: Any, boundaries: Sequence[float]) -> BucketizedColumn:
    """Return a column of the ranges that numbers fall into.

    Args:
        source_column: the numbers, a ``numeric_column`` with one axis.
        boundaries: where ranges end, ascending: ``[0, 10]`` makes the ranges below 0, from 0 below 10, and from 10.

    Raises:
        DTypeError: the source is no numeric column.
        InvalidArgumentError: it has several axes, or the boundaries do not ascend.

    Example:
        >>> age = dt.feature_column.bucketized_column(dt.feature_column.numeric_column("age"), [18, 65])
        >>> dt.Session().run(dt.feature_column.input_layer({"age": [7, 18, 80]}, [age]))
        array([[1., 0., 0.],
               [0., 1., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    if not isinstance(source_column, NumericColumn):
        raise DTypeError(f"bucketized_column: the source is {source_column!r}; give a numeric_column.")
    if len(source_column.shape) > 1:
        raise InvalidArgumentError(
            f"bucketized_column: the source has shape {list(source_column.shape)}; give one of a single axis."
        )
    ends = tuple(float(one) for one in boundaries)
    if not ends or any(one >= other for one, other in pairwise(ends)):
        raise InvalidArgumentError(f"bucketized_column: boundaries is {list(boundaries)}; give numbers that ascend.")
    return BucketizedColumn(source_column, ends)
