"""Repeating tensors: ``broadcast_to``, ``tile``, ``meshgrid``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.composites import composite
from dovetail.ops.constants import dims_to_tensor
from dovetail.ops.joining import unstack
from dovetail.ops.reshaping import as_shape_tensor, check_shape_tensor, counted, reshape
from dovetail.ops.sizes import (
    Gradients,
    Resolved,
    Sizes,
    Tensors,
    Types,
    Values,
    concrete,
    known_elements,
    opaque_name,
    opaque_shape,
    sizes_of,
)
from dovetail.types.dims import Dim, product
from dovetail.types.shapes import Shape, TensorType, broadcast_shapes, demand

__all__ = [
    "BroadcastTo",
    "DynamicBroadcastTo",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "meshgrid",
    "tile",
]


@primitive
@final
class BroadcastTo(Op):
    """The tensor repeated along axes of size 1, and along new ones in front."""

    shape: tuple[Dim, ...]

    def passes_through(self, types: Types) -> int | None:
        """The input, where the shape stays."""
        return 0

    def infer(self, x: TensorType) -> Signature:
        """The shape asked for, into which the input must broadcast."""
        wanted = Shape(self.shape)
        lead = len(self.shape) - len(x.dims)

        def message() -> str:
            return (
                f"broadcast_to: {x} does not broadcast to shape {wanted}: aligned at the right, a size must be 1 "
                f"or the one wanted. Reshape the input."
            )

        if lead < 0:
            raise ShapeError(message())
        for have, want in zip(x.dims, self.shape[lead:], strict=True):
            if have == 1 or have == want:
                continue
            demand("equal" if isinstance(have, int) or want == 1 else "broadcast", have, want, message)
        return TensorType(x.dtype, wanted)

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """The shape asked for, also of an input of unknown rank."""
        if types[0].rank is None:
            return (TensorType(types[0].dtype, Shape(self.shape)),)
        return super().infer_all(types)

    def reference(self, x: Array) -> Array:
        """A view."""
        return np.broadcast_to(x, concrete(self.shape))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradient summed over what was repeated."""
        from dovetail.ops.reductions import sum_to

        return (sum_to(grads[0], inputs[0]),)

    gradient_without_ranks = True

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The elements repeated, where the result is small."""
        count = product(self.shape)
        if values[0] is None or not isinstance(count, int) or count > 64:
            return None
        return np.broadcast_to(values[0], concrete(self.shape))

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Scalars, repeated and new axes, nothing to do, empty, integers, strings."""
        yield Sample(cls((2, 3)), np.float64(1.5))
        yield Sample(cls((2, 3)), rng.normal(size=(2, 1)))
        yield Sample(cls((4, 2, 3)), rng.normal(size=(3,)))
        yield Sample(cls((2, 3)), rng.normal(size=(2, 3)))
        yield Sample(cls((0, 3)), rng.normal(size=(1, 3)))
        yield Sample(cls(()), np.float64(1.5))
        yield Sample(cls((2, 2)), np.arange(2, dtype=np.int64))
        yield Sample(cls((2,)), np.array(b"ab", object))


@primitive
@final
class DynamicBroadcastTo(Op):
    """``BroadcastTo`` to a shape that only the run computes; ``sizes`` holds what is known of it."""

    sizes: Sizes | None
    symbol: str

    def infer(self, x: TensorType, shape: TensorType) -> Signature:
        """The known sizes, and opaque symbols for the others."""
        return self.infer_all((x, shape))[0]

    def infer_all(self, types: Types) -> tuple[TensorType, ...]:
        """The known sizes, and opaque symbols for the others; the input's rank does not matter."""
        x, given = types
        check_shape_tensor("broadcast_to", given, None if self.sizes is None else len(self.sizes))
        return (TensorType(x.dtype, opaque_shape(counted(self.sizes, given), self.symbol)),)

    def reference(self, x: Array, shape: Array) -> Array:
        """Broadcast to what the vector says."""
        try:
            return np.broadcast_to(x, shape.tolist())
        except ValueError as error:
            raise InvalidArgumentError(
                f"broadcast_to: an array of shape {list(x.shape)} does not broadcast to shape {shape.tolist()}. "
                f"Change the shape given."
            ) from error

    def resolve(self, types: Types, values: Values) -> Resolved:
        """``BroadcastTo``, once the elements of the shape are known."""
        return None if values[1] is None or types[0].rank is None else (BroadcastTo(tuple(values[1].tolist())), (0,))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradient summed over what was repeated."""
        from dovetail.ops.reductions import sum_to

        return sum_to(grads[0], inputs[0]), None

    gradient_without_ranks = True

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Partly known and unknown shapes."""
        yield Sample(cls((None, 3), "broadcast.sample"), rng.normal(size=(3,)), np.array([2, 3], np.int32))
        yield Sample(cls((None, None), "broadcast.sample"), np.float64(1.0), np.array([2, 0], np.int64))


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return the tensor repeated along axes of size 1, and along new ones in front, until it has a shape.

    Args:
        input: the tensor.
        shape: the sizes: ints, dimensions, scalar tensors, or an integer vector.
        name: name of the node.

    Raises:
        ShapeError: the tensor does not broadcast to this shape.
        DTypeError: a size is no integer.

    Example:
        >>> dt.broadcast_to([1.0, 2.0], [3, 2]).shape
        Shape([3, 2])
    """
    x = as_tensor(input)
    sizes = sizes_of(shape, "broadcast_to: shape")
    known = None if sizes is None else tuple([size for size in sizes if size is not None])
    result: Tensor
    if sizes is not None and known is not None and len(known) == len(sizes):
        result = BroadcastTo(Shape(known).dims)(x, name=name)
    else:
        op = DynamicBroadcastTo(sizes, opaque_name("broadcast"))
        result = op(x, as_shape_tensor(shape), name=name or "BroadcastTo")
    return result


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> Shape:
    """Return the shape that two shapes broadcast to.

    Raises:
        ShapeError: they do not broadcast.

    Example:
        >>> dt.broadcast_static_shape([8, 1], [3])
        Shape([8, 3])
    """
    return broadcast_shapes(Shape(shape_x), Shape(shape_y))


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """Return the shape that two shapes, given as integer vectors, broadcast to, as a vector.

    Raises:
        ShapeError: they do not broadcast.
        InvalidArgumentError: one is not known while the graph is built.
    """
    known = [known_elements(one, "broadcast_dynamic_shape") for one in (shape_x, shape_y)]
    if known[0] is None or known[1] is None:
        raise InvalidArgumentError(
            "broadcast_dynamic_shape: a shape is not known while the graph is built; take dt.shape of the tensors' sum."
        )
    left, right = (Shape(one.reshape(-1).tolist()) for one in known)  # type: ignore[union-attr]
    return dims_to_tensor(broadcast_shapes(left, right).dims)


def _tile_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(2, 3)), {"multiples": (2, 1)}
    yield rng.normal(size=(2,)), {"multiples": (3,)}
    yield rng.normal(size=(1, 2)), {"multiples": (2, 2)}
    yield rng.normal(size=(2,)), {"multiples": (0,)}
    yield np.float64(1.0), {"multiples": ()}
    yield np.arange(3, dtype=np.int32), {"multiples": (2,)}


@composite(name="Tile", samples=_tile_samples)
def _tile(x: Tensor, *, multiples: tuple[Dim, ...]) -> Tensor:
    """The tensor, repeated a number of times along each axis."""
    dims = x.shape.dims
    if len(multiples) != len(dims):
        raise ShapeError(f"tile: {len(multiples)} multiples for an input of type {x.type}. Give one for each axis.")
    for times in multiples:
        if isinstance(times, int) and times < 0:
            raise ShapeError(f"tile: the multiples {list(multiples)} hold {times}; use numbers of at least 0.")
    return _repeated(x, list(multiples), [dim * times for dim, times in zip(dims, multiples, strict=True)])


def _repeated(x: Tensor, multiples: Sequence[Any], sizes: Sequence[Any]) -> Tensor:
    """Repeat through an axis in front of each that is to be repeated."""
    single: list[Any] = []
    wide: list[Any] = []
    for dim, times in zip(x.shape.dims, multiples, strict=True):
        again = isinstance(times, Tensor) or times != 1
        single += [1, dim] if again else [dim]
        wide += [times, dim] if again else [dim]
    return reshape(broadcast_to(reshape(x, single), wide), sizes)


def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """Return the tensor repeated a number of times along each axis.

    Args:
        input: the tensor.
        multiples: how often, for each axis: ints, dimensions, scalar tensors, or an integer vector.
        name: name of the node.

    Raises:
        ShapeError: the number of multiples is not the rank, or one is negative.

    Example:
        >>> dt.Session().run(dt.tile([[1, 2]], [2, 2]))
        array([[1, 2, 1, 2],
               [1, 2, 1, 2]], dtype=int32)
    """
    x = as_tensor(input)
    times = sizes_of(multiples, "tile: multiples")
    result: Tensor
    if times is not None and None not in times:
        result = _tile(x, multiples=times, name=name or "Tile")
        return result
    if x.shape.rank is None or (times is not None and len(times) != x.shape.rank):
        raise ShapeError(
            f'tile: the multiples do not fit "{x.name}" of type {x.type}; one is needed for each axis. {x.op.where()}'
        )
    counts = unstack(as_shape_tensor(multiples), num=x.shape.rank)
    sizes = [count * as_tensor(dim, count.dtype) for count, dim in zip(counts, x.shape.dims, strict=True)]
    return _repeated(x, counts, sizes)


def meshgrid(*args: Any, indexing: str = "xy", name: str | None = "meshgrid") -> list[Tensor]:
    """Return, for each of several vectors, its numbers over the grid that all of them span.

    Args:
        *args: vectors.
        indexing: ``"xy"``: the first vector runs along the second axis; ``"ij"``: it runs along the first.
        name: name of the nodes.

    Raises:
        InvalidArgumentError: ``indexing`` is something else.
        ShapeError: an argument is no vector.

    Example:
        >>> x, y = dt.meshgrid([1, 2, 3], [4, 5])
        >>> x.shape
        Shape([2, 3])
    """
    if indexing not in ("xy", "ij"):
        raise InvalidArgumentError(f"meshgrid: indexing is {indexing!r}; use 'xy' or 'ij'.")
    vectors = [as_tensor(one) for one in args]
    for index, one in enumerate(vectors):
        if one.shape.rank not in (0, 1):
            raise ShapeError(
                f'meshgrid: argument {index} is "{one.name}" of type {one.type}; use a vector. {one.op.where()}'
            )
    order = list(range(len(vectors)))
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    sizes: list[Dim] = [1] * len(vectors)
    for place, one in zip(order, vectors, strict=True):
        sizes[place] = one.shape.size
    grids = []
    for place, one in zip(order, vectors, strict=True):
        along: list[Dim] = [1] * len(vectors)
        along[place] = one.shape.size
        grids.append(broadcast_to(reshape(one, along), sizes, name=name))
    return grids
