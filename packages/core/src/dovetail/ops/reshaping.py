"""Other shapes and orders of the same elements: ``reshape``, ``expand_dims``, ``squeeze``, ``transpose``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.complex_numbers import conj
from dovetail.ops.shapes import shape
from dovetail.ops.sizes import (
    Gradients,
    Resolved,
    Sizes,
    Tensors,
    Types,
    Values,
    as_axes,
    as_axis,
    opaque_name,
    opaque_shape,
    settled_axis,
    sizes_of,
)
from dovetail.types.dims import Dim, SymbolicDim, floor_div, product
from dovetail.types.shapes import Shape, TensorType, demand, normalize_axes, normalize_axis

__all__ = [
    "DynamicReshape",
    "ExpandDims",
    "Reshape",
    "Squeeze",
    "Transpose",
    "as_shape_tensor",
    "check_shape_tensor",
    "counted",
    "expand_dims",
    "matrix_transpose",
    "reshape",
    "squeeze",
    "transpose",
]


def shape_text(dims: Iterable[Any]) -> str:
    """Print sizes as a shape, -1 and unknown ones included."""
    return f"[{', '.join('?' if dim is None else str(dim) for dim in dims)}]"


def check_shape_tensor(operation: str, given: TensorType, count: int | None) -> None:
    """Check the type of a tensor that says a shape.

    Raises:
        DTypeError: it is not of integers.
        ShapeError: it is no vector, or of another length than ``count``.
    """
    if not given.dtype.is_integer:
        raise DTypeError(f"{operation}: the shape is {given}; use an integer tensor.")
    if given.rank is None:
        return
    if given.rank != 1:
        raise ShapeError(f"{operation}: the shape is {given}; use a vector.")
    if count is not None:
        demand("equal", given.dims[0], count, f"{operation}: the shape is {given}, where {count} sizes are expected.")


@primitive
@final
class Reshape(Op):
    """The elements in another shape, in row-major order; one size may be -1 and takes what is left."""

    shape: tuple[Dim, ...]

    def passes_through(self, types: Types) -> int | None:
        """The input, where the shape stays."""
        return 0

    def infer(self, x: TensorType) -> Signature:
        """The shape asked for; the number of elements must stay."""
        dims = self.shape
        total = x.size
        known = product(dim for dim in dims if dim != -1)
        for dim in dims:
            if isinstance(dim, int) and dim < -1:
                raise ShapeError(
                    f"reshape: the shape {shape_text(dims)} holds {dim}; sizes are at least 0, or -1 once for the rest."
                )
        if -1 in dims:
            if dims.count(-1) > 1:
                raise ShapeError(
                    f"reshape: the shape {shape_text(dims)} holds -1 more than once; only one size can be worked out."
                )
            if known == 0:
                raise ShapeError(
                    f"reshape: the shape {shape_text(dims)} of {x} leaves -1 open, as the other sizes make 0; give all."
                )
            demand(
                "divisible",
                total,
                known,
                lambda: (
                    f"reshape: {x} has {total} elements, which do not divide by {known} for shape {shape_text(dims)}. "
                    f"Change the sizes other than -1."
                ),
            )
            rest = floor_div(total, known)
            return TensorType(x.dtype, Shape([rest if dim == -1 else dim for dim in dims]))
        demand(
            "equal",
            total,
            known,
            lambda: (
                f"reshape: {x} has {total} elements, which do not fill shape {shape_text(dims)} of {known}. "
                f"Use -1 for the size that should be worked out."
            ),
        )
        return TensorType(x.dtype, Shape(dims))

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """The shape asked for, also of an input of unknown rank."""
        if types[0].rank is None and -1 not in self.shape:
            return (TensorType(types[0].dtype, Shape(self.shape)),)
        return super().infer_all(types)

    def reference(self, x: Array) -> Array:
        """NumPy's reshape, a view where that is possible."""
        return x.reshape(self.shape)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradient in the input's shape."""
        return (reshape(grads[0], shape(inputs[0])),)

    gradient_without_ranks = True

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The elements in the new shape."""
        if values[0] is None or not all(isinstance(dim, int) for dim in self.shape):
            return None
        return values[0].reshape(self.shape)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """With and without -1, to and from scalars, empty, integers, strings."""
        yield Sample(cls((3, 2)), rng.normal(size=(2, 3)))
        yield Sample(cls((-1,)), rng.normal(size=(2, 3)))
        yield Sample(cls((2, -1, 1)), rng.normal(size=(6,)))
        yield Sample(cls(()), rng.normal(size=(1, 1)))
        yield Sample(cls((1, 1)), np.float64(3.0))
        yield Sample(cls((3, 0)), np.zeros((0, 5)))
        yield Sample(cls((-1, 4)), np.zeros((0, 4)))
        yield Sample(cls((2, 2)), np.arange(4, dtype=np.int32))
        yield Sample(cls((2, 1)), np.array([b"a", b"bc"], object))


@primitive
@final
class DynamicReshape(Op):
    """``Reshape`` to a shape that only the run computes; ``sizes`` holds what is known of it."""

    sizes: Sizes | None
    symbol: str

    def infer(self, x: TensorType, shape: TensorType) -> Signature:
        """The known sizes, and opaque symbols for the others."""
        return self.infer_all((x, shape))[0]

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """The known sizes, and opaque symbols for the others; the input's rank does not matter."""
        x, given = types
        check_shape_tensor("reshape", given, None if self.sizes is None else len(self.sizes))
        return (TensorType(x.dtype, opaque_shape(counted(self.sizes, given), self.symbol)),)

    def reference(self, x: Array, shape: Array) -> Array:
        """Reshape to what the vector says."""
        try:
            return x.reshape(shape.tolist())
        except ValueError as error:
            raise InvalidArgumentError(
                f"reshape: an array of shape {list(x.shape)} does not fill shape {shape.tolist()}. Change one."
            ) from error

    def resolve(self, types: Types, values: Values) -> Resolved:
        """``Reshape``, once the elements of the shape are known."""
        return None if values[1] is None or types[0].rank is None else (Reshape(tuple(values[1].tolist())), (0,))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradient in the input's shape."""
        return reshape(grads[0], shape(inputs[0])), None

    gradient_without_ranks = True

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Partly known, unknown, with -1."""
        yield Sample(cls((None, 2), "reshape.sample"), rng.normal(size=(2, 3)), np.array([3, 2], np.int32))
        yield Sample(cls((None, 3), "reshape.sample"), rng.normal(size=(2, 3)), np.array([-1, 3], np.int64))


def counted(sizes: Sizes | None, given: TensorType) -> Sizes | None:
    """Return the sizes, or as many unknown ones as the vector of sizes is long."""
    if sizes is None and given.rank == 1 and isinstance(given.dims[0], int):
        return (None,) * given.dims[0]
    return sizes


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return the elements of a tensor in another shape, in row-major order.

    Args:
        tensor: the tensor.
        shape: the sizes: ints, dimensions, scalar tensors, or an integer vector; one may be -1 and takes what is left.
        name: name of the node.

    Raises:
        ShapeError: the number of elements differs, or -1 cannot be worked out.
        DTypeError: a size is no integer.

    Example:
        >>> dt.reshape(dt.zeros([2, 6]), [4, -1]).shape
        Shape([4, 3])
    """
    x = as_tensor(tensor)
    sizes = sizes_of(shape, "reshape: shape")
    known = None if sizes is None else tuple([size for size in sizes if size is not None])
    result: Tensor
    if (
        sizes is not None
        and known is not None
        and len(known) == len(sizes)
        and not (x.shape.rank is None and -1 in known)
    ):
        result = Reshape(known if x.shape.rank is None else _without_rest(x.shape, known))(x, name=name)
        return result
    left = None if sizes is None else tuple([None if size == -1 else size for size in sizes])
    result = DynamicReshape(left, opaque_name("reshape"))(x, as_shape_tensor(shape), name=name or "Reshape")
    return result


def _without_rest(shape: Shape, sizes: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """Replace -1 where a symbolic size stands beside it, which may turn out as 0 and then leave -1 open."""
    if sizes.count(-1) != 1 or not any(isinstance(size, SymbolicDim) for size in sizes):
        return sizes
    known = product(size for size in sizes if size != -1)
    rest = floor_div(shape.size, known)
    return tuple([rest if size == -1 else size for size in sizes]) if rest * known == shape.size else sizes


def as_shape_tensor(shape: Any) -> Tensor:
    """Return an argument that says a shape as an integer vector."""
    tensor = as_tensor(shape if isinstance(shape, Tensor | list | tuple | np.ndarray) else [shape])
    return expand_dims(tensor, 0) if tensor.shape.rank == 0 else tensor


# Axes of size 1. -----------------------------------------------------------------------------------------------------


@primitive
@final
class ExpandDims(Op):
    """A new axis of size 1."""

    axis: int

    def infer(self, x: TensorType) -> Signature:
        """The shape with the new axis."""
        axis = normalize_axis(self.axis, len(x.dims) + 1, "expand_dims")
        return TensorType(x.dtype, Shape((*x.dims[:axis], 1, *x.dims[axis:])))

    def reference(self, x: Array) -> Array:
        """A view."""
        return np.expand_dims(x, self.axis)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradient without the axis."""
        return (Squeeze((self.axis,))(grads[0]),)

    gradient_without_ranks = True

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The elements with the new axis."""
        return None if values[0] is None else np.expand_dims(values[0], self.axis)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """First, last and inner axis, a scalar, integers."""
        yield Sample(cls(0), rng.normal(size=(2, 3)))
        yield Sample(cls(-1), rng.normal(size=(2, 3)))
        yield Sample(cls(-2), rng.normal(size=(0, 3)))
        yield Sample(cls(0), np.float64(1.0))
        yield Sample(cls(1), np.arange(2, dtype=np.int64))


@primitive
@final
class Squeeze(Op):
    """The tensor without axes of size 1: those named, or for ``None`` all that are sure to have that size."""

    axes: tuple[int, ...] | None = None

    def _settled(self, dims: Sequence[Dim]) -> tuple[int, ...]:
        if self.axes is not None:
            return normalize_axes(self.axes, len(dims), "squeeze")
        return tuple([axis for axis, dim in enumerate(dims) if dim == 1])

    def resolve(self, types: Types, values: Values) -> Resolved:
        """The axes, once the sizes are known as far as a plan knows them; a symbolic size that is fed as 1 stays."""
        if self.axes is not None or types[0].rank is None:
            return None
        return Squeeze(self._settled(types[0].dims)), (0,)

    def infer(self, x: TensorType) -> Signature:
        """The shape without the axes."""
        axes = self._settled(x.dims)
        for axis in axes:
            if x.dims[axis] != 1:
                text = f"squeeze: axis {axis} of {x} has size {x.dims[axis]}; only axes of size 1 can go. Name another."
                demand("equal", x.dims[axis], 1, text)
        return TensorType(x.dtype, Shape([dim for axis, dim in enumerate(x.dims) if axis not in axes]))

    def reference(self, x: Array) -> Array:
        """A view."""
        return np.squeeze(x, self._settled(x.shape))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradient with the axes."""
        return (reshape(grads[0], shape(inputs[0])),)

    gradient_without_ranks = True

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The elements without the axes."""
        return None if values[0] is None else np.squeeze(values[0], self._settled(values[0].shape))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Named and unnamed axes, none to go, integers."""
        yield Sample(cls((0, -1)), rng.normal(size=(1, 3, 1)))
        yield Sample(cls(), rng.normal(size=(1, 3, 1)))
        yield Sample(cls(), rng.normal(size=(2, 3)))
        yield Sample(cls((1,)), np.zeros((0, 1)))
        yield Sample(cls(), np.ones((1, 1), np.int32))


def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """Return the tensor with a new axis of size 1.

    Args:
        input: the tensor.
        axis: where the axis stands in the result, from ``-rank - 1`` to ``rank``.
        name: name of the node.
        dim: an older name of ``axis``.

    Raises:
        ShapeError: the axis is out of range.
        InvalidArgumentError: both or none of ``axis`` and ``dim`` are given.

    Example:
        >>> dt.expand_dims(dt.zeros([2, 3]), -1).shape
        Shape([2, 3, 1])
    """
    if (axis is None) == (dim is None):
        raise InvalidArgumentError("expand_dims: give axis (dim is its older name; not both).")
    x = as_tensor(input)
    at = as_axis(dim if axis is None else axis, "expand_dims: axis")
    result: Tensor = ExpandDims(settled_axis(at, None if x.shape.rank is None else x.shape.rank + 1))(x, name=name)
    return result


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Tensor:
    """Return the tensor without axes of size 1.

    Args:
        input: the tensor.
        axis: the axis or axes to drop; by default all that are known to have size 1. Symbolic ones stay.
        name: name of the node.
        squeeze_dims: an older name of ``axis``.

    Raises:
        ShapeError: an axis named has another size.

    Example:
        >>> dt.squeeze(dt.zeros([1, 3, 1])).shape
        Shape([3])
    """
    if axis is not None and squeeze_dims is not None:
        raise InvalidArgumentError("squeeze: give axis or squeeze_dims (its older name), not both.")
    x = as_tensor(input)
    given = squeeze_dims if axis is None else axis
    axes = () if given is None else tuple([settled_axis(one, x.shape.rank) for one in as_axes(given, "squeeze: axis")])
    result: Tensor = Squeeze(axes or None)(x, name=name)
    return result


# Transpose. ----------------------------------------------------------------------------------------------------------


@primitive
@final
class Transpose(Op):
    """The axes in another order; reversed for ``None``."""

    perm: tuple[int, ...] | None = None

    def passes_through(self, types: Types) -> int | None:
        """The input, where the axes keep their order."""
        rank = len(types[0].dims)
        order = range(rank)[::-1] if self.perm is None else [axis % rank for axis in self.perm]
        return 0 if list(order) == list(range(rank)) else None

    def default_name(self) -> str:
        """``transpose``, as TensorFlow 1 names it."""
        return "transpose"

    def infer(self, x: TensorType) -> Signature:
        """The sizes in the new order."""
        order = range(len(x.dims))[::-1] if self.perm is None else self.perm
        if len(order) != len(x.dims):
            raise ShapeError(
                f"transpose: perm {list(order)} has {len(order)} axes, but the input is {x}. Name each axis once."
            )
        axes = [normalize_axis(axis, len(x.dims), "transpose") for axis in order]
        if len(set(axes)) != len(axes):
            raise ShapeError(f"transpose: perm {list(order)} names an axis twice. Name each axis of {x} once.")
        return TensorType(x.dtype, Shape([x.dims[axis] for axis in axes]))

    def reference(self, x: Array) -> Array:
        """A view."""
        return np.transpose(x, self.perm)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradient in the order before."""
        if self.perm is None:
            return (Transpose()(grads[0]),)
        back = [0] * len(self.perm)
        for place, axis in enumerate(self.perm):
            back[axis % len(self.perm)] = place
        return (Transpose(tuple(back))(grads[0]),)

    gradient_without_ranks = True

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The elements in the new order."""
        return None if values[0] is None else np.transpose(values[0], self.perm)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Reversed, given, with negative axes, scalars, empty, integers."""
        yield Sample(cls(), rng.normal(size=(2, 3)))
        yield Sample(cls((2, 0, 1)), rng.normal(size=(2, 3, 4)))
        yield Sample(cls((0, -1, -2)), rng.normal(size=(2, 1, 3)))
        yield Sample(cls(()), np.float64(1.0))
        yield Sample(cls((1, 0)), np.zeros((0, 2)))
        yield Sample(cls((1, 0)), np.arange(6, dtype=np.int32).reshape(2, 3))


def transpose(a: Any, perm: Any = None, name: str | None = "transpose", conjugate: bool = False) -> Tensor:
    """Return the tensor with its axes in another order.

    Args:
        a: the tensor.
        perm: which axis of ``a`` becomes axis 0, 1, …; by default the order is reversed.
        name: name of the node.
        conjugate: whether complex numbers are conjugated as well.

    Raises:
        ShapeError: ``perm`` does not name each axis once.
        InvalidArgumentError: ``perm`` is not known while the graph is built.

    Example:
        >>> dt.transpose(dt.zeros([2, 3, 4]), [0, 2, 1]).shape
        Shape([2, 4, 3])
    """
    x = as_tensor(a)
    order = None if perm is None else as_axes(perm, "transpose: perm")
    if x.shape.rank is not None and order is None:
        order = tuple(range(x.shape.rank))[::-1]
    if x.shape.rank is not None and order is not None:
        order = tuple([settled_axis(axis, x.shape.rank) for axis in order])
    result: Tensor = Transpose(order)(conj(x) if conjugate and x.dtype.is_complex else x, name=name)
    return result


def matrix_transpose(a: Any, name: str | None = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """Return the tensor with its last two axes exchanged.

    Args:
        a: the tensor.
        name: name of the node.
        conjugate: whether complex numbers are conjugated as well.

    Raises:
        ShapeError: the tensor has fewer than two axes, or its rank is unknown.

    Example:
        >>> dt.matrix_transpose(dt.zeros([5, 2, 3])).shape
        Shape([5, 3, 2])
    """
    x = as_tensor(a)
    if x.shape.rank is None or x.shape.rank < 2:
        raise ShapeError(f'matrix_transpose: "{x.name}" is {x.type}; at least two axes are needed. {x.op.where()}')
    axes = tuple(range(x.shape.rank))
    return transpose(x, (*axes[:-2], axes[-1], axes[-2]), name=name, conjugate=conjugate)
