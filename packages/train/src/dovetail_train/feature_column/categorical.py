"""Categorical columns: by a vocabulary, a hash, or as they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, FormatError, InvalidArgumentError, NotFoundError
from dovetail.extend import ArrayAttribute, DType
from dovetail_train.feature_column.columns import CategoricalColumn, Features, checked_key
from dovetail_train.feature_column.identifiers import CheckedIds, HashIds, VocabularyIds

__all__ = [
    "HashedColumn",
    "IdentityColumn",
    "VocabularyColumn",
    "categorical_column_with_hash_bucket",
    "categorical_column_with_identity",
    "categorical_column_with_vocabulary_file",
    "categorical_column_with_vocabulary_list",
]


class _OfOneFeature(CategoricalColumn):
    """What columns of one feature have in common."""

    key: str

    @property
    def name(self) -> str:
        """That of the feature."""
        return self.key

    @property
    def features(self) -> tuple[str, ...]:
        """The one feature."""
        return (self.key,)


@final
class VocabularyColumn(_OfOneFeature):
    """Categories by their place in a vocabulary."""

    def __init__(self, key: str, vocabulary: ArrayAttribute, default_value: int, num_oov_buckets: int) -> None:
        """Remember what is given."""
        self.key = key
        self.vocabulary = vocabulary
        self.default_value = default_value
        self.num_oov_buckets = num_oov_buckets

    @property
    def num_buckets(self) -> int:
        """The vocabulary's size, and the numbers for other items."""
        return self.vocabulary.shape[0] + self.num_oov_buckets

    def ids(self, features: Features) -> Tensor:
        """Look them up.

        Raises:
            DTypeError: the vocabulary is text and the feature is not, or the other way round.
        """
        x = features.rows(self.key, "categorical_column")
        if x.dtype.is_string is not self.vocabulary.dtype.is_string or not (x.dtype.is_string or x.dtype.is_integer):
            raise DTypeError(
                f"categorical_column: the feature {self.key!r} is {x.dtype.name}, its vocabulary "
                f"{self.vocabulary.dtype.name}; give both as text or both as integers."
            )
        if not x.dtype.is_string:
            x = dt.cast(x, dt.int64)
        found: Tensor = VocabularyIds(self.vocabulary, self.default_value, self.num_oov_buckets)(x)
        return found


@final
class HashedColumn(_OfOneFeature):
    """Categories by their hash."""

    def __init__(self, key: str, hash_bucket_size: int, dtype: DType) -> None:
        """Remember what is given."""
        self.key = key
        self.hash_bucket_size = hash_bucket_size
        self.dtype = dtype

    @property
    def num_buckets(self) -> int:
        """As many as were given."""
        return self.hash_bucket_size

    def ids(self, features: Features) -> Tensor:
        """Hash them.

        Raises:
            DTypeError: the feature is text and the column's dtype is not, or the other way round.
        """
        x = features.rows(self.key, "categorical_column_with_hash_bucket")
        if x.dtype.is_string is not self.dtype.is_string or not (x.dtype.is_string or x.dtype.is_integer):
            raise DTypeError(
                f"categorical_column_with_hash_bucket: the feature {self.key!r} is {x.dtype.name}, the column "
                f"{self.dtype.name}; give text, or integers and dtype=dt.int64."
            )
        found: Tensor = HashIds(self.hash_bucket_size)(x)
        return found


@final
class IdentityColumn(_OfOneFeature):
    """Integers that are categories already."""

    def __init__(self, key: str, num_buckets: int, default_value: int | None) -> None:
        """Remember what is given."""
        self.key = key
        self.number_buckets = num_buckets
        self.default_value = default_value

    @property
    def num_buckets(self) -> int:
        """As many as were given."""
        return self.number_buckets

    def ids(self, features: Features) -> Tensor:
        """Check them."""
        x = features.rows(self.key, "categorical_column_with_identity")
        default = -1 if self.default_value is None else self.default_value
        found: Tensor = CheckedIds(self.number_buckets, default, self.key)(x)
        return found


def categorical_column_with_vocabulary_list(
    key: str,
    vocabulary_list: Sequence[Any],
    dtype: Any = None,
    default_value: int = -1,
    num_oov_buckets: int = 0,
) -> VocabularyColumn:
    """Return a column of the categories that are listed.

    Empty text, and -1 among integers, stand for nothing.

    Args:
        key: the feature, of shape ``[batch]`` or ``[batch, items]``.
        vocabulary_list: text or integers; the first is category 0.
        dtype: ``dt.string`` or an integer one; that of the list by default.
        default_value: the category of what is not listed; -1 for none.
        num_oov_buckets: so many categories behind the list are shared, by hash, by what is not listed.

    Raises:
        InvalidArgumentError: the list is empty or repeats itself, or both ways to treat other items are given.
        DTypeError: the list holds something else.

    Example:
        >>> colour = dt.feature_column.categorical_column_with_vocabulary_list("colour", ["red", "green"])
        >>> shown = dt.feature_column.indicator_column(colour)
        >>> dt.Session().run(dt.feature_column.input_layer({"colour": ["green", "blue"]}, [shown]))
        array([[0., 1.],
               [0., 0.]], dtype=float32)
    """
    return _with_vocabulary(
        "categorical_column_with_vocabulary_list", key, list(vocabulary_list), dtype, default_value, num_oov_buckets
    )


def categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: str | os.PathLike[str],
    vocabulary_size: int | None = None,
    num_oov_buckets: int = 0,
    default_value: int | None = None,
    dtype: Any = dt.string,
) -> VocabularyColumn:
    """Return a column of the categories that a file lists, one in a line.

    Args:
        key: the feature, of shape ``[batch]`` or ``[batch, items]``.
        vocabulary_file: a text file in UTF-8. It is read now; a saved model holds what it lists.
        vocabulary_size: how many lines to take; all by default.
        num_oov_buckets: so many categories behind the list are shared, by hash, by what is not listed.
        default_value: the category of what is not listed; none by default.
        dtype: ``dt.string``, or an integer one.

    Raises:
        NotFoundError: there is no such file.
        InvalidArgumentError: the file lists nothing, too little, or something twice; or both ways to treat other items
            are given.
        FormatError: a line is no integer where the dtype is one, or the file is no UTF-8.
    """
    who = "categorical_column_with_vocabulary_file"
    path = Path(vocabulary_file)
    try:
        lines: list[Any] = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise NotFoundError(f'{who}: there is no file "{path}".') from error
    except UnicodeDecodeError as error:
        raise FormatError(f'{who}: "{path}" is no UTF-8 text: {error}.') from error
    if vocabulary_size is not None:
        if vocabulary_size < 1 or vocabulary_size > len(lines):
            raise InvalidArgumentError(
                f'{who}: vocabulary_size is {vocabulary_size}, but "{path}" has {len(lines)} lines; leave it out.'
            )
        lines = lines[:vocabulary_size]
    if not dt.as_dtype(dtype).is_string:
        for number, line in enumerate(lines, start=1):
            try:
                lines[number - 1] = int(line)
            except ValueError as error:
                raise FormatError(f'{who}: "{path}", line {number}: {line!r} is no integer.') from error
    return _with_vocabulary(who, key, lines, dtype, -1 if default_value is None else default_value, num_oov_buckets)


def _with_vocabulary(
    who: str, key: str, items: list[Any], dtype: Any, default_value: int, num_oov_buckets: int
) -> VocabularyColumn:
    if not items:
        raise InvalidArgumentError(f"{who}: the vocabulary of {key!r} is empty; give one item at least.")
    text = [isinstance(one, str | bytes) for one in items]
    integers = [isinstance(one, int | np.integer) and not isinstance(one, bool) for one in items]
    if not (all(text) or all(integers)):
        raise DTypeError(f"{who}: the vocabulary of {key!r} must be all text or all integers; it is {items[:5]}.")
    if dtype is not None and dt.as_dtype(dtype).is_string is not all(text):
        raise DTypeError(
            f"{who}: dtype is {dt.as_dtype(dtype).name}, but that of {key!r} holds {items[0]!r}; leave it out."
        )
    plain = [one.encode() if isinstance(one, str) else one for one in items]
    seen: set[Any] = set()
    for one in plain:
        if one in seen:
            raise InvalidArgumentError(f"{who}: the vocabulary of {key!r} holds {one!r} twice.")
        seen.add(one)
    if num_oov_buckets < 0:
        raise InvalidArgumentError(f"{who}: num_oov_buckets is {num_oov_buckets}; it must not be negative.")
    if num_oov_buckets and default_value != -1:
        raise InvalidArgumentError(
            f"{who}: default_value is {default_value}, num_oov_buckets {num_oov_buckets}; give one of them."
        )
    if not -1 <= default_value < len(items):
        raise InvalidArgumentError(
            f"{who}: default_value is {default_value}; give a category below {len(items)}, or -1 for none."
        )
    vocabulary = ArrayAttribute(np.array(plain, object) if all(text) else np.array(plain, np.int64))
    return VocabularyColumn(checked_key(key, who), vocabulary, default_value, num_oov_buckets)


def categorical_column_with_hash_bucket(key: str, hash_bucket_size: int, dtype: Any = dt.string) -> HashedColumn:
    """Return a column of categories by a hash, for many that are not known; some share a number.

    The hash is BLAKE2b of the text, or of an integer's decimal digits, its 64 bits taken as a little-endian number,
    modulo ``hash_bucket_size``; the same on every machine and in every version. (TensorFlow takes FarmHash.)

    Args:
        key: the feature, of shape ``[batch]`` or ``[batch, items]``; empty text and -1 stand for nothing.
        hash_bucket_size: how many numbers there are.
        dtype: ``dt.string``, or an integer one.

    Raises:
        InvalidArgumentError: there are no numbers.
        DTypeError: the dtype is neither text nor integer.
    """
    who = "categorical_column_with_hash_bucket"
    if hash_bucket_size < 1:
        raise InvalidArgumentError(f"{who}: hash_bucket_size is {hash_bucket_size}; it must be positive.")
    chosen = dt.as_dtype(dtype)
    if not (chosen.is_string or chosen.is_integer):
        raise DTypeError(f"{who}: dtype is {chosen.name}; use dt.string or an integer one.")
    return HashedColumn(checked_key(key, who), hash_bucket_size, chosen)


def categorical_column_with_identity(key: str, num_buckets: int, default_value: int | None = None) -> IdentityColumn:
    """Return a column of integers that are categories already.

    Args:
        key: the feature, of shape ``[batch]`` or ``[batch, items]``; -1 stands for nothing.
        num_buckets: how many categories there are, from 0.
        default_value: the category of integers out of range; they are refused by default, when it runs.

    Raises:
        InvalidArgumentError: there are no categories, or the default is none of them.
    """
    who = "categorical_column_with_identity"
    if num_buckets < 1:
        raise InvalidArgumentError(f"{who}: num_buckets is {num_buckets}; it must be positive.")
    if default_value is not None and not 0 <= default_value < num_buckets:
        raise InvalidArgumentError(f"{who}: default_value is {default_value}; give a category below {num_buckets}.")
    return IdentityColumn(checked_key(key, who), num_buckets, default_value)
