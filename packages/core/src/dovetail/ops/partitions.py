"""Taking tensors apart and together by number: ``dynamic_partition``, ``repeat``, ``setdiff1d`` and their like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.arithmetic import add, floormod
from dovetail.ops.arithmetic import floor_div as quotient
from dovetail.ops.casting import cast
from dovetail.ops.comparison import equal
from dovetail.ops.constants import Constant, constant
from dovetail.ops.fills import range, zeros
from dovetail.ops.gather import check_indices, gather
from dovetail.ops.joining import concat, stack
from dovetail.ops.masks import boolean_mask
from dovetail.ops.reducing import reduce_max, reduce_sum
from dovetail.ops.reshaping import reshape
from dovetail.ops.running import cumsum
from dovetail.ops.scattering import ScatterUpdate
from dovetail.ops.sizes import as_axis, known_elements, settled_axis
from dovetail.ops.sorting import searchsorted, sort
from dovetail.types.dims import product
from dovetail.types.dtypes import DTypeLike, as_dtype, int32, int64
from dovetail.types.shapes import normalize_axis

__all__ = ["dynamic_partition", "dynamic_stitch", "repeat", "setdiff1d", "unravel_index"]


def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Tensor]:
    """Return the rows of a tensor in several tensors: row ``i`` goes into number ``partitions[i]``.

    Args:
        data: the tensor.
        partitions: integers, of the shape of the first axes of the data.
        num_partitions: how many tensors there are, an int.
        name: the scope of the nodes.

    Returns:
        A list of tensors with as many rows as the data have for each; rows whose number is none of these are left out.

    Raises:
        DTypeError: the numbers are no integers.
        ShapeError: the shapes do not fit.

    Example:
        >>> dt.Session().run(dt.dynamic_partition([10, 20, 30], [1, 0, 1], 2))
        [array([20], dtype=int32), array([10, 30], dtype=int32)]
    """
    x, numbers = as_tensor(data), as_tensor(partitions)
    check_indices("dynamic_partition", numbers.type)
    count = as_axis(num_partitions, "dynamic_partition: num_partitions")
    with get_default_graph().name_scope(name or "DynamicPartition"):
        return [boolean_mask(x, equal(numbers, as_tensor(one, numbers.dtype))) for one in np.arange(count).tolist()]


def dynamic_stitch(indices: Sequence[Any], data: Sequence[Any], name: str | None = None) -> Tensor:
    """Return rows of several tensors in one: ``result[indices[m][i]] = data[m][i]``; of two for one place the later.

    Args:
        indices: tensors of integers; together they should name each place from 0 on.
        data: as many tensors, each of the shape of its indices and of what follows them.
        name: the scope of the nodes.

    Returns:
        A tensor with as many rows as the greatest index plus 1: the program is cut there, unless the indices are
        constants. A row that no index names is 0.

    Raises:
        InvalidArgumentError: there are no tensors, or not as many indices.
        ShapeError: a rank is unknown.
        DTypeError: the indices are no integers.

    Example:
        >>> dt.Session().run(dt.dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]))
        array([10, 20, 30], dtype=int32)
    """
    if len(indices) != len(data) or not indices:
        raise InvalidArgumentError(
            f"dynamic_stitch: there are {len(indices)} tensors of indices and {len(data)} of data; give as many."
        )
    with get_default_graph().name_scope(name or "DynamicStitch"):
        numbers = [as_tensor(one) for one in indices]
        parts = [as_tensor(one) for one in data]
        places, rows = [], []
        for place, part in zip(numbers, parts, strict=True):
            check_indices("dynamic_stitch", place.type)
            if place.shape.rank is None or part.shape.rank is None:
                raise ShapeError(
                    f'dynamic_stitch: the rank of "{part.name}" or of its indices is unknown; use set_shape.'
                )
            count = product(place.shape.dims)
            places.append(reshape(place, (count,)))
            rows.append(reshape(part, (count, *part.shape.dims[place.shape.rank :])))
        where, values = concat(places, 0), concat(rows, 0)
        if all(isinstance(one.op.definition, Constant) for one in numbers):
            size: Any = max(int(one.op.definition.value.array.max(initial=-1)) for one in numbers) + 1  # type: ignore[attr-defined]
        else:
            size = add(reduce_max(where), 1)
        result: Tensor = ScatterUpdate()(zeros([size, *values.shape.dims[1:]], values.dtype), where, values)
        return result


def repeat(input: Any, repeats: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Return a tensor with each slice along an axis repeated, as ``numpy.repeat`` does.

    Args:
        input: the tensor.
        repeats: how often: an int for all, or one for each slice, which may be a tensor.
        axis: along which; ``None`` takes the tensor as one vector.
        name: the scope of the nodes.

    Raises:
        ShapeError: there is no such axis, or the rank of the tensor is unknown.
        DTypeError: ``repeats`` are no integers.

    Example:
        >>> dt.Session().run(dt.repeat([10, 20], [2, 1]))
        array([10, 10, 20], dtype=int32)
    """
    with get_default_graph().name_scope(name or "repeat"):
        x = as_tensor(input)
        if axis is None:
            x, axis = reshape(x, [-1]), 0
        if x.shape.rank is None:
            raise ShapeError(f'repeat: the rank of "{x.name}" is unknown; use set_shape. {x.op.where()}')
        at = normalize_axis(settled_axis(as_axis(axis, "repeat: axis"), x.shape.rank), x.shape.rank, "repeat")
        return gather(x, _repeated(x.shape[at], repeats), axis=at)


def _repeated(size: Any, repeats: Any) -> Tensor:
    """Return the places that each place is repeated into."""
    known = known_elements(repeats, "repeat: repeats")
    if known is not None and known.size == 1:
        often = known.reshape(-1).tolist()[0]
        return quotient(range(size * often, dtype=int32), as_tensor(often, int32))
    counts = as_tensor(repeats)
    check_indices("repeat", counts.type)
    definition = counts.op.definition
    if isinstance(definition, Constant):
        array = definition.value.array
        return constant(np.repeat(np.arange(array.size, dtype=np.int32), array))
    ends = cumsum(reshape(counts, [-1]))
    return searchsorted(ends, range(reduce_sum(counts), dtype=counts.dtype), side="right")


class SetDifference(NamedTuple):
    """What ``setdiff1d`` returns."""

    out: Tensor
    idx: Tensor


def setdiff1d(x: Any, y: Any, index_dtype: DTypeLike = int32, name: str | None = None) -> SetDifference:
    """Return the elements of a vector that another does not hold, in order, and their places.

    Args:
        x: a vector.
        y: a vector of the same dtype.
        index_dtype: int32 or int64.
        name: the scope of the nodes.

    Returns:
        ``out``, the elements, as many as the data have, and ``idx``, with ``out == gather(x, idx)``.

    Raises:
        ShapeError: one is no vector.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.Session().run(dt.setdiff1d([1, 2, 3, 2], [2, 5]).out)
        array([1, 3], dtype=int32)
    """
    first = as_tensor(x)
    second = as_tensor(y, None if isinstance(y, Tensor) else first.dtype)
    for one in (first, second):
        if one.shape.rank not in (1, None):
            raise ShapeError(f'setdiff1d: "{one.name}" is {one.type}; a vector is needed.')
    if first.dtype is not second.dtype:
        raise DTypeError(f"setdiff1d: x is {first.type}, y is {second.type}. Make the dtypes equal by dt.cast.")
    with get_default_graph().name_scope(name or "ListDiff"):
        rows = sort(second)
        alone = equal(searchsorted(rows, first, "left"), searchsorted(rows, first, "right"))
        places = boolean_mask(range(first.shape[0], dtype=int64), alone)
        return SetDifference(gather(first, places), cast(places, as_dtype(index_dtype)))


def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """Return the places along each axis of flat indices into a tensor of shape ``dims``.

    Args:
        indices: integers, a scalar or a vector.
        dims: the shape, known while the graph is built.
        name: the scope of the nodes.

    Returns:
        A tensor of shape ``[number of dims] + indices.shape``.

    Raises:
        DTypeError: the indices are no integers.
        InvalidArgumentError: the shape is not known while the graph is built.

    Example:
        >>> dt.Session().run(dt.unravel_index([2, 5], [2, 3]))
        array([[0, 1],
               [2, 2]], dtype=int32)
    """
    flat = as_tensor(indices)
    check_indices("unravel_index", flat.type)
    known = known_elements(dims, "unravel_index: dims")
    if known is None:
        raise InvalidArgumentError("unravel_index: dims are not known while the graph is built; use ints.")
    sizes = known.reshape(-1).tolist()
    with get_default_graph().name_scope(name or "UnravelIndex"):
        found: list[Tensor] = []
        for size in sizes[:0:-1]:
            found.append(floormod(flat, as_tensor(size, flat.dtype)))
            flat = quotient(flat, as_tensor(size, flat.dtype))
        return stack([flat, *reversed(found)])
