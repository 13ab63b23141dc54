"""``merge`` and ``merge_all``: several summaries as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.extend import Array, DType, Sample, primitive
from dovetail_train.summary.naming import collect
from dovetail_train.summary.protobufs import protobuf
from dovetail_train.summary.scalars import ScalarSummary, SummaryOp, as_string_tensor

__all__ = ["merge", "merge_all"]


@primitive
@final
class MergeSummary(SummaryOp):
    """The values of several summaries in one."""

    def check(self, *dtypes: DType) -> None:
        """Summaries alone."""
        for index, dtype in enumerate(dtypes):
            if not dtype.is_string:
                raise DTypeError(
                    f"summary.merge: input {index} is {dtype.name}, where a summary is wanted. Give what "
                    "dt.summary.scalar and its like return."
                )

    def reference(self, *written: Array) -> Array:
        """The message of all values."""
        summary = protobuf("summary").Summary
        merged, tags = summary(), set()
        for one in [item for array in written for item in array.reshape(-1)]:
            for value in summary.FromString(one).value:
                if value.tag in tags:
                    raise InvalidArgumentError(
                        f"summary.merge: two summaries have the tag {value.tag!r}. Name one of them otherwise"
                    )
                tags.add(value.tag)
                merged.value.append(value)
        return as_string_tensor(merged)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Two summaries."""
        first, second = (ScalarSummary(tag).reference(np.array(1.0)) for tag in ("a", "b"))
        yield Sample(cls(), first, second)


def merge(inputs: Sequence[Any], collections: Iterable[Any] | None = None, name: str | None = None) -> dt.Tensor:
    """Return one summary that holds the values of several.

    Args:
        inputs: summaries, as ``scalar`` and its like return them.
        collections: where to put it; nowhere by default.
        name: name of the node.

    Raises:
        InvalidArgumentError: there are no inputs.
        DTypeError: one of them is no summary.
        OperationError: when run, two values have one tag.

    Example:
        >>> both = dt.summary.merge([dt.summary.scalar("a", 1.0), dt.summary.scalar("b", 2.0)])
        >>> [value.tag for value in dt.Summary.FromString(dt.Session().run(both)).value]
        ['a', 'b']
    """
    given = [dt.convert_to_tensor(one) for one in inputs]
    if not given:
        raise InvalidArgumentError("summary.merge: there are no summaries to merge; give at least one.")
    return collect(MergeSummary()(*given, name=name or "Merge/MergeSummary"), collections, ())


def merge_all(key: Any = dt.GraphKeys.SUMMARIES, scope: str | None = None, name: str | None = None) -> dt.Tensor | None:
    """Return one summary that holds the values of all that the default graph has collected.

    Args:
        key: the collection.
        scope: only summaries whose names begin with this pattern.
        name: name of the node.

    Returns:
        The summary; ``None`` where nothing is collected.

    Example:
        >>> dt.summary.merge_all() is None
        True
        >>> _ = dt.summary.scalar("loss", 0.5)
        >>> [value.tag for value in dt.Summary.FromString(dt.Session().run(dt.summary.merge_all())).value]
        ['loss']
    """
    found = dt.get_collection(key, scope=scope)
    return merge(found, name=name) if found else None
