"""Sums, products, extremes and truth over axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final, Literal, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive, register
from dovetail.ops.arithmetic import divide, multiply
from dovetail.ops.broadcasting import broadcast_to
from dovetail.ops.casting import cast
from dovetail.ops.comparison import equal
from dovetail.ops.complex_numbers import conj
from dovetail.ops.composites import CompositeOp
from dovetail.ops.reshaping import reshape, transpose
from dovetail.ops.running import cumprod
from dovetail.ops.scalars import fits
from dovetail.ops.sizes import Gradients, Tensors, Types, Values, as_axes, object_array, settled_axis
from dovetail.types.constraints import demand
from dovetail.types.dims import Dim, dim_max, dim_min, product
from dovetail.types.dtypes import DType, as_dtype
from dovetail.types.shapes import Shape, TensorType, normalize_axes

__all__ = [
    "All",
    "AnyOf",
    "Max",
    "Min",
    "Prod",
    "Reduction",
    "Sum",
    "SumTo",
    "axes_and_keepdims",
    "kept_dims",
    "reduce_all",
    "reduce_any",
    "reduce_max",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "sum_to",
]


def kept_dims(dims: Sequence[Dim], axes: Sequence[int]) -> tuple[Dim, ...]:
    """Return a shape with 1 on the given axes."""
    return tuple([1 if axis in axes else dim for axis, dim in enumerate(dims)])


_OPERANDS: Final[dict[str, tuple[Callable[[DType], bool], str]]] = {
    "number": (lambda dtype: dtype.is_number, "a numeric dtype"),
    "numeric": (lambda dtype: dtype.is_numeric, "a dtype of real numbers"),
    "bool": (lambda dtype: dtype.is_bool, "bool"),
}


class Reduction(Op):
    """One value for each group of elements: those that differ in their place on ``axes`` only.

    ``axes`` are ``None`` for all; with ``keepdims`` they stay, of size 1.
    """

    axes: tuple[int, ...] | None = None
    keepdims: bool = False
    label: ClassVar[str]
    ufunc: ClassVar[np.ufunc]
    operands: ClassVar[Literal["number", "numeric", "bool"]] = "numeric"

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The input's."""
        accepted, wanted = _OPERANDS[self.operands]
        if not accepted(dtypes[0]):
            raise DTypeError(f"{self.label}: the input is {dtypes[0].name}, where {wanted} is wanted. Use dt.cast.")
        return dtypes

    def infer(self, x: TensorType) -> Signature:
        """The input's shape without the axes."""
        (dtype,) = self.dtypes(x.dtype)
        axes = self.over(x)
        if self.keepdims:
            return TensorType(dtype, Shape(kept_dims(x.dims, axes)))
        return TensorType(dtype, Shape([dim for axis, dim in enumerate(x.dims) if axis not in axes]))

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """A scalar also where the rank is unknown, if all axes go."""
        if types[0].rank is None and self.axes is None and not self.keepdims:
            return (TensorType(self.dtypes(types[0].dtype)[0], Shape(())),)
        return super().infer_all(types)

    def over(self, x: TensorType) -> tuple[int, ...]:
        """Return the axes, counted from the front."""
        return normalize_axes(self.axes, len(x.dims), self.label)

    def reference(self, x: Array) -> Array:
        """NumPy's reduction, in the dtype of the input; half floats in float32."""
        wide = x.astype(np.float32) if as_dtype(x.dtype).is_half else x
        with np.errstate(all="ignore"):
            return np.asarray(self.reduce(wide)).astype(x.dtype, copy=False)

    def reduce(self, x: Array) -> Any:
        """Reduce an array that is computed in its own dtype."""
        return self.ufunc.reduce(x, axis=self.axes, dtype=x.dtype, keepdims=self.keepdims)

    def combine(self, dims: Sequence[Dim]) -> Dim | None:
        """The same of dimensions; ``None`` where it is no dimension."""
        return None

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The same of dimensions, where a whole vector is reduced."""
        if values[0] is None or types[0].dtype.size < 4 or not self.over(types[0]):
            return None
        combined = self.combine(values[0].reshape(-1).tolist())
        if combined is None:
            return None
        result = object_array([combined], (1,) if self.keepdims else ())
        return result if fits(result, types[0].dtype) else None

    def passes_through(self, types: Types) -> int | None:
        """Where each group is one element, and keeps its place."""
        axes = self.over(types[0])
        alone = all(types[0].dims[axis] == 1 for axis in axes)
        return 0 if not axes or (self.keepdims and alone) else None

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """One for each element."""
        return inputs[0].size

    def spread(self, value: Tensor, x: Tensor) -> Tensor:
        """Return one value for each group as one for each element of ``x``."""
        return broadcast_to(self.placed(value, x), x.shape.dims)

    def placed(self, value: Tensor, x: Tensor) -> Tensor:
        """Return one value for each group in a shape that broadcasts to that of ``x``."""
        axes = self.over(x.type)
        if self.keepdims or axes == tuple(range(len(axes))):
            return value
        return reshape(value, kept_dims(x.shape.dims, axes))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One axis, several, all, none; negative axes, ``keepdims``, scalars, one element, empty, integers."""

        def draw(*shape: int) -> Array:
            return rng.normal(size=shape) > 0.0 if cls.operands == "bool" else rng.normal(size=shape)

        yield Sample(cls((1,)), draw(2, 3, 4))
        yield Sample(cls((0, 2)), draw(2, 3, 4))
        yield Sample(cls((0, 1)), draw(2, 3, 4))
        yield Sample(cls((0, -1), True), draw(2, 3, 2))
        yield Sample(cls((-1,)), draw(2, 3))
        yield Sample(cls(), draw(2, 3))
        yield Sample(cls(None, True), draw(2, 3))
        yield Sample(cls(()), draw(2, 3))
        yield Sample(cls(), draw())
        yield Sample(cls((1,), True), draw(3, 1))
        yield Sample(cls((1,)), draw(0, 3))
        if cls.ufunc.identity is not None:
            yield Sample(cls((0,)), draw(0, 3))
            yield Sample(cls(), draw(0, 3))
        if cls.operands == "number":
            yield Sample(cls((1,)), draw(2, 3) + 1j * draw(2, 3))
        if cls.operands != "bool":
            yield Sample(cls((0,)), rng.integers(-5, 6, (4, 3)).astype(np.int32))
            yield Sample(cls(), rng.integers(0, 200, (5,)).astype(np.uint8))


@primitive
@final
class Sum(Reduction):
    """Sums over axes; 0 of nothing. Integers wrap."""

    label = "reduce_sum"
    operands = "number"
    ufunc = np.add

    def combine(self, dims: Sequence[Dim]) -> Dim | None:
        """Their sum."""
        return sum(dims)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Gradients:
        """The gradient of each sum, for each of its elements."""
        return [self.spread(grads[0], inputs[0])]


@primitive
@final
class Prod(Reduction):
    """Products over axes; 1 of nothing. Integers wrap."""

    label = "reduce_prod"
    operands = "number"
    ufunc = np.multiply

    def combine(self, dims: Sequence[Dim]) -> Dim | None:
        """Their product."""
        return product(dims)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Gradients:
        """Times the product of all other elements, which needs no division."""
        x = inputs[0]
        axes = self.over(x.type)
        if not axes:
            return [grads[0]]
        return [multiply(self.placed(grads[0], x), _products_of_others(conj(x), axes))]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Zeros too."""
        yield from super().samples(rng)
        x = rng.normal(size=(3, 4))
        x[0, 1] = x[1, 0] = x[1, 3] = 0.0
        yield Sample(cls((1,)), x)
        yield Sample(cls((0, 1)), x)


def _products_of_others(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Return for each element the product of the others in its group."""
    if len(axes) == 1:
        before, after = (cumprod(x, axes[0], exclusive=True, reverse=reverse) for reverse in (False, True))
        return multiply(before, after)
    dims = x.shape.dims
    kept = [axis for axis in range(len(dims)) if axis not in axes]
    order = [*kept, *axes]
    last = reshape(transpose(x, order), [*(dims[axis] for axis in kept), product(dims[axis] for axis in axes)])
    others = reshape(_products_of_others(last, (len(kept),)), [dims[axis] for axis in order])
    return transpose(others, [order.index(axis) for axis in range(len(dims))])


class _Extreme(Reduction):
    """The largest or smallest elements."""

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Any) -> Gradients:
        """Shared equally among the elements that are the extreme."""
        x = inputs[0]
        chosen = cast(equal(x, self.placed(outputs[0], x)), x.dtype)
        count = Sum(self.over(x.type), True)(chosen)
        return [multiply(chosen, divide(self.placed(grads[0], x), count))]

    def _of_some(self, x: Array) -> Any:
        """Reduce; groups of no elements are refused, and where there are no groups nothing is."""
        axes = range(x.ndim) if self.axes is None else self.axes
        empty = [axis for axis in axes if x.shape[axis] == 0]
        if empty and math.prod(kept_dims(x.shape, [axis % x.ndim for axis in axes])):  # type: ignore[arg-type]
            shown = f"{as_dtype(x.dtype).name}{list(x.shape)}"
            raise InvalidArgumentError(
                f"{self.label}: axis {empty[0]} of {shown} has no elements, and nothing has no extreme; reduce another "
                f"axis, or feed at least one element."
            )
        # NumPy refuses an axis without elements even where the result has none.
        return super().reduce(x) if x.size or not empty else np.sum(x, self.axes, x.dtype, keepdims=self.keepdims)


@primitive
@final
class Max(_Extreme):
    """The largest elements over axes; NaN where one is NaN. ``initial`` takes part, and is what nothing gives."""

    label = "reduce_max"
    ufunc = np.maximum
    initial: float | None = None

    def combine(self, dims: Sequence[Dim]) -> Dim | None:
        """The largest."""
        return dim_max(*dims) if dims and self.initial is None else None

    def reduce(self, x: Array) -> Any:
        """NumPy's maximum."""
        if self.initial is None:
            return self._of_some(x)
        return np.amax(x, self.axes, keepdims=self.keepdims, initial=self.initial)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Ties and ``initial`` too."""
        yield from super().samples(rng)
        yield Sample(cls((1,)), np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]]), wrt=())
        yield Sample(cls((0,), False, -math.inf), np.zeros((0, 3)), wrt=())
        yield Sample(cls((0,), False, 0.0), rng.uniform(1.0, 2.0, (3, 2)))


@primitive
@final
class Min(_Extreme):
    """The smallest elements over axes; NaN where one is NaN."""

    label = "reduce_min"
    ufunc = np.minimum

    def combine(self, dims: Sequence[Dim]) -> Dim | None:
        """The smallest."""
        return dim_min(*dims) if dims else None

    def reduce(self, x: Array) -> Any:
        """NumPy's minimum."""
        return self._of_some(x)


@primitive
@final
class All(Reduction):
    """Whether all elements over axes hold; true of nothing."""

    label = "reduce_all"
    ufunc = np.logical_and
    operands = "bool"
    differentiable = False


@primitive
@final
class AnyOf(Reduction):
    """Whether at least one element over axes holds; false of nothing."""

    name = "Any"
    label = "reduce_any"
    ufunc = np.logical_or
    operands = "bool"
    differentiable = False


# Undoing broadcasting. -----------------------------------------------------------------------------------------------


@register
@final
class SumTo(CompositeOp):
    """The first input summed over the axes along which the second was broadcast, so that it has the second's shape."""

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The first input's."""
        return dtypes[:1]

    def infer(self, *types: TensorType) -> Signature:
        """The second input's shape."""
        x, like = types
        if len(x.dims) < len(like.dims):
            raise ShapeError(f"sum_to: {x} has fewer axes than {like}, which cannot have been broadcast to it.")
        for whole, part in zip(x.dims[len(x.dims) - len(like.dims) :], like.dims, strict=True):
            # Whoever broadcast them has wanted that too, but may be left out of a program that only needs gradients.
            demand("broadcast", whole, part, lambda: f"sum_to: {like} cannot have been broadcast to {x}.")
        return TensorType(x.dtype, like.shape)

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """The second input's shape, also where the first's rank is unknown."""
        x, like = types
        return super().infer_all(types) if x.rank is not None else (TensorType(x.dtype, like.shape),)

    def decomposition(self, *tensors: Tensor) -> Tensor:
        """One sum; two sizes that are not known to differ count as equal, which the shape then demands."""
        x, like = tensors
        dims, wanted = x.shape.dims, like.shape.dims
        lead = len(dims) - len(wanted)
        padded = (1,) * lead + wanted
        axes = tuple([axis for axis, dim in enumerate(padded) if axis < lead or (dim == 1 and dims[axis] != 1)])
        total = Sum(axes)(x) if axes else x
        return total if total.shape == like.shape else reshape(total, wanted)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Gradients) -> Gradients:
        """Broadcast it again: which axes were summed over may not be known yet."""
        return [broadcast_to(grads[0], inputs[0].shape.dims), None]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """New axes, axes of size 1, both, none; scalars, empty."""
        for whole, part in (
            ((4, 2, 3), (3,)),
            ((2, 3), (2, 1)),
            ((4, 2, 3), (2, 1)),
            ((2, 1, 3), (1, 1)),
            ((2, 3), (2, 3)),
            ((2, 3), ()),
            ((0, 3), (1, 3)),
        ):
            yield Sample(cls(), rng.normal(size=whole), rng.normal(size=part), wrt=(0,))


def sum_to(x: Tensor, like: Tensor) -> Tensor:
    """Return ``x`` summed over the axes along which ``like`` was broadcast: the gradient of broadcasting.

    Args:
        x: a tensor of the broadcast shape.
        like: a tensor of the shape before. Only its shape matters.

    Returns:
        ``x`` itself where the two are known to have one shape.
    """
    if x.shape.rank is not None and x.shape == like.shape:
        return x
    result: Tensor = SumTo()(x, like)
    return result


# What users call. ----------------------------------------------------------------------------------------------------


def axes_and_keepdims(
    label: str, x: Tensor, axis: Any, keepdims: bool | None, reduction_indices: Any, keep_dims: bool | None
) -> tuple[tuple[int, ...] | None, bool]:
    """Read the arguments of a reduction, under their old names too.

    Raises:
        InvalidArgumentError: an argument is given under both names, or an axis is not known while the graph is built.
        DTypeError: an axis is no integer.
    """
    for name, value, old_name, old_value in (
        ("axis", axis, "reduction_indices", reduction_indices),
        ("keepdims", keepdims, "keep_dims", keep_dims),
    ):
        if value is not None and old_value is not None:
            raise InvalidArgumentError(f"{label}: {name} and its old name {old_name} are both given; use {name}.")
    axis = reduction_indices if axis is None else axis
    keep = bool(keep_dims if keepdims is None else keepdims)
    rank = x.shape.rank
    if axis is None:
        return None if rank is None else tuple(range(rank)), keep
    return tuple(sorted(settled_axis(one, rank) for one in as_axes(axis, f"{label}: axis"))), keep


def _reduced(op: type[Reduction], x: Any, name: str | None, *arguments: Any) -> Tensor:
    tensor = as_tensor(x)
    axes, keep = axes_and_keepdims(op.label, tensor, *arguments)
    result: Tensor = op(axes, keep)(tensor, name=name)
    return result


def reduce_sum(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Return sums over axes, in the dtype of the tensor; the sum of nothing is 0, and integers wrap.

    Args:
        input_tensor: a numeric tensor.
        axis: an axis or several to sum over; negative ones count from the last, ``None`` is all.
        keepdims: whether the axes stay, of size 1.
        name: name of the node.
        reduction_indices: the old name of ``axis``.
        keep_dims: the old name of ``keepdims``.

    Raises:
        ShapeError: an axis is out of range or named twice.
        DTypeError: the tensor is not numeric.

    Example:
        >>> dt.Session().run(dt.reduce_sum([[1, 2, 3], [4, 5, 6]], axis=0))
        array([5, 7, 9], dtype=int32)
    """
    return _reduced(Sum, input_tensor, name, axis, keepdims, reduction_indices, keep_dims)


def reduce_prod(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Return products over axes, in the dtype of the tensor; the product of nothing is 1, and integers wrap.

    The gradient is right also where elements are 0. The arguments and errors are those of ``reduce_sum``.

    Example:
        >>> dt.Session().run(dt.reduce_prod([[1, 2, 3], [4, 5, 6]], axis=1))
        array([  6, 120], dtype=int32)
    """
    return _reduced(Prod, input_tensor, name, axis, keepdims, reduction_indices, keep_dims)


def reduce_max(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Return the largest elements over axes; NaN where one is NaN.

    The gradient is shared equally among the largest. An axis without elements fails when it runs. The arguments and
    errors are those of ``reduce_sum``.

    Example:
        >>> dt.Session().run(dt.reduce_max([[1, 5, 3], [4, 2, 6]], axis=1))
        array([5, 6], dtype=int32)
    """
    return _reduced(Max, input_tensor, name, axis, keepdims, reduction_indices, keep_dims)


def reduce_min(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Return the smallest elements over axes; NaN where one is NaN.

    The gradient is shared equally among the smallest. An axis without elements fails when it runs. The arguments and
    errors are those of ``reduce_sum``.

    Example:
        >>> dt.Session().run(dt.reduce_min([[1, 5, 3], [4, 2, 6]], axis=1))
        array([1, 2], dtype=int32)
    """
    return _reduced(Min, input_tensor, name, axis, keepdims, reduction_indices, keep_dims)


def reduce_all(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Return whether all elements over axes hold; true of nothing.

    The arguments are those of ``reduce_sum``, but for the tensor, which is bool.

    Example:
        >>> dt.Session().run(dt.reduce_all([[True, True], [True, False]], axis=1))
        array([ True, False])
    """
    return _reduced(All, input_tensor, name, axis, keepdims, reduction_indices, keep_dims)


def reduce_any(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Tensor:
    """Return whether at least one element over axes holds; false of nothing.

    The arguments are those of ``reduce_sum``, but for the tensor, which is bool.

    Example:
        >>> dt.Session().run(dt.reduce_any([[False, True], [False, False]], axis=1))
        array([ True, False])
    """
    return _reduced(AnyOf, input_tensor, name, axis, keepdims, reduction_indices, keep_dims)
