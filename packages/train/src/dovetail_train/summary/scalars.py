"""``scalar``: a number at each step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, ShapeError
from dovetail.extend import Array, DType, Op, Sample, Shape, Signature, TensorType, primitive
from dovetail_train.summary.naming import make_summary
from dovetail_train.summary.protobufs import protobuf

__all__ = ["SummaryOp", "as_string_tensor", "scalar"]


def as_string_tensor(message: Any) -> Array:
    """Return a message as a string tensor holds it."""
    return np.array(message.SerializeToString(), object)


class SummaryOp(Op):
    """What operations that make a summary have in common: the result is text, and has no gradient."""

    differentiable = False

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Text."""
        self.check(*dtypes)
        return (dt.string,)

    def check(self, *dtypes: DType) -> None:
        """Refuse dtypes that cannot be shown.

        Raises:
            DTypeError: one cannot.
        """

    def infer(self, *types: TensorType) -> Signature:
        """One text."""
        self.check(*(one.dtype for one in types))
        return TensorType(dt.string, Shape(()))


@primitive
@final
class ScalarSummary(SummaryOp):
    """A number under a tag."""

    tag: str

    def check(self, *dtypes: DType) -> None:
        """Numbers alone."""
        if not (dtypes[0].is_floating or dtypes[0].is_integer):
            raise DTypeError(
                f"summary.scalar: {self.tag!r} is {dtypes[0].name}, where a number is wanted. Use dt.cast."
            )

    def infer(self, *types: TensorType) -> Signature:
        """One text, for one number."""
        result = super().infer(*types)
        if any(dim != 1 for dim in types[0].dims):
            raise ShapeError(
                f"summary.scalar: {self.tag!r} is {types[0]}, where one number is wanted. Use dt.reduce_mean, or "
                "dt.summary.histogram."
            )
        return result

    def reference(self, value: Array) -> Array:
        """The message."""
        summary = protobuf("summary").Summary
        return as_string_tensor(summary(value=[summary.Value(tag=self.tag, simple_value=float(value.item()))]))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Floats and integers."""
        yield Sample(cls("loss"), np.float32(0.5))
        yield Sample(cls("count"), np.array(3))
        yield Sample(cls("one"), np.array([2.0]))


def scalar(
    name: Any, tensor: Any = None, collections: Iterable[Any] | None = None, family: str | None = None
) -> dt.Tensor:
    """Return a summary of one number, which TensorBoard draws over the steps.

    Args:
        name: what to call it; the tag is the name with the scopes around. A tensor alone gives its own name.
        tensor: a tensor of one number.
        collections: where to put the summary; ``GraphKeys.SUMMARIES`` by default.
        family: what TensorBoard shows it under, in place of the first scope.

    Returns:
        A tensor of text: a message ``Summary``, which ``FileWriter.add_summary`` takes.

    Raises:
        DTypeError: the tensor holds no number.
        ShapeError: it holds several.

    Example:
        >>> with dt.name_scope("train"):
        ...     summary = dt.summary.scalar("loss", dt.constant(0.25))
        >>> value, = dt.Summary.FromString(dt.Session().run(summary)).value
        >>> value.tag, value.simple_value
        ('train/loss', 0.25)
    """
    return make_summary("scalar", ScalarSummary, name, tensor, collections, family)
