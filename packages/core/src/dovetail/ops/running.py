"""Running sums and products along an axis, and the linear recurrence that their gradients need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, final

import numpy as np

from dovetail.errors import DTypeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.arithmetic import multiply
from dovetail.ops.complex_numbers import conj
from dovetail.ops.sizes import Gradients, Tensors, Types, as_axis, settled_axis
from dovetail.types.dims import Dim
from dovetail.types.dtypes import as_dtype
from dovetail.types.shapes import Shape, TensorType, normalize_axis, unify

__all__ = ["Cumprod", "Cumsum", "LinearRecurrence", "Shift", "cumprod", "cumsum"]


def _widened(x: Array) -> Array:
    """Return half floats as float32, in which they are computed."""
    return x.astype(np.float32) if as_dtype(x.dtype).is_half else x


def _shifted(x: Array, axis: int, offset: int, fill: int) -> Array:
    """Return the elements moved up by ``offset`` (1 or -1) along ``axis``, and ``fill`` where one came from outside."""
    result = np.empty(x.shape, x.dtype)
    lead = (slice(None),) * (axis % x.ndim)
    if offset > 0:
        result[(*lead, slice(0, 1))] = fill
        result[(*lead, slice(1, None))] = x[(*lead, slice(None, -1))]
    else:
        result[(*lead, slice(-1, None))] = fill
        result[(*lead, slice(None, -1))] = x[(*lead, slice(1, None))]
    return result


class _Running(Op):
    """A running reduction: from the first element on, or from the last; with or without the element itself."""

    axis: int
    exclusive: bool = False
    reverse: bool = False
    label: ClassVar[str]
    ufunc: ClassVar[np.ufunc]

    def infer(self, x: TensorType) -> Signature:
        """The input's type."""
        normalize_axis(self.axis, len(x.dims), self.label)
        return TensorType(self.dtypes(x.dtype)[0], x.shape)

    def dtypes(self, *dtypes: Any) -> tuple[Any, ...]:
        """The input's, which is numeric."""
        if not dtypes[0].is_number:
            raise DTypeError(
                f"{self.label}: the input is {dtypes[0].name}, where a numeric dtype is wanted. Use dt.cast."
            )
        return dtypes

    def reference(self, x: Array) -> Array:
        """NumPy's accumulation."""
        wide = _widened(x)
        with np.errstate(all="ignore"):
            if self.reverse:
                wide = np.flip(wide, self.axis)
            result = self.ufunc.accumulate(wide, self.axis, dtype=wide.dtype)
            if self.exclusive:
                result = _shifted(result, self.axis, 1, self.ufunc.identity)
            if self.reverse:
                result = np.flip(result, self.axis)
            return np.asarray(result.astype(x.dtype, copy=False))

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """One for each element."""
        return inputs[0].size

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both ways, with and without the element itself; zeros, integers, complex numbers, one element, none."""
        x = rng.uniform(0.5, 1.5, (2, 4, 3))
        for exclusive in (False, True):
            for reverse in (False, True):
                yield Sample(cls(1, exclusive, reverse), x)
        holes = rng.normal(size=(5, 2))
        holes[[1, 3], 0] = 0.0
        yield Sample(cls(0), holes)
        yield Sample(cls(-2, True), holes)
        yield Sample(cls(0), rng.integers(-3, 4, (4, 2)).astype(np.int32))
        yield Sample(cls(-1, True, True), rng.normal(size=(3, 1)))
        yield Sample(cls(0), rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2)))
        yield Sample(cls(0, True), np.zeros((0, 2)))


@primitive
@final
class Cumsum(_Running):
    """Running sums along an axis."""

    label = "cumsum"
    ufunc = np.add
    gradient_without_ranks = True

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Gradients:
        """Running sums of the gradient, the other way."""
        return [Cumsum(self.axis, self.exclusive, not self.reverse)(grads[0])]


@primitive
@final
class Cumprod(_Running):
    """Running products along an axis."""

    label = "cumprod"
    ufunc = np.multiply
    gradient_without_ranks = True

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Gradients:
        """The product of what is before, times a recurrence over what comes after; no division, so zeros do no harm.

        With ``s[j] = grad[j] + x[j + 1] * s[j + 1]``, the gradient is ``s[j]`` times the product of ``x`` before ``j``.
        """
        x, grad = inputs[0], grads[0]
        back = 1 if self.reverse else -1
        if self.exclusive:
            grad = Shift(self.axis, back)(grad)
        x = conj(x)
        rest = LinearRecurrence(self.axis, not self.reverse)(Shift(self.axis, back)(x), grad)
        return [multiply(Cumprod(self.axis, True, self.reverse)(x), rest)]


@primitive
@final
class Shift(Op):
    """The elements moved by one along an axis, up (``offset`` 1) or down (-1); a zero moves in."""

    axis: int
    offset: int
    gradient_without_ranks = True

    def infer(self, x: TensorType) -> Signature:
        """The input's type."""
        normalize_axis(self.axis, len(x.dims), "shift")
        return x

    def reference(self, x: Array) -> Array:
        """Copy all but one."""
        return _shifted(x, self.axis, self.offset, 0)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Gradients:
        """The gradient, moved back."""
        return [Shift(self.axis, -self.offset)(grads[0])]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both ways; one element, none."""
        yield Sample(cls(1, 1), rng.normal(size=(2, 3)))
        yield Sample(cls(-2, -1), rng.normal(size=(3, 2)))
        yield Sample(cls(0, 1), np.arange(1, dtype=np.int32))
        yield Sample(cls(0, -1), np.zeros((0, 2)))


@primitive
@final
class LinearRecurrence(Op):
    """Along an axis ``s[t] = b[t] + a[t] * s[t - 1]``, from zero on; with ``reverse`` from the last to the first."""

    axis: int
    reverse: bool = False
    gradient_without_ranks = True

    def infer(self, a: TensorType, b: TensorType) -> Signature:
        """The type of both inputs."""
        normalize_axis(self.axis, len(a.dims), "linear_recurrence")
        message = f"linear_recurrence: the factors are {a} and the terms {b}; they must have one type."
        if a.dtype is not b.dtype or a.rank != b.rank:
            raise DTypeError(message)
        return TensorType(b.dtype, Shape([unify(x, y, message) for x, y in zip(a.dims, b.dims, strict=True)]))

    def reference(self, a: Array, b: Array) -> Array:
        """One step after the other."""
        factors, terms = (np.moveaxis(_widened(one), self.axis, 0) for one in (a, b))
        result = np.empty(terms.shape, terms.dtype)
        state = np.zeros(terms.shape[1:], terms.dtype)
        steps = range(len(terms))
        with np.errstate(all="ignore"):
            for step in reversed(steps) if self.reverse else steps:
                state = terms[step] + factors[step] * state
                result[step] = state
        return np.asarray(np.moveaxis(result, 0, self.axis).astype(b.dtype, copy=False))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Gradients:
        """A recurrence the other way; for the factors times the state before."""
        onward = -1 if self.reverse else 1
        total = LinearRecurrence(self.axis, not self.reverse)(Shift(self.axis, -onward)(conj(inputs[0])), grads[0])
        return [multiply(total, Shift(self.axis, onward)(conj(outputs[0]))), total]

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """Two for each element."""
        return 2 * inputs[0].size

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both ways, none."""
        yield Sample(cls(1), rng.normal(size=(2, 4)), rng.normal(size=(2, 4)))
        yield Sample(cls(-2, True), rng.normal(size=(4, 3)), rng.normal(size=(4, 3)))
        yield Sample(cls(0), np.zeros((0, 3)), np.zeros((0, 3)))


def cumsum(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Return running sums along an axis.

    Args:
        x: a numeric tensor.
        axis: along which; negative counts from the last.
        exclusive: whether each sum leaves out the element itself, so that it begins with 0.
        reverse: whether the sums run from the last element to the first.
        name: name of the node.

    Raises:
        ShapeError: the axis is out of range.
        DTypeError: the tensor is not numeric.

    Example:
        >>> dt.Session().run(dt.cumsum([1, 2, 3], exclusive=True))
        array([0, 1, 3], dtype=int32)
    """
    tensor = as_tensor(x)
    at = settled_axis(as_axis(axis, "cumsum: axis"), tensor.shape.rank)
    result: Tensor = Cumsum(at, bool(exclusive), bool(reverse))(tensor, name=name)
    return result


def cumprod(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Return running products along an axis; the gradient is right also where elements are 0.

    Args:
        x: a numeric tensor.
        axis: along which; negative counts from the last.
        exclusive: whether each product leaves out the element itself, so that it begins with 1.
        reverse: whether the products run from the last element to the first.
        name: name of the node.

    Raises:
        ShapeError: the axis is out of range.
        DTypeError: the tensor is not numeric.

    Example:
        >>> dt.Session().run(dt.cumprod([2, 3, 4], reverse=True))
        array([24, 12,  4], dtype=int32)
    """
    tensor = as_tensor(x)
    at = settled_axis(as_axis(axis, "cumprod: axis"), tensor.shape.rank)
    result: Tensor = Cumprod(at, bool(exclusive), bool(reverse))(tensor, name=name)
    return result
