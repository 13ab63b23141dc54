"""``indicator_column``."""

from __future__ import annotations

from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError
from dovetail_train.feature_column.columns import CategoricalColumn, DenseColumn, Features

__all__ = ["IndicatorColumn", "indicator_column"]


@final
class IndicatorColumn(DenseColumn):
    """Categories by ones and zeros."""

    def __init__(self, categorical_column: CategoricalColumn) -> None:
        """Remember what is given."""
        self.categorical_column = categorical_column

    @property
    def name(self) -> str:
        """That of the categories, and that they are indicated."""
        return f"{self.categorical_column.name}_indicator"

    @property
    def features(self) -> tuple[str, ...]:
        """Those of the categories."""
        return self.categorical_column.features

    @property
    def width(self) -> int:
        """A number for each category."""
        return self.categorical_column.num_buckets

    def dense(self, features: Features) -> Tensor:
        """Count the categories of each row."""
        ids = features.made(self.categorical_column, self.categorical_column.ids)
        return dt.reduce_sum(dt.one_hot(ids, self.width), axis=1)


def indicator_column(categorical_column: Any) -> IndicatorColumn:
    """Return a column that shows categories by ones and zeros, or how often each is there.

    Args:
        categorical_column: the categories.

    Raises:
        DTypeError: it is no categorical column.

    Example:
        >>> word = dt.feature_column.categorical_column_with_vocabulary_list("words", ["a", "b", "c"])
        >>> shown = dt.feature_column.indicator_column(word)
        >>> dt.Session().run(dt.feature_column.input_layer({"words": [["a", "a"], ["c", ""]]}, [shown]))
        array([[2., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    if not isinstance(categorical_column, CategoricalColumn):
        raise DTypeError(f"indicator_column: {categorical_column!r} is no categorical column.")
    return IndicatorColumn(categorical_column)
