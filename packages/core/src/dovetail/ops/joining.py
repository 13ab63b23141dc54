"""Joining tensors and taking them apart: ``concat`` and ``split``, ``stack`` and ``unstack``."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.operators import TensorOperators
from dovetail.graph.registry import primitive
from dovetail.ops.sizes import Gradients, Tensors, Types, Values, as_axis, known_elements, settled_axis, sizes_of
from dovetail.types.dims import Dim, floor_div
from dovetail.types.dtypes import DType
from dovetail.types.shapes import Shape, TensorType, demand, normalize_axis, unify

__all__ = ["Concat", "Split", "Stack", "Unstack", "concat", "parallel_stack", "split", "stack", "unstack"]


def _check_same_dtype(operation: str, types: Sequence[TensorType]) -> None:
    for index, one in enumerate(types):
        if one.dtype is not types[0].dtype:
            raise DTypeError(
                f"{operation}: input 0 is {types[0]}, input {index} is {one}. Make the dtypes equal by dt.cast."
            )


@primitive
@final
class Concat(Op):
    """Tensors one after the other along an axis that they have."""

    axis: int

    def infer(self, *types: TensorType) -> Signature:
        """Equal sizes but along the axis, where they add up."""
        _check_same_dtype("concat", types)
        first = types[0]
        if first.rank == 0:
            raise ShapeError("concat: the inputs are scalars, which have no axis. Use stack to make a vector of them.")
        for index, one in enumerate(types):
            if one.rank != first.rank:
                raise ShapeError(
                    f"concat: input 0 is {first}, input {index} is {one}; the ranks must be equal. "
                    f"Use expand_dims or reshape on one of them."
                )
        axis = normalize_axis(self.axis, len(first.dims), "concat")
        dims: list[Dim] = list(first.dims)
        for index, one in enumerate(types[1:], 1):
            for at, dim in enumerate(one.dims):
                if at == axis:
                    dims[at] = dims[at] + dim
                else:
                    dims[at] = unify(
                        dims[at],
                        dim,
                        lambda at=at, index=index, one=one: (  # type: ignore[misc]
                            f"concat: input 0 is {first}, input {index} is {one}; sizes may differ only "
                            f"along axis {axis}, yet they do along axis {at}. Pad or slice one, or choose another axis."
                        ),
                    )
        return TensorType(first.dtype, Shape(dims))

    def reference(self, *arrays: Array) -> Array:
        """NumPy's concatenation."""
        return np.concatenate(arrays, self.axis)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The parts of the gradient."""
        axis = normalize_axis(self.axis, len(inputs[0].shape), "concat")
        parts = Split(axis, tuple(tensor.shape[axis] for tensor in inputs))(grads[0])
        return parts if isinstance(parts, tuple) else (parts,)

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The elements in a row."""
        known = [value for value in values if value is not None]
        return np.concatenate(known, self.axis) if len(known) == len(values) else None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both ends of the axes, an empty part, one part, integers, strings."""
        yield Sample(cls(0), rng.normal(size=(2, 3)), rng.normal(size=(1, 3)))
        yield Sample(cls(-1), rng.normal(size=(2, 3)), rng.normal(size=(2, 0)), rng.normal(size=(2, 2)))
        yield Sample(cls(1), rng.normal(size=(2, 3, 2)))
        yield Sample(cls(0), np.arange(3, dtype=np.int64), np.arange(2, dtype=np.int64))
        yield Sample(cls(0), np.array([b"a", b"bc"], object), np.array([b""], object))


@primitive
@final
class Split(Op):
    """Parts of a tensor along an axis: a number of equal ones, or of the sizes given."""

    axis: int
    sizes: tuple[Dim, ...] | int

    def _sizes(self, dim: Dim) -> tuple[Dim, ...]:
        if isinstance(self.sizes, tuple):
            return self.sizes
        return (floor_div(dim, self.sizes),) * self.sizes

    @property
    def count(self) -> int:
        """The number of parts."""
        return len(self.sizes) if isinstance(self.sizes, tuple) else self.sizes

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The input's, for each part."""
        return dtypes[:1] * self.count

    def infer(self, x: TensorType) -> Signature:
        """The sizes, which add up to the axis."""
        axis = normalize_axis(self.axis, len(x.dims), "split")
        dim = x.dims[axis]
        if isinstance(self.sizes, int):
            demand(
                "divisible",
                dim,
                self.sizes,
                lambda: f"split: axis {axis} of {x} does not make {self.sizes} equal parts. Give the sizes as a list.",
            )
        else:
            sizes = self.sizes
            total: Dim = sum(sizes, 0)
            demand(
                "equal",
                total,
                dim,
                lambda: (
                    f"split: the sizes {_listed(sizes)} make {total} together, but axis {axis} of {x} is {dim}. "
                    f"Make them add up to it."
                ),
            )
        return tuple(
            [TensorType(x.dtype, Shape((*x.dims[:axis], size, *x.dims[axis + 1 :]))) for size in self._sizes(dim)]
        )

    def reference(self, x: Array) -> tuple[Array, ...] | Array:
        """Views of the parts."""
        sizes = self._sizes(x.shape[self.axis])
        parts = tuple(np.split(x, list(itertools.accumulate(sizes))[:-1], self.axis))
        return parts if len(parts) > 1 else parts[0]

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradients in a row."""
        return (concat(grads, self.axis),)

    gradient_without_ranks = True

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Equal parts, sizes with an empty one, one part, integers."""
        yield Sample(cls(1, 3), rng.normal(size=(2, 6)))
        yield Sample(cls(-2, (1, 0, 3)), rng.normal(size=(4, 2)))
        yield Sample(cls(0, 1), rng.normal(size=(2,)))
        yield Sample(cls(0, (2, 1)), np.arange(3, dtype=np.int32))


@primitive
@final
class Stack(Op):
    """Tensors of one shape, side by side along a new axis."""

    axis: int = 0

    def default_name(self) -> str:
        """``stack``, as TensorFlow 1 names it."""
        return "stack"

    def infer(self, *types: TensorType) -> Signature:
        """The common shape with the new axis."""
        _check_same_dtype("stack", types)
        first = types[0]
        dims: list[Dim] = list(first.dims)
        for index, one in enumerate(types[1:], 1):
            message = (
                f"stack: input 0 is {first}, input {index} is {one}; the shapes must be equal. Reshape one of them."
            )
            if one.rank != first.rank:
                raise ShapeError(message)
            dims = [unify(mine, theirs, message) for mine, theirs in zip(dims, one.dims, strict=True)]
        axis = normalize_axis(self.axis, len(dims) + 1, "stack")
        return TensorType(first.dtype, Shape((*dims[:axis], len(types), *dims[axis:])))

    def reference(self, *arrays: Array) -> Array:
        """NumPy's stack."""
        return np.stack(arrays, self.axis)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The slices of the gradient."""
        parts = Unstack(self.axis, len(inputs))(grads[0])
        return parts if isinstance(parts, tuple) else (parts,)

    gradient_without_ranks = True

    def symbolic_value(self, types: Types, values: Values) -> Array | None:
        """The elements side by side."""
        known = [value for value in values if value is not None]
        return np.stack(known, self.axis) if len(known) == len(values) else None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """First and last axis, scalars, one input, an empty shape, integers."""
        yield Sample(cls(0), rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
        yield Sample(cls(-1), rng.normal(size=(2,)), rng.normal(size=(2,)), rng.normal(size=(2,)))
        yield Sample(cls(), np.float64(1.0), np.float64(2.0))
        yield Sample(cls(1), rng.normal(size=(2, 2)))
        yield Sample(cls(1), np.zeros((0, 2)), np.zeros((0, 2)))
        yield Sample(cls(), np.int32(1), np.int32(2))


@primitive
@final
class Unstack(Op):
    """The slices of a tensor along an axis, which they lack."""

    axis: int
    count: int

    def default_name(self) -> str:
        """``unstack``, as TensorFlow 1 names it."""
        return "unstack"

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The input's, for each slice."""
        return dtypes[:1] * self.count

    def infer(self, x: TensorType) -> Signature:
        """The shape without the axis."""
        axis = normalize_axis(self.axis, len(x.dims), "unstack")
        demand(
            "equal",
            x.dims[axis],
            self.count,
            lambda: f"unstack: axis {axis} of {x} does not give {self.count} slices. Make num {x.dims[axis]}.",
        )
        return (TensorType(x.dtype, Shape((*x.dims[:axis], *x.dims[axis + 1 :]))),) * self.count

    def reference(self, x: Array) -> tuple[Array, ...] | Array:
        """Views of the slices."""
        slices = tuple(np.moveaxis(x, self.axis, 0))
        parts = tuple([np.asarray(one, x.dtype) for one in slices]) if x.ndim == 1 else slices
        return parts if len(parts) != 1 else parts[0]

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The gradients side by side."""
        return (stack(grads, self.axis),)

    gradient_without_ranks = True

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """First and last axis, a vector, one slice, integers."""
        yield Sample(cls(0, 2), rng.normal(size=(2, 3)))
        yield Sample(cls(-1, 3), rng.normal(size=(2, 3)))
        yield Sample(cls(0, 2), rng.normal(size=(2,)))
        yield Sample(cls(0, 1), rng.normal(size=(1, 2)))
        yield Sample(cls(0, 2), np.arange(2, dtype=np.int64))


def _listed(dims: Iterable[Dim]) -> str:
    return f"[{', '.join(map(str, dims))}]"


def _tensors(operation: str, values: Any) -> list[Tensor]:
    """Return several values as tensors; Python numbers take the dtype of the first tensor among them."""
    if isinstance(values, Tensor) and values.shape.rank != 0:
        return list(values)
    if not isinstance(values, list | tuple):
        raise DTypeError(f"{operation}: values is {values!r}; give a list of tensors.")
    if not values:
        raise InvalidArgumentError(f"{operation}: the list of values is empty; give at least one tensor.")
    known = next((as_tensor(value).dtype for value in values if isinstance(value, TensorOperators)), None)
    return [as_tensor(value, known) for value in values]


def concat(values: Any, axis: Any, name: str | None = "concat") -> Tensor:
    """Return tensors one after the other along an axis that they have.

    Args:
        values: tensors of one dtype, whose shapes agree but along ``axis``.
        axis: from ``-rank`` to ``rank - 1``.
        name: name of the node.

    Returns:
        A tensor whose size along ``axis`` is the sum of theirs; symbolic sizes add up symbolically.

    Raises:
        ShapeError: the shapes differ elsewhere, or there is no such axis.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.Session().run(dt.concat([[1, 2], [3]], 0))
        array([1, 2, 3], dtype=int32)
    """
    tensors = _tensors("concat", values)
    result: Tensor = Concat(settled_axis(as_axis(axis, "concat: axis"), tensors[0].shape.rank))(*tensors, name=name)
    return result


def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str | None = "split"
) -> list[Tensor]:
    """Return the parts of a tensor along an axis.

    Args:
        value: the tensor.
        num_or_size_splits: a number of equal parts, or the size of each; one size may be -1 and takes the rest. The
            sizes may be a tensor.
        axis: the axis that is divided.
        num: the number of parts where ``num_or_size_splits`` is a tensor of unknown length.
        name: name of the node.

    Raises:
        ShapeError: the axis does not divide so.
        InvalidArgumentError: the number of parts is not known.

    Example:
        >>> [part.shape for part in dt.split(dt.zeros([2, 6]), 3, axis=1)]
        [Shape([2, 2]), Shape([2, 2]), Shape([2, 2])]
    """
    x = as_tensor(value)
    at = settled_axis(as_axis(axis, "split: axis"), x.shape.rank)
    known = known_elements(num_or_size_splits, "split: num_or_size_splits")
    if known is not None and known.ndim == 0:
        parts = known.tolist()
        if not isinstance(parts, int) or parts < 1:
            raise InvalidArgumentError(
                f"split: the number of parts is {parts}; use an int of at least 1, or a list of sizes."
            )
        return _apart(x, at, parts, name)
    sizes = sizes_of(num_or_size_splits, "split: num_or_size_splits")
    if sizes is None and num is not None:
        sizes = (None,) * num
    if sizes is None:
        raise InvalidArgumentError("split: the number of sizes is not known while the graph is built; pass num=.")
    if num is not None and len(sizes) != num:
        raise InvalidArgumentError(f"split: num is {num}, but {len(sizes)} sizes were given; make them agree.")
    if not sizes:
        raise InvalidArgumentError("split: the list of sizes is empty; give at least one.")
    if any(size is None for size in sizes) or (-1 in sizes and x.shape.rank is None):
        return _split_by_tensor(x, as_tensor(num_or_size_splits), at, len(sizes), name)
    return _apart(x, at, _without_rest(x, at, tuple([size for size in sizes if size is not None])), name)


def _without_rest(x: Tensor, axis: int, sizes: tuple[Dim, ...]) -> tuple[Dim, ...]:
    if sizes.count(-1) > 1:
        raise InvalidArgumentError(
            f"split: the sizes {_listed(sizes)} hold more than one -1; only one part can take the rest."
        )
    if -1 not in sizes:
        return sizes
    dim = x.shape[normalize_axis(axis, len(x.shape), "split")]
    rest = dim - sum((size for size in sizes if size != -1), 0)
    demand(
        "nonnegative",
        rest,
        0,
        f"split: the sizes {_listed(sizes)} leave no rest of axis {axis} of {x.type}. Make them smaller.",
    )
    return tuple([rest if size == -1 else size for size in sizes])


def _apart(x: Tensor, axis: int, sizes: tuple[Dim, ...] | int, name: str | None) -> list[Tensor]:
    if x.symbolic_value is not None and x.shape.rank == 1:
        lengths = sizes if isinstance(sizes, tuple) else (x.symbolic_value.size // sizes,) * sizes
        ends = list(itertools.accumulate(lengths))
        if all(isinstance(end, int) for end in ends) and ends[-1] == x.symbolic_value.size:
            return [x[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    parts = Split(axis, sizes)(x, name=name)
    return list(parts) if isinstance(parts, tuple) else [parts]


def _split_by_tensor(x: Tensor, sizes: Tensor, axis: int, count: int, name: str | None) -> list[Tensor]:
    from dovetail.ops.indexing import take_range

    if -1 in (sizes_of(sizes, "split: num_or_size_splits") or ()):
        raise InvalidArgumentError("split: -1 among the sizes needs a value of known rank; give all sizes.")
    begin: Any = 0
    parts = []
    for index in range(count):
        size = sizes[index]
        parts.append(take_range(x, begin, size, axis, name=name))
        begin = begin + size
    return parts


def stack(values: Any, axis: Any = 0, name: str | None = "stack") -> Tensor:
    """Return tensors of one shape side by side along a new axis.

    Args:
        values: tensors of one dtype and shape.
        axis: where the new axis stands in the result.
        name: name of the node.

    Raises:
        ShapeError: the shapes differ, or there is no such axis.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.stack([dt.zeros([3]), dt.ones([3])], axis=1).shape
        Shape([3, 2])
    """
    tensors = _tensors("stack", values)
    rank = tensors[0].shape.rank
    at = settled_axis(as_axis(axis, "stack: axis"), None if rank is None else rank + 1)
    result: Tensor = Stack(at)(*tensors, name=name)
    return result


def parallel_stack(values: Any, name: str | None = "parallel_stack") -> Tensor:
    """Return tensors of one shape side by side along a new first axis; see ``stack``."""
    return stack(values, 0, name)


def unstack(value: Any, num: int | None = None, axis: Any = 0, name: str | None = "unstack") -> list[Tensor]:
    """Return the slices of a tensor along an axis, which they lack.

    Args:
        value: the tensor.
        num: the number of slices, where it is not known from the shape.
        axis: the axis that is taken apart.
        name: name of the node.

    Raises:
        ShapeError: the axis has another size than ``num``, or there is no such axis.
        InvalidArgumentError: the size of the axis is not known and ``num`` not given.

    Example:
        >>> batch, height, width = dt.unstack(dt.shape(dt.zeros([8, 28, 28])))
        >>> height.symbolic_value.item()
        28
    """
    x = as_tensor(value)
    at = settled_axis(as_axis(axis, "unstack: axis"), x.shape.rank)
    if num is None:
        size = None if x.shape.rank is None else x.shape[normalize_axis(at, x.shape.rank, "unstack")]
        if not isinstance(size, int):
            raise InvalidArgumentError(
                f'unstack: the size of axis {at} of "{x.name}" of type {x.type} is known only when it runs; pass num=.'
            )
        num = size
    if num == 0:
        return []
    if x.symbolic_value is not None and x.symbolic_value.shape == (num,):
        return [x[index] for index in range(num)]
    parts = Unstack(at, num)(x, name=name)
    return list(parts) if isinstance(parts, tuple) else [parts]
