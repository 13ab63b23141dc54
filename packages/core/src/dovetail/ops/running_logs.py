"""Running sums of exponentials, as logarithms: ``cumulative_logsumexp``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.arithmetic import minimum, multiply, subtract
from dovetail.ops.comparison import is_finite
from dovetail.ops.composites import composite
from dovetail.ops.elementary import exp
from dovetail.ops.fills import zeros_like
from dovetail.ops.padding import Pad
from dovetail.ops.running import LinearRecurrence, Shift
from dovetail.ops.selection import select
from dovetail.ops.sizes import Gradients, Tensors, Types, as_axis, settled_axis
from dovetail.ops.slicing import StridedSlice
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DType, as_dtype
from dovetail.types.shapes import TensorType, normalize_axis

__all__ = ["CumulativeLogsumexp", "cumulative_logsumexp"]


@primitive
@final
class CumulativeLogsumexp(Op):
    """Logarithms of running sums of exponentials along an axis; with ``reverse`` from the last element on."""

    axis: int
    reverse: bool = False

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The input's, which is floating."""
        if not dtypes[0].is_floating:
            raise DTypeError(
                f"cumulative_logsumexp: the input is {dtypes[0].name}, where a floating dtype is wanted. Use dt.cast."
            )
        return dtypes

    def infer(self, x: TensorType) -> Signature:
        """The input's type."""
        normalize_axis(self.axis, len(x.dims), "cumulative_logsumexp")
        return TensorType(self.dtypes(x.dtype)[0], x.shape)

    def reference(self, x: Array) -> Array:
        """NumPy's accumulation of ``logaddexp``; halves are computed in float32."""
        wide = x.astype(np.float32) if as_dtype(x.dtype).is_half else x
        wide = np.flip(wide, self.axis) if self.reverse else wide
        with np.errstate(all="ignore"):
            result = np.logaddexp.accumulate(wide, self.axis)
        return np.asarray((np.flip(result, self.axis) if self.reverse else result).astype(x.dtype, copy=False))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Gradients:
        """A linear recurrence whose factors are at most 1, so that nothing overflows.

        With ``y`` the output, the gradient is ``exp(x - y) * r``, where ``r[i] = grad[i] + exp(y[i] - y[i + 1]) *
        r[i + 1]``.
        """
        x, y = inputs[0], outputs[0]
        back = 1 if self.reverse else -1
        some = is_finite(y)
        # Beyond the last element there is nothing to multiply, but its factor must not overflow.
        ratio = minimum(select(some, subtract(y, Shift(self.axis, back)(y)), zeros_like(y)), zeros_like(y))
        rest = LinearRecurrence(self.axis, not self.reverse)(exp(ratio), grads[0])
        share = select(some, exp(subtract(x, y)), zeros_like(y))
        return [multiply(share, rest)]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """Some for each element."""
        return 4 * inputs[0].size

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both ways; large numbers, one element, none."""
        yield Sample(cls(1), rng.normal(size=(2, 4, 3)))
        yield Sample(cls(-1, True), rng.normal(size=(2, 5)) * 3.0)
        yield Sample(cls(0), rng.normal(size=(3, 2)) + 500.0)
        yield Sample(cls(0), rng.normal(size=(1, 2)))
        yield Sample(cls(0, True), np.zeros((0, 2)))


@composite(name="ExclusiveCumulativeLogsumexp")  # -infinity has no finite differences, so there are no samples
def _exclusive(x: Tensor, *, axis: int, reverse: bool) -> Tensor:
    """All sums but the last, after the logarithm of 0."""
    at = normalize_axis(axis, len(x.shape), "cumulative_logsumexp")
    size = x.shape[at] - 1
    window: tuple[Any, ...] = ("size", 1 if reverse else 0, size)
    every: tuple[Any, ...] = ("slice", None, None, None)
    sums = StridedSlice((*(every,) * at, window, "..."))(CumulativeLogsumexp(at, reverse)(x))
    pairs = [(0, 0)] * len(x.shape)
    pairs[at] = (0, 1) if reverse else (1, 0)
    result: Tensor = Pad(tuple(pairs), -math.inf)(sums)
    return result


def cumulative_logsumexp(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return ``log(cumsum(exp(x)))`` along an axis, without overflow.

    Args:
        x: a floating tensor.
        axis: along which; negative counts from the last.
        exclusive: whether each sum leaves out the element itself, so that it begins with -infinity, the logarithm of 0.
        reverse: whether the sums run from the last element to the first.
        name: name of the node.

    Raises:
        ShapeError: the axis is out of range.
        DTypeError: the tensor is not floating.

    Example:
        >>> dt.Session().run(dt.math.cumulative_logsumexp([0.0, 0.0])).round(4)
        array([0.    , 0.6931], dtype=float32)
    """
    tensor = as_tensor(x)
    at = settled_axis(as_axis(axis, "cumulative_logsumexp: axis"), tensor.shape.rank)
    result: Tensor
    if exclusive:
        result = _exclusive(tensor, axis=at, reverse=bool(reverse), name=name)
    else:
        result = CumulativeLogsumexp(at, bool(reverse))(tensor, name=name)
    return result
