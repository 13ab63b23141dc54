"""Pooling over windows of one to three spatial axes: maxima and means, and their derivatives to any order.

Inputs are ``[batch, *spatial, channels]``. Padding is never seen: it counts as minus infinity for a maximum, and a mean
is taken over the elements that are there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.linear import narrowed, widened
from dovetail.ops.windows import Padding, Window, as_padding, as_spatial
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DType, as_dtype
from dovetail.types.shapes import Shape, TensorType, unify

__all__ = ["AvgPool", "AvgPoolGrad", "MaxPool", "MaxPoolGather", "MaxPoolGrad", "average_pool", "max_pool"]


class _Pooling(Op):
    """What pooling and its derivatives have in common; errors begin with ``called``."""

    called: ClassVar[str] = "max_pool"
    spreads: ClassVar[bool] = False  # whether it goes from the positions of the window back to the images
    window: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Padding

    @property
    def geometry(self) -> Window:
        """The sliding window."""
        return Window(self.called, self.window, self.strides, (1,) * len(self.window), self.padding)

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """One for each element of each window."""
        return (inputs[-1] if self.spreads else outputs[0]).size * math.prod(self.window)

    def _positions(self, spatial: Sequence[Dim]) -> tuple[Dim, ...]:
        geometry = self.geometry
        geometry.check(len(spatial))
        if isinstance(self.padding, tuple):
            for pair, size in zip(self.padding, self.window, strict=True):
                if max(pair) >= size:
                    raise InvalidArgumentError(
                        f"{self.called}: padding {list(self.padding)} is not smaller than the window "
                        f"{list(self.window)}, so that a window could lie in nothing but padding. Use less padding."
                    )
        return geometry.positions(spatial)

    def _check(self, x: TensorType, index: int = 0, *, floating: bool = False) -> None:
        if len(x.dims) != len(self.window) + 2:
            raise ShapeError(
                f"{self.called}: input {index} is {x}; a window over {len(self.window)} spatial axes takes rank "
                f"{len(self.window) + 2}, [batch, *spatial, channels]. Use expand_dims or reshape."
            )
        if not (x.dtype.is_floating if floating else x.dtype.is_numeric):
            wanted = "a floating type is" if floating else "numbers are"
            raise DTypeError(f"{self.called}: input {index} is {x}, where {wanted} wanted. Use cast on it.")

    def _pooled(self, x: TensorType) -> Shape:
        batch, *spatial, channels = x.dims
        return Shape((batch, *self._positions(spatial), channels))

    def _check_grad(self, expected: Shape, grad: TensorType, of: DType) -> None:
        self._check(grad, 1)
        if grad.dtype is not of:
            raise DTypeError(f"{self.called}: input 1 is {grad}, where {of.name} is wanted. Use cast on it.")
        for one, other in zip(expected, grad.dims, strict=True):
            unify(
                one,
                other,
                f"{self.called}: input 1 is {grad}, where the shape {expected} is expected. Pass a gradient of it.",
            )


class _MaxPooling(_Pooling):
    """Maximum pooling and its derivatives."""

    def _maxima(self, x: Array) -> Array:
        lowest = -np.inf if x.dtype.kind == "f" else as_dtype(x.dtype).min
        return _reduced(self.geometry, x, np.maximum, lowest)

    def _first_maxima(self, x: Array) -> Iterable[tuple[Any, Any, Array]]:
        """For each element of the window: positions, where it lies, and at which of them it is the first maximum."""
        maxima = self._maxima(x)
        has_nan = maxima.dtype.kind == "f" and bool(np.isnan(maxima).any())
        waiting = np.ones(maxima.shape, bool)
        for _, at_position, at_input in self.geometry.taps(x.shape[1:-1], maxima.shape[1:-1]):
            seen = x[at_input]
            found = seen == maxima[at_position]
            if has_nan:
                found |= np.isnan(seen)
            found &= waiting[at_position]
            waiting[at_position] ^= found
            yield at_position, at_input, found


def _reduced(window: Window, x: Array, function: Callable[..., Array], start: Any) -> Array:
    """Combine the elements of every window by an associative function, axis by axis."""
    for axis, size in enumerate(x.shape[1:-1]):
        count: int = window.positions_of(axis, size)  # type: ignore[assignment]
        result = np.full((*x.shape[: axis + 1], count, *x.shape[axis + 2 :]), start, x.dtype)
        before = (slice(None),) * (axis + 1)
        for at_position, at_input in window.taps_of_axis(axis, size, count):
            part = result[(*before, at_position)]
            function(part, x[(*before, at_input)], out=part)
        x = result
    return x


@primitive
@final
class MaxPool(_MaxPooling):
    """Maxima over windows; a NaN in a window gives NaN."""

    def infer(self, x: TensorType) -> Signature:
        """A position of the window in place of each spatial axis."""
        self._check(x)
        return TensorType(x.dtype, self._pooled(x))

    def reference(self, x: Array) -> Array:
        """Maxima along one axis after the other."""
        return narrowed(self._maxima(widened(x)), x.dtype)

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """The gradient goes to the first maximum of each window."""
        return [MaxPoolGrad(self.window, self.strides, self.padding)(inputs[0], grads[0])]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """See ``_geometries``; integers as well."""
        for attributes, shape in _geometries():
            yield Sample(cls(*attributes), _distinct(rng, shape))
        yield Sample(cls((2, 2), (2, 2), "SAME"), rng.integers(-9, 9, (2, 3, 3, 1), dtype=np.int32))


@primitive
@final
class MaxPoolGrad(_MaxPooling):
    """The gradient of maxima over windows: each element of the second input goes to the first maximum of its window."""

    called = "max_pool_grad"
    spreads = True

    def infer(self, x: TensorType, grad: TensorType) -> Signature:
        """The input's type."""
        self._check(x)
        self._check_grad(self._pooled(x), grad, x.dtype)
        return x

    def reference(self, x: Array, grad: Array) -> Array:
        """Each element of the window takes the gradients of the positions at which it is the first maximum."""
        wide = widened(grad)
        result = np.zeros(x.shape, wide.dtype)
        nothing = wide.dtype.type(0)
        for at_position, at_input, found in self._first_maxima(widened(x)):
            result[at_input] += np.where(found, wide[at_position], nothing)
        return narrowed(result, x.dtype)

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """Where the maxima lie does not change a little; of the gradient it is a selection."""
        return [None, MaxPoolGather(self.window, self.strides, self.padding)(inputs[0], grads[0])]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """See ``_geometries``."""
        for attributes, shape in _geometries():
            op = cls(*attributes)
            grad = rng.normal(size=(shape[0], *op.geometry.positions(shape[1:-1]), shape[-1]))
            yield Sample(op, _distinct(rng, shape), grad)


@primitive
@final
class MaxPoolGather(_MaxPooling):
    """What lies, in the second input, where the first has its maxima: the first maximum of each window.

    The second input has the dtype of the first, or holds integers, such as places.
    """

    called = "max_pool_gather"

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """That of the values."""
        return dtypes[1:]

    def infer(self, x: TensorType, values: TensorType) -> Signature:
        """A position of the window in place of each spatial axis."""
        self._check(x)
        self._check_grad(x.shape, values, values.dtype if values.dtype.is_integer else x.dtype)
        return TensorType(values.dtype, self._pooled(x))

    def reference(self, x: Array, values: Array) -> Array:
        """Each element of the window is copied to the positions at which it is the first maximum."""
        spatial = self.geometry.positions(x.shape[1:-1])
        result = np.zeros((x.shape[0], *spatial, x.shape[-1]), values.dtype)
        for at_position, at_input, found in self._first_maxima(widened(x)):
            np.copyto(result[at_position], values[at_input], where=found)
        return result

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """The gradient goes back to where the values came from."""
        return [None, MaxPoolGrad(self.window, self.strides, self.padding)(inputs[0], grads[0])]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """See ``_geometries``."""
        for attributes, shape in _geometries():
            yield Sample(cls(*attributes), _distinct(rng, shape), rng.normal(size=shape))
        places = np.arange(24).reshape(1, 4, 3, 2)
        yield Sample(cls((2, 2), (1, 2), "SAME"), _distinct(rng, places.shape), places, wrt=())


class _AveragePooling(_Pooling):
    """Mean pooling and its derivative."""

    called = "average_pool"
    count_include_pad: bool = False

    def _counts(self, spatial: Sequence[int]) -> Array:
        """How many elements each mean is over, as an array ``[*positions, 1]``."""
        geometry = self.geometry
        result = np.ones((1,) * (len(spatial) + 1), np.int64)
        for axis, size in enumerate(spatial):
            count: int = geometry.positions_of(axis, size)  # type: ignore[assignment]
            along = np.full(count, self.window[axis] if self.count_include_pad else 0, np.int64)
            if not self.count_include_pad:
                for at_position, _ in geometry.taps_of_axis(axis, size, count):
                    along[at_position] += 1
            result = result * along.reshape(-1, *(1,) * (len(spatial) - axis))
        return np.maximum(result, 1)


@primitive
@final
class AvgPool(_AveragePooling):
    """Means over windows, of the elements that are there; with ``count_include_pad``, padding counts as zeros.

    float16 and bfloat16 accumulate in float32.
    """

    def infer(self, x: TensorType) -> Signature:
        """A position of the window in place of each spatial axis."""
        self._check(x, floating=True)
        return TensorType(x.dtype, self._pooled(x))

    def reference(self, x: Array) -> Array:
        """Sums along one axis after the other, divided by the counts."""
        result = _reduced(self.geometry, widened(x), np.add, 0)
        result /= self._counts(x.shape[1:-1])
        return narrowed(result, x.dtype)

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """Every element of a window takes an equal share."""
        spatial = tuple(inputs[0].shape.dims[1:-1])
        return [AvgPoolGrad(self.window, self.strides, self.padding, self.count_include_pad, spatial)(grads[0])]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """See ``_geometries``; one that counts padding."""
        for attributes, shape in _geometries():
            yield Sample(cls(*attributes), rng.normal(size=shape))
        yield Sample(cls((2, 2), (2, 2), "SAME", True), rng.normal(size=(1, 3, 4, 2)))


@primitive
@final
class AvgPoolGrad(_AveragePooling):
    """The gradient of means over windows, spread evenly over them."""

    called = "average_pool_grad"
    spreads = True
    spatial: tuple[Dim, ...]

    def infer(self, grad: TensorType) -> Signature:
        """The spatial sizes given."""
        self._check(grad, floating=True)
        batch, *given, channels = grad.dims
        for expected, size in zip(self._positions(self.spatial), given, strict=True):
            unify(
                expected,
                size,
                (
                    f"average_pool_grad: input 0 is {grad}, but a window over {list(self.spatial)} has {expected} "
                    f"positions where the gradient has {size}. Pass a gradient of the means."
                ),
            )
        return TensorType(grad.dtype, Shape((batch, *self.spatial, channels)))

    def reference(self, grad: Array) -> Array:
        """Shares, spread along one axis after the other."""
        spatial: tuple[int, ...] = self.spatial  # type: ignore[assignment]
        geometry = self.geometry
        share = widened(grad)
        share = narrowed(share / self._counts(spatial), share.dtype)
        for axis, size in enumerate(spatial):
            result = np.zeros((*share.shape[: axis + 1], size, *share.shape[axis + 2 :]), share.dtype)
            before = (slice(None),) * (axis + 1)
            for at_position, at_input in geometry.taps_of_axis(axis, size, share.shape[axis + 1]):
                result[(*before, at_input)] += share[(*before, at_position)]
            share = result
        return narrowed(share, grad.dtype)

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """Means again."""
        return [AvgPool(self.window, self.strides, self.padding, self.count_include_pad)(grads[0])]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """See ``_geometries``; one that counts padding."""
        for attributes, shape in [*_geometries(), (((2, 2), (2, 2), "SAME", True), (1, 3, 4, 2))]:
            op = cls(*attributes, spatial=shape[1:-1])
            yield Sample(op, rng.normal(size=(shape[0], *op.geometry.positions(shape[1:-1]), shape[-1])))


def _geometries() -> Iterable[tuple[tuple[Any, ...], tuple[int, ...]]]:
    """Attributes and inputs: one to three axes, all paddings, windows that overlap or leave gaps, no images."""
    yield ((2,), (2,), "VALID"), (2, 5, 2)
    yield ((2, 2), (2, 2), "VALID"), (2, 4, 5, 2)
    yield ((2, 2), (2, 2), "SAME"), (1, 3, 5, 2)
    yield ((3, 2), (1, 2), "SAME"), (1, 4, 3, 1)
    yield ((3, 3), (2, 1), ((1, 2), (0, 1))), (1, 5, 4, 1)
    yield ((1, 1), (2, 3), "VALID"), (1, 4, 5, 2)
    yield ((2, 1, 2), (1, 1, 2), "SAME"), (1, 2, 3, 3, 2)
    yield ((2, 2), (2, 2), "VALID"), (0, 4, 4, 1)


def _distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers without ties, and far enough apart for finite differences."""
    count = int(np.prod(shape))
    return (rng.permutation(count).reshape(shape) - count / 2) / 4


def max_pool(input: Any, window: Any, strides: Any = None, padding: Any = "VALID", name: str | None = None) -> Tensor:
    """Return the maxima over windows.

    Args:
        input: numbers of shape ``[batch, *spatial, channels]``.
        window: its size; an int, or one for each spatial axis.
        strides: how far it moves; as far as its size by default.
        padding: ``"SAME"`` (``ceil(size / stride)`` positions), ``"VALID"`` (windows that lie within), or for each
            spatial axis how many elements to add before and after. Padding is never a maximum.
        name: name of the node.

    Returns:
        A tensor of shape ``[batch, *positions, channels]``. A NaN in a window gives NaN; the gradient goes to the first
        maximum.

    Raises:
        ShapeError: the rank does not fit, the window is larger than the padded input, or a stride is below 1.
        DTypeError: the input holds no numbers.
        InvalidArgumentError: the padding has another form, or is not smaller than the window.

    Example:
        >>> max_pool(dt.zeros([8, 28, 28, 6]), 2).shape
        Shape([8, 14, 14, 6])
    """
    x = as_tensor(input)
    result: Tensor = MaxPool(*_attributes("max_pool", x, window, strides, padding))(x, name=name)
    return result


def average_pool(
    input: Any,
    window: Any,
    strides: Any = None,
    padding: Any = "VALID",
    name: str | None = None,
    count_include_pad: bool = False,
) -> Tensor:
    """Return the means over windows.

    Args:
        input: floating, of shape ``[batch, *spatial, channels]``.
        window: its size; an int, or one for each spatial axis.
        strides: how far it moves; as far as its size by default.
        padding: as for ``max_pool``.
        name: name of the node.
        count_include_pad: whether padding counts as zeros; by default a mean is taken over the elements that are there.

    Returns:
        A tensor of shape ``[batch, *positions, channels]``; float16 and bfloat16 accumulate in float32.

    Raises:
        ShapeError: the rank does not fit, the window is larger than the padded input, or a stride is below 1.
        DTypeError: the input is not floating.
        InvalidArgumentError: the padding has another form, or is not smaller than the window.

    Example:
        >>> average_pool(dt.zeros([8, 28, 28, 6]), 3, strides=2, padding="SAME").shape
        Shape([8, 14, 14, 6])
    """
    x = as_tensor(input)
    result: Tensor = AvgPool(*_attributes("average_pool", x, window, strides, padding), count_include_pad)(x, name=name)
    return result


def _attributes(
    operation: str, x: Tensor, window: Any, strides: Any, padding: Any
) -> tuple[tuple[int, ...], tuple[int, ...], Padding]:
    rank = None if x.shape.rank is None else max(x.shape.rank - 2, 0)
    sizes = as_spatial(operation, "window", window, rank)
    steps = sizes if strides is None else as_spatial(operation, "strides", strides, len(sizes))
    return sizes, steps, as_padding(operation, padding)
