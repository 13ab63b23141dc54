"""``histogram``: how the elements of a tensor are distributed at each step."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from typing import Any, Final, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.extend import Array, DType, Sample, primitive
from dovetail_train.summary.naming import make_summary
from dovetail_train.summary.protobufs import protobuf
from dovetail_train.summary.scalars import SummaryOp, as_string_tensor

__all__ = ["histogram", "histogram_of"]

_LEAST: Final = 1e-12
_MOST: Final = 1e20
_GROWTH: Final = 1.1


@functools.cache
def _limits() -> Array:
    """Return the upper limits of TensorFlow's buckets: each a tenth further from zero than the one before."""
    positive, limit = [], _LEAST
    while limit < _MOST:
        positive.append(limit)
        limit *= _GROWTH
    positive.append(sys.float_info.max)
    return np.array([*(-one for one in reversed(positive)), 0.0, *positive])


@functools.cache
def _limits_in(dtype: Any) -> Array:
    """Return the least numbers of a dtype below which just those numbers lie that are below the limits."""
    limits = _limits()
    with np.errstate(over="ignore"):
        near = limits.astype(dtype)
        return np.where(near < limits, np.nextafter(near, dtype.type(np.inf)), near)


def histogram_of(values: Array) -> Any:
    """Return a message ``HistogramProto`` of numbers; ``None`` where they are not all finite."""
    flat = values.reshape(-1)
    if flat.dtype not in (np.float32, np.float64):
        flat = flat.astype(np.float64 if flat.dtype.kind in "iu" else np.float32)
    limits = _limits()
    # Sorted numbers are looked through once for each limit, which is sooner done than the other way round.
    ordered = np.sort(flat)
    if ordered.size and not np.isfinite(ordered[[0, -1]]).all():  # what is not finite is at the ends
        return None
    below = np.searchsorted(ordered, _limits_in(ordered.dtype), side="left")
    below[-1] = ordered.size
    counts = np.diff(below, prepend=0)
    filled = counts > 0
    # Of empty buckets one after the other, the last one stands for all.
    kept = filled | np.append(filled[1:], True)
    return protobuf("histogram").HistogramProto(
        min=ordered[0] if ordered.size else limits[-1],
        max=ordered[-1] if ordered.size else limits[0],
        num=ordered.size,
        sum=flat.sum(dtype=np.float64),
        sum_squares=np.einsum("i,i->", flat, flat, dtype=np.float64),  # of one thread, unlike np.dot
        bucket_limit=limits[kept],
        bucket=counts[kept],
    )


@primitive
@final
class HistogramSummary(SummaryOp):
    """The distribution of numbers under a tag."""

    tag: str

    def check(self, *dtypes: DType) -> None:
        """Numbers alone."""
        if not (dtypes[0].is_floating or dtypes[0].is_integer):
            raise DTypeError(
                f"summary.histogram: {self.tag!r} is {dtypes[0].name}, where numbers are wanted. Use dt.cast."
            )

    def reference(self, values: Array) -> Array:
        """The message."""
        found = histogram_of(values)
        if found is None:
            flat = values.astype(np.float64)
            nan, infinite = int(np.isnan(flat).sum()), int(np.isinf(flat).sum())
            raise InvalidArgumentError(
                f"summary.histogram: {self.tag!r} holds {nan} NaN and {infinite} infinite of {flat.size} elements. "
                "dt.Session(check_numerics=True) tells which operation made them"
            )
        summary = protobuf("summary").Summary
        return as_string_tensor(summary(value=[summary.Value(tag=self.tag, histo=found)]))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Floats, integers, nothing."""
        yield Sample(cls("weights"), rng.normal(size=(3, 4)))
        yield Sample(cls("counts"), np.arange(5))
        yield Sample(cls("none"), np.zeros(0, np.float32))


def histogram(
    name: Any, values: Any = None, collections: Iterable[Any] | None = None, family: str | None = None
) -> dt.Tensor:
    """Return a summary of how the elements of a tensor are distributed.

    The buckets are TensorFlow's: their limits grow by a tenth, from 1e-12 to 1e20 on both sides of zero.

    Args:
        name: what to call it; the tag is the name with the scopes around. A tensor or variable alone gives its own
            name.
        values: a tensor of numbers, of any shape.
        collections: where to put the summary; ``GraphKeys.SUMMARIES`` by default.
        family: what TensorBoard shows it under, in place of the first scope.

    Returns:
        A tensor of text: a message ``Summary``, which ``FileWriter.add_summary`` takes.

    Raises:
        DTypeError: the tensor holds no numbers.
        OperationError: when run, an element is NaN or infinite.

    Example:
        >>> w = dt.get_variable("w", initializer=dt.constant([0.0, 1.0, 1.0]))
        >>> summary = dt.summary.histogram(w)
        >>> with dt.Session() as session:
        ...     session.run(w.initializer)
        ...     value, = dt.Summary.FromString(session.run(summary)).value
        >>> value.tag, value.histo.num, value.histo.sum, [count for count in value.histo.bucket if count]
        ('w', 3.0, 2.0, [1.0, 2.0])
    """
    return make_summary("histogram", HistogramSummary, name, values, collections, family)
