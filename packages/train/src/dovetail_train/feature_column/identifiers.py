"""Operations that map text and integers to numbers of categories. NumPy computes them, on every backend."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from itertools import product
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.extend import Array, ArrayAttribute, DType, Op, Sample, Shape, Signature, TensorType, primitive

__all__ = ["CheckedIds", "CrossedIds", "HashIds", "VocabularyIds", "hash64"]

_JOINT: Final = b"_X_"


def hash64(item: Any, key: int = 0) -> int:
    """Return BLAKE2b of a text, or of an integer's decimal digits, 64 bits, little-endian; the same everywhere.

    Args:
        item: bytes, a string, or an integer.
        key: gives another hash for each, eight bytes, little-endian.
    """
    salt = b"" if not key else (key & (1 << 64) - 1).to_bytes(8, "little")
    return int.from_bytes(hashlib.blake2b(_text(item), digest_size=8, key=salt).digest(), "little")


def _text(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    return item.encode() if isinstance(item, str) else b"%d" % int(item)


def _missing(item: Any) -> bool:
    """Whether an item stands for nothing: an empty text, or -1."""
    return item in (b"", "", -1)


def _each(function: Any, x: Array) -> Array:
    """Return an integer for each item; repeated items are looked at once."""
    known: dict[Any, int] = {}
    found = np.empty(x.size, np.int64)
    for place, item in enumerate(x.reshape(-1).tolist()):
        number = known.get(item)
        if number is None:
            number = known[item] = -1 if _missing(item) else function(item)
        found[place] = number
    return found.reshape(x.shape)


class _Ids(Op):
    """From items to numbers of categories, of the same shape."""

    differentiable = False

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Numbers are int64."""
        for dtype in dtypes:
            if not dtype.is_integer and not dtype.is_string:
                raise DTypeError(f"{self.name}: the input is {dtype.name}; categories are text or integers.")
        return (dt.int64,)

    def infer(self, *types: TensorType) -> Signature:
        """The shape of the items."""
        (dtype,) = self.dtypes(*(one.dtype for one in types))
        return TensorType(dtype, types[0].shape)


@primitive
@final
class VocabularyIds(_Ids):
    """The places of items in a vocabulary.

    Attributes:
        vocabulary: the items.
        default: the number of an item that is not there.
        oov_buckets: so many numbers behind the vocabulary are shared, by hash, by the items that are not there.
    """

    vocabulary: ArrayAttribute
    default: int = -1
    oov_buckets: int = 0

    def reference(self, x: Array) -> Array:
        """A dictionary."""
        places = _places(self.vocabulary)
        size, buckets, default = len(places), self.oov_buckets, self.default

        def place(item: Any) -> int:
            found = places.get(item)
            if found is not None:
                return found
            return size + hash64(item) % buckets if buckets else default

        return _each(place, x)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Text with and without places for others; integers."""
        words = np.array([b"red", b"", b"blue", b"pink"], object)
        yield Sample(cls(ArrayAttribute(["red", "green", "blue"])), words)
        yield Sample(cls(ArrayAttribute(["red"]), oov_buckets=3), words)
        yield Sample(cls(ArrayAttribute(np.array([10, 20])), default=0), np.array([[20, 30], [-1, 10]]))


@functools.lru_cache(maxsize=64)
def _places(vocabulary: ArrayAttribute) -> dict[Any, int]:
    return {item: place for place, item in enumerate(vocabulary.array.tolist())}


@primitive
@final
class HashIds(_Ids):
    """Items by their hash, modulo a number of categories.

    Attributes:
        buckets: how many categories there are.
    """

    buckets: int

    def reference(self, x: Array) -> Array:
        """``hash64``."""
        return _each(lambda item: hash64(item) % self.buckets, x)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Text and integers."""
        yield Sample(cls(5), np.array([b"red", b"", b"blue"], object))
        yield Sample(cls(3), np.array([[7, -1]], np.int32))


@primitive
@final
class CheckedIds(_Ids):
    """Integers that are categories already: those out of range become a default, or are refused.

    Attributes:
        buckets: how many categories there are.
        default: what stands for integers out of range; below 0, they are refused. -1 stands for nothing, and stays.
        feature: what the integers are called in messages.
    """

    buckets: int
    default: int = -1
    feature: str = ""

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Text is none."""
        if not dtypes[0].is_integer:
            raise DTypeError(
                f"categorical_column_with_identity: the feature {self.feature!r} is {dtypes[0].name}; it must be "
                "integers. Use a vocabulary or a hash for text, and bucketized_column for other numbers."
            )
        return super().dtypes(*dtypes)

    def reference(self, x: Array) -> Array:
        """A comparison."""
        ids = x.astype(np.int64)
        wrong = (ids >= self.buckets) | (ids < -1)
        if not wrong.any():
            return ids
        if self.default < 0:
            row = tuple(int(one) for one in np.argwhere(wrong)[0])
            raise InvalidArgumentError(
                f"the feature {self.feature!r} is {ids[row]} in row {row[0]}, but has {self.buckets} categories, from "
                f"0 to {self.buckets - 1}. Mend the data, or give num_buckets or default_value."
            )
        return np.where(wrong, self.default, ids)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """With and without a default."""
        yield Sample(cls(4), np.array([0, 3, -1]))
        yield Sample(cls(4, 1), np.array([[0, 9], [-1, -5]], np.int32))


@primitive
@final
class CrossedIds(Op):
    """All combinations of the items of several features, row by row, by their hash.

    Each feature has the shape ``[batch, items]``; the result ``[batch, product of the numbers of items]``.

    Attributes:
        buckets: how many categories there are.
        key: of the hash.
    """

    differentiable = False
    buckets: int
    key: int = 0

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Numbers are int64."""
        return (dt.int64,)

    def infer(self, *types: TensorType) -> Signature:
        """Rows, and the product of the other sizes."""
        count: Any = 1
        for one in types:
            count = count * one.dims[1]
        return TensorType(dt.int64, Shape([types[0].dims[0], count]))

    def reference(self, *arrays: Array) -> Array:
        """``hash64`` of the items joined."""
        count = int(np.prod([array.shape[1] for array in arrays]))
        found = np.empty((len(arrays[0]), count), np.int64)
        known: dict[Any, int] = {}
        for number, row in enumerate(zip(*(array.tolist() for array in arrays), strict=True)):
            for place, items in enumerate(product(*row)):
                value = known.get(items)
                if value is None:
                    value = known[items] = self._id(items)
                found[number, place] = value
        return found

    def _id(self, items: Any) -> int:
        if any(map(_missing, items)):
            return -1
        return hash64(_JOINT.join(map(_text, items)), self.key) % self.buckets

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Text by integers."""
        words = np.array([[b"red", b"blue"], [b"red", b""]], object)
        yield Sample(cls(7, 3), words, np.array([[1], [-1]]))
