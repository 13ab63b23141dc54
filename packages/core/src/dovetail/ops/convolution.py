"""Convolution of one to three spatial axes, and the two products that are its derivatives.

Inputs are ``[batch, *spatial, channels]``, filters ``[*window, channels / groups, filters]``. As everywhere in deep
learning, the filter is not flipped. ``Conv``, ``ConvInputGrad`` and ``ConvFilterGrad`` are the three derivatives of one
trilinear form, so that each one's gradients are the other two.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, final

import numpy as np

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.operators import TensorOperators
from dovetail.graph.registry import primitive
from dovetail.ops.constants import static_shape
from dovetail.ops.linear import narrowed, widened
from dovetail.ops.operands import apply
from dovetail.ops.windows import Padding, Window, as_padding, as_spatial
from dovetail.types.dims import Dim, floor_div, product
from dovetail.types.shapes import Shape, TensorType, demand, unify

__all__ = ["Conv", "ConvFilterGrad", "ConvInputGrad", "convolution", "convolution_transpose"]


class _Convolution(Op):
    """What the three have in common; errors begin with ``called``."""

    called: ClassVar[str] = "conv"
    strides: tuple[int, ...]
    padding: Padding
    dilations: tuple[int, ...]
    groups: int = 1

    def geometry(self, sizes: Sequence[Dim]) -> Window:
        """The geometry of a window of these sizes."""
        return Window(self.called, sizes, self.strides, self.dilations, self.padding)

    def _check(self, *types: TensorType) -> None:
        rank = len(self.strides)
        for index, one in enumerate(types):
            if len(one.dims) != rank + 2:
                raise ShapeError(
                    f"{self.called}: {self._shown(types)}; over {rank} spatial axes, input {index} has rank "
                    f"{rank + 2}: images are [batch, *spatial, channels], filters [*window, channels / groups, "
                    f"filters]. Use expand_dims or reshape."
                )
            if not one.dtype.is_floating:
                raise DTypeError(
                    f"{self.called}: input {index} is {one}, where a floating type is wanted. Use cast on it."
                )
        if types[0].dtype is not types[1].dtype:
            raise DTypeError(f"{self.called}: dtypes differ: {self._shown(types)}. Use cast on one of them.")
        if self.groups < 1:
            raise ShapeError(f"{self.called}: groups is {self.groups}. Use 1 or more.")

    def _shown(self, types: Sequence[TensorType]) -> str:
        grouped = f" (groups={self.groups})" if self.groups > 1 else ""
        return f"input 0 is {types[0]}, input 1 is {types[1]}{grouped}"

    def _check_filters(self, count: Dim, types: Sequence[TensorType]) -> None:
        demand(
            "divisible",
            count,
            self.groups,
            lambda: (
                f"{self.called}: {count} filters do not make {self.groups} groups: {self._shown(types)}. "
                f"Choose a multiple of the groups."
            ),
        )

    def _flops(self, images: TensorType, positions: Sequence[Dim], sizes: Sequence[Dim], filters: Dim) -> Dim:
        """A product and a sum for each channel and element of a window, at each position, for each filter."""
        depth = floor_div(images.dims[-1], self.groups)
        return 2 * product((images.dims[0], *positions, *sizes, depth, filters))

    def _shared(self) -> tuple[Any, ...]:
        return self.strides, self.padding, self.dilations, self.groups


@primitive
@final
class Conv(_Convolution):
    """Convolution of images with filters: a weighted sum over a window at each of its positions.

    float16 and bfloat16 accumulate in float32.
    """

    def infer(self, x: TensorType, filter: TensorType) -> Signature:
        """Batch, positions of the window, filters."""
        self._check(x, filter)
        *sizes, depth, filters = filter.dims
        batch, *spatial, channels = x.dims
        unify(
            channels,
            depth * self.groups,
            lambda: (
                f"conv: channels differ: {self._shown((x, filter))}; the input has {channels} channels, the filter "
                f"takes {depth * self.groups}. Make the filter's second last dimension the input's last divided by "
                f"groups, or check the layout, which is [batch, *spatial, channels]."
            ),
        )
        self._check_filters(filters, (x, filter))
        window = self.geometry(sizes)
        window.check(len(spatial))
        return TensorType(x.dtype, Shape((batch, *window.positions(spatial), filters)))

    def reference(self, x: Array, filter: Array) -> Array:
        """One product of all windows with all filters, for each group."""
        dtype, filters = x.dtype, filter.shape[-1]
        x, filter = widened(x), widened(filter)
        window = self.geometry(filter.shape[:-2])
        columns = _columns(window, x, self.groups)
        result = np.matmul(columns, _by_group(filter, self.groups))
        positions = window.positions(x.shape[1:-1])
        result = result.transpose(1, 0, 2).reshape(x.shape[0], *positions, filters)
        return narrowed(result, dtype)

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """Products and sums."""
        return self._flops(inputs[0], outputs[0].dims[1:-1], inputs[1].dims[:-2], outputs[0].dims[-1])

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """The other two of the three products."""
        x, filter = inputs
        return [
            ConvInputGrad(*self._shared(), tuple(x.shape.dims[1:-1]))(filter, grads[0]),
            ConvFilterGrad(*self._shared(), tuple(filter.shape.dims[:-2]))(x, grads[0]),
        ]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """See ``_geometries``."""
        for attributes, x, filter in _geometries():
            yield Sample(cls(*attributes), rng.normal(size=x), rng.normal(size=filter))


@primitive
@final
class ConvInputGrad(_Convolution):
    """The gradient of a convolution with respect to its images: of a filter and a gradient.

    Used forward, it is the transposed convolution, which spreads each element of its second input over a window.
    """

    called = "conv_transpose"
    spatial: tuple[Dim, ...]

    def infer(self, filter: TensorType, grad: TensorType) -> Signature:
        """Batch of the gradient, the sizes given, channels of the filter."""
        self._check(filter, grad)
        *sizes, depth, filters = filter.dims
        batch, *positions, count = grad.dims
        unify(
            filters,
            count,
            lambda: (
                f"conv_transpose: channels differ: {self._shown((filter, grad))}; the filter takes {filters} channels, "
                f"input 1 has {count}. Make the filter's last dimension the last of input 1."
            ),
        )
        self._check_filters(filters, (filter, grad))
        window = self.geometry(sizes)
        window.check(len(positions))
        for axis, (expected, given) in enumerate(zip(window.positions(self.spatial), positions, strict=True)):
            unify(
                expected,
                given,
                lambda axis=axis, expected=expected, given=given: (  # type: ignore[misc]
                    f"conv_transpose: spatial axis {axis} of an output of size {self.spatial[axis]} has {expected} "
                    f"windows, but input 1 is {grad} with {given}. Choose another output size, strides or padding."
                ),
            )
        return TensorType(grad.dtype, Shape((batch, *self.spatial, depth * self.groups)))

    def reference(self, filter: Array, grad: Array) -> Array:
        """One product for each element of the window, in one call, then a sum of shifted slices."""
        dtype, groups = grad.dtype, self.groups
        *sizes, depth, filters = filter.shape
        filter, grad = widened(filter), widened(grad)
        batch, *positions = grad.shape[:-1]
        spatial: Any = self.spatial
        rows, taps = math.prod((batch, *positions)), math.prod(sizes)
        split = grad.reshape(rows, groups, filters // groups)
        if depth == groups == 1:
            # A matrix times a vector for each element of the window would read the gradient as many times.
            spread = filter.reshape(taps, filters) @ split.reshape(rows, filters).T
        else:
            kernel = filter.reshape(taps, depth, groups, filters // groups)
            spread = np.matmul(split.transpose(1, 0, 2), kernel.transpose(0, 2, 3, 1))
            spread = spread.transpose(0, 2, 1, 3)
        spread = spread.reshape(*sizes, batch, *positions, groups * depth)
        result = np.zeros((batch, *spatial, groups * depth), grad.dtype)
        for tap, at_position, at_input in self.geometry(sizes).taps(spatial, positions):
            result[at_input] += spread[tap][at_position]
        return narrowed(result, dtype)

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """Products and sums."""
        return self._flops(outputs[0], inputs[1].dims[1:-1], inputs[0].dims[:-2], inputs[1].dims[-1])

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """The other two of the three products."""
        filter, grad = inputs
        return [
            ConvFilterGrad(*self._shared(), tuple(filter.shape.dims[:-2]))(grads[0], grad),
            Conv(*self._shared())(grads[0], filter),
        ]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """See ``_geometries``."""
        for attributes, x, filter in _geometries():
            op = cls(*attributes, spatial=x[1:-1])
            positions = op.geometry(filter[:-2]).positions(x[1:-1])
            yield Sample(op, rng.normal(size=filter), rng.normal(size=(x[0], *positions, filter[-1])))


@primitive
@final
class ConvFilterGrad(_Convolution):
    """The gradient of a convolution with respect to its filter: of images and a gradient."""

    called = "conv_filter_grad"
    sizes: tuple[Dim, ...]

    def infer(self, x: TensorType, grad: TensorType) -> Signature:
        """The window, channels of the images for each group, channels of the gradient."""
        self._check(x, grad)
        batch, *spatial, channels = x.dims
        other, *positions, filters = grad.dims
        demand(
            "divisible",
            channels,
            self.groups,
            lambda: (
                f"conv_filter_grad: {channels} channels do not make {self.groups} groups: {self._shown((x, grad))}. "
                f"Choose a divisor of the channels."
            ),
        )
        self._check_filters(filters, (x, grad))
        window = self.geometry(self.sizes)
        window.check(len(spatial))
        for expected, given in zip((batch, *window.positions(spatial)), (other, *positions), strict=True):
            unify(
                expected,
                given,
                lambda expected=expected, given=given: (  # type: ignore[misc]
                    f"conv_filter_grad: {self._shown((x, grad))}; a size of input 1 is {given}, where {expected} is "
                    f"expected. Pass a gradient of the convolution."
                ),
            )
        return TensorType(x.dtype, Shape((*self.sizes, floor_div(channels, self.groups), filters)))

    def reference(self, x: Array, grad: Array) -> Array:
        """One product of all windows with all gradients, for each group."""
        dtype, groups, filters = x.dtype, self.groups, grad.shape[-1]
        depth = x.shape[-1] // groups
        x, grad = widened(x), widened(grad)
        columns = _columns(self.geometry(self.sizes), x, groups)
        split = grad.reshape(columns.shape[1], groups, filters // groups)
        result = np.matmul(columns.transpose(0, 2, 1), split.transpose(1, 0, 2))
        result = result.transpose(1, 0, 2).reshape(*self.sizes, depth, filters)
        return narrowed(result, dtype)

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """Products and sums."""
        return self._flops(inputs[0], inputs[1].dims[1:-1], self.sizes, inputs[1].dims[-1])

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Tensor]
    ) -> list[Tensor | None]:
        """The other two of the three products."""
        x, grad = inputs
        return [
            ConvInputGrad(*self._shared(), tuple(x.shape.dims[1:-1]))(grads[0], grad),
            Conv(*self._shared())(x, grads[0]),
        ]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """See ``_geometries``."""
        for attributes, x, filter in _geometries():
            op = cls(*attributes, sizes=filter[:-2])
            positions = op.geometry(filter[:-2]).positions(x[1:-1])
            yield Sample(op, rng.normal(size=x), rng.normal(size=(x[0], *positions, filter[-1])))


def _columns(window: Window, x: Array, groups: int) -> Array:
    """Give every window as a row: an array ``[groups, batch * positions, window * channels / groups]``.

    With one channel the windows are laid out as columns, so that what is copied at a time is a row of the image.
    """
    rank, depth = len(window.sizes), x.shape[-1] // groups
    view = window.view(x)
    batch, *positions = view.shape[: rank + 1]
    rows, length = math.prod((batch, *positions)), math.prod(view.shape[rank + 1 : -1]) * depth
    if groups == depth == 1:
        return (
            view.transpose(*range(rank + 1, 2 * rank + 2), *range(rank + 1)).reshape(1, length, rows).transpose(0, 2, 1)
        )
    if groups == 1:
        return view.reshape(1, rows, length)
    split = view.reshape(*view.shape[:-1], groups, depth)
    return split.transpose(2 * rank + 1, *range(2 * rank + 1), 2 * rank + 2).reshape(groups, rows, length)


def _by_group(filter: Array, groups: int) -> Array:
    """Give the filter as an array ``[groups, window * channels / groups, filters / groups]``."""
    return filter.reshape(math.prod(filter.shape[:-1]), groups, filter.shape[-1] // groups).transpose(1, 0, 2)


def _geometries() -> Iterable[tuple[tuple[Any, ...], tuple[int, ...], tuple[int, ...]]]:
    """Attributes, images and filters: one to three axes, all paddings, strides, dilations, groups, no images."""
    yield ((1,), "VALID", (1,)), (2, 6, 2), (3, 2, 3)
    yield ((2,), "SAME", (1,)), (1, 7, 1), (4, 1, 2)
    yield ((1, 1), "SAME", (1, 1)), (2, 4, 5, 2), (3, 3, 2, 2)
    yield ((1, 1), "VALID", (1, 1)), (2, 5, 4, 1), (3, 2, 1, 2)
    yield ((2, 2), "SAME", (1, 1)), (1, 5, 6, 2), (3, 2, 2, 3)
    yield ((1, 2), ((1, 0), (2, 1)), (1, 1)), (1, 4, 5, 2), (2, 3, 2, 2)
    yield ((1, 1), "SAME", (2, 1)), (1, 6, 4, 1), (3, 3, 1, 2)
    yield ((3, 2), "VALID", (1, 2)), (1, 7, 6, 2), (2, 2, 2, 1)
    yield ((1, 1), "VALID", (1, 1)), (2, 3, 3, 3), (1, 1, 3, 2)
    yield ((2, 2), "SAME", (1, 1), 2), (1, 5, 4, 4), (3, 3, 2, 4)
    yield ((1, 1), "VALID", (1, 1), 3), (1, 4, 4, 3), (2, 2, 1, 6)
    yield ((1, 2, 1), "SAME", (1, 1, 1)), (1, 3, 4, 3, 2), (2, 3, 2, 2, 2)
    yield ((1, 1, 1), "VALID", (1, 1, 2)), (1, 3, 3, 4, 1), (2, 2, 2, 1, 2)
    yield ((1, 1), "SAME", (1, 1)), (0, 4, 4, 2), (3, 3, 2, 2)


def convolution(
    input: Any,
    filter: Any,
    strides: Any = 1,
    padding: Any = "VALID",
    dilations: Any = 1,
    groups: int = 1,
    name: str | None = None,
) -> Tensor:
    """Return the convolution of images with filters.

    ``output[b, p, k] = sum over w and c of input[b, p * stride + w * dilation - before, c] * filter[w, c, k]``, where
    positions p and elements w of the window run over one to three axes. The filter is not flipped.

    Args:
        input: floating, of shape ``[batch, *spatial, channels]``.
        filter: of the same dtype and shape ``[*window, channels / groups, filters]``.
        strides: how far the window moves; an int, or one for each spatial axis.
        padding: ``"SAME"`` (zeros around, so that there are ``ceil(size / stride)`` positions), ``"VALID"`` (none), or
            for each spatial axis the pair of numbers of zeros before and after.
        dilations: distance between the elements of a window; an int, or one for each spatial axis.
        groups: channels and filters are divided into so many groups, which do not see each other.
        name: name of the node.

    Returns:
        A tensor of shape ``[batch, *positions, filters]``; float16 and bfloat16 accumulate in float32.

    Raises:
        ShapeError: ranks, channels or groups do not fit, the window is larger than the padded input, or a stride is
            below 1.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: the padding has another form.

    Example:
        >>> images, filters = dt.zeros([8, 28, 28, 1]), dt.zeros([5, 5, 1, 6])
        >>> convolution(images, filters, strides=2, padding="SAME").shape
        Shape([8, 14, 14, 6])
    """
    rank = _spatial_rank(_shape_of(input), _shape_of(filter))
    op = Conv(
        as_spatial("conv", "strides", strides, rank),
        as_padding("conv", padding),
        as_spatial("conv", "dilations", dilations, rank),
        groups,
    )
    return apply(op, "conv", ("input", "filter"), (input, filter), name)


def _shape_of(value: Any) -> Shape:
    return as_tensor(value).shape if isinstance(value, TensorOperators) else Shape(np.shape(value))


def _spatial_rank(*shapes: Shape) -> int | None:
    return next((max(shape.rank - 2, 0) for shape in shapes if shape.rank is not None), None)


def convolution_transpose(
    input: Any,
    filter: Any,
    strides: Any = 1,
    padding: Any = "VALID",
    dilations: Any = 1,
    groups: int = 1,
    output_size: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return the transposed convolution: what ``convolution`` does to gradients, used forward (Zeiler et al., 2010).

    Args:
        input: floating, of shape ``[batch, *spatial, filters]``.
        filter: of the same dtype and shape ``[*window, channels / groups, filters]``, as a convolution from the output
            to the input would take it.
        strides: how far apart the windows lie in the output; an int, or one for each spatial axis.
        padding: the padding of that convolution: what falls on it is dropped.
        dilations: distance between the elements of a window; an int, or one for each spatial axis.
        groups: channels and filters are divided into so many groups.
        output_size: sizes of the output's spatial axes, of which several may fit; by default ``size * stride`` for
            ``"SAME"`` and the smallest that fits otherwise.
        name: name of the node.

    Returns:
        A tensor of shape ``[batch, *output_size, channels]``.

    Raises:
        ShapeError: ranks, channels, groups or ``output_size`` do not fit.
        DTypeError: the dtypes differ or are not floating.
        InvalidArgumentError: the padding has another form.

    Example:
        >>> maps, filters = dt.zeros([8, 7, 7, 6]), dt.zeros([5, 5, 1, 6])
        >>> convolution_transpose(maps, filters, strides=2, padding="SAME").shape
        Shape([8, 14, 14, 1])
    """
    shape, kernel = _shape_of(input), _shape_of(filter)
    rank = _spatial_rank(shape)
    if rank is None or shape.rank != kernel.rank:
        raise ShapeError(
            f"conv_transpose: the input has shape {shape} and the filter {kernel}, whose ranks must be known and "
            f"equal. Use set_shape, expand_dims or reshape."
        )
    window = Window(
        "conv_transpose",
        kernel.dims[:-2],
        as_spatial("conv_transpose", "strides", strides, rank),
        as_spatial("conv_transpose", "dilations", dilations, rank),
        as_padding("conv_transpose", padding),
    )
    window.check(len(window.sizes))
    spatial = Shape(window.inverse(shape.dims[1:-1])) if output_size is None else static_shape(output_size)
    if spatial is None or spatial.rank != rank:
        raise ShapeError(
            f"conv_transpose: output_size is {output_size!r}. Give a known size for each of {rank} spatial axes."
        )
    op = ConvInputGrad(window.strides, window.padding, window.dilations, groups, tuple(spatial.dims))
    return apply(op, "conv_transpose", ("filter", "input"), (filter, input), name)
