"""``crossed_column``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail_train.feature_column.categorical import HashedColumn
from dovetail_train.feature_column.columns import CategoricalColumn, Features
from dovetail_train.feature_column.identifiers import CrossedIds

__all__ = ["CrossedColumn", "crossed_column"]


@final
class CrossedColumn(CategoricalColumn):
    """Combinations of several features, by their hash."""

    def __init__(self, keys: tuple[str | CategoricalColumn, ...], hash_bucket_size: int, hash_key: int) -> None:
        """Remember what is given."""
        self.keys = keys
        self.hash_bucket_size = hash_bucket_size
        self.hash_key = hash_key

    @property
    def name(self) -> str:
        """Those of all, sorted and joined."""
        return "_X_".join(sorted(one if isinstance(one, str) else one.name for one in self.keys))

    @property
    def features(self) -> tuple[str, ...]:
        """Those of all."""
        return tuple(name for one in self.keys for name in ((one,) if isinstance(one, str) else one.features))

    @property
    def num_buckets(self) -> int:
        """As many as were given."""
        return self.hash_bucket_size

    def ids(self, features: Features) -> Tensor:
        """Hash the combinations.

        Raises:
            DTypeError: a feature is neither text nor integers.
        """
        tensors = []
        for one in self.keys:
            if isinstance(one, str):
                x = features.rows(one, "crossed_column")
                if not (x.dtype.is_string or x.dtype.is_integer):
                    raise DTypeError(
                        f"crossed_column: the feature {one!r} is {x.dtype.name}; give text or integers, or cross a "
                        "bucketized_column of it."
                    )
            else:
                x = features.made(one, one.ids)
            tensors.append(x if x.dtype.is_string else dt.cast(x, dt.int64))
        found: Tensor = CrossedIds(self.hash_bucket_size, self.hash_key)(*tensors)
        return found


def crossed_column(keys: Sequence[Any], hash_bucket_size: int, hash_key: int | None = None) -> CrossedColumn:
    """Return a column of the combinations of features, by a hash: a weight for each pair, say, of a linear model.

    The hash is that of ``categorical_column_with_hash_bucket``, of the items joined by ``_X_``; those of a column are
    the numbers of its categories.

    Args:
        keys: two features or more, or categorical columns, such as bucketized ones, but for those by a hash.
        hash_bucket_size: how many numbers there are.
        hash_key: gives another hash for each.

    Raises:
        InvalidArgumentError: there are fewer than two, or no numbers.
        DTypeError: one is neither a feature nor such a column.

    Example:
        >>> pair = dt.feature_column.crossed_column(["colour", "size"], hash_bucket_size=100)
        >>> model = dt.feature_column.linear_model({"colour": ["red", "blue"], "size": ["S", "L"]}, [pair])
        >>> model.shape
        Shape([2, 1])
    """
    if isinstance(keys, str) or len(keys) < 2:
        raise InvalidArgumentError(f"crossed_column: keys is {keys!r}; give two features or columns at least.")
    for one in keys:
        if isinstance(one, HashedColumn):
            raise DTypeError(
                f"crossed_column: {one.name!r} is hashed already; give the feature {one.name!r} itself, a string."
            )
        if not isinstance(one, str | CategoricalColumn):
            raise DTypeError(f"crossed_column: {one!r} is neither a feature's name nor a categorical column.")
    if hash_bucket_size < 2:
        raise InvalidArgumentError(f"crossed_column: hash_bucket_size is {hash_bucket_size}; it must be above 1.")
    return CrossedColumn(tuple(keys), hash_bucket_size, hash_key or 0)
