"""Reductions over segments of rows: ``segment_sum``, ``unsorted_segment_sum`` and their relatives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, final

import numpy as np

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Op, Sample
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.arithmetic import add, divide, maximum
from dovetail.ops.assertions import Assertion
from dovetail.ops.comparison import greater_equal, less
from dovetail.ops.composites import CompositeOp
from dovetail.ops.constants import Constant, constant
from dovetail.ops.elementary import sqrt
from dovetail.ops.fills import fill, ones_like, zeros_like
from dovetail.ops.gather import Scatter, ScatterAdd, check_indices, gather
from dovetail.ops.passing import identity
from dovetail.ops.reducing import reduce_all, reduce_max
from dovetail.ops.reshaping import reshape
from dovetail.ops.scattering import ScatterMax, ScatterMin, ScatterMul
from dovetail.ops.selection import select
from dovetail.ops.sizes import as_dim
from dovetail.types.dims import Dim, product
from dovetail.types.dtypes import DType
from dovetail.types.shapes import demand

__all__ = [
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "sparse_segment_mean",
    "sparse_segment_sqrt_n",
    "sparse_segment_sum",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
]


def _neutral(scatter: Op, dtype: DType) -> Tensor:
    """Return what changes nothing: 0, 1, the least or the greatest number."""
    if isinstance(scatter, ScatterAdd | ScatterMul):
        return constant(np.asarray(isinstance(scatter, ScatterMul), dtype.numpy))
    return constant(np.asarray(dtype.min if isinstance(scatter, ScatterMax) else dtype.max, dtype.numpy))


def _combined(scatter: Op, data: Tensor, ids: Tensor, count: Any) -> Tensor:
    """Combine rows into as many segments as ``count`` says; rows with negative ids are left out."""
    rank = len(ids.shape)
    message = (
        f"unsorted_segment: the ids are {ids.type}, whose sizes must be the first of those of the data {data.type}. "
        f"Reshape one."
    )
    if rank > len(data.shape):
        raise ShapeError(message)
    for have, want in zip(ids.shape, data.shape[:rank], strict=True):
        demand("equal", have, want, message)
    rows, rest = product(ids.shape.dims), data.shape.dims[rank:]
    flat, table = reshape(ids, (rows,)), reshape(data, (rows, *rest))
    neutral = _neutral(scatter, data.dtype)
    counts = greater_equal(flat, zeros_like(flat))
    table = select(reshape(counts, (rows, *(1,) * len(rest))), table, neutral)
    result: Tensor = scatter(fill([count, *rest], neutral), select(counts, flat, zeros_like(flat)), table)
    return result


@register
@final
class UnsortedSegment(CompositeOp):
    """Rows of the first input combined into ``num_segments`` rows: the second input says which goes into which."""

    scatter: Op
    num_segments: Dim

    def decomposition(self, data: Tensor, ids: Tensor) -> Tensor:
        """Scatter into what changes nothing."""
        return _combined(self.scatter, data, ids, self.num_segments)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Each of the reductions; negative ids, ids of a matrix, integers, none; segments of nothing."""
        x, ids = rng.normal(size=(5, 2)), np.array([2, 0, 1, -1, 0], np.int32)
        for scatter, count in ((ScatterAdd(), 4), (ScatterMul(), 4), (ScatterMax(), 3), (ScatterMin(), 3)):
            yield Sample(cls(scatter, count), x, ids)
        yield Sample(cls(ScatterAdd(), 3), rng.normal(size=(2, 2, 3)), np.array([[0, 2], [2, -1]], np.int64))
        yield Sample(cls(ScatterMax(), 3), np.arange(4, dtype=np.int32), np.array([0, 0, 2, 2], np.int32))
        yield Sample(cls(ScatterAdd(), 2), np.zeros((0, 3)), np.zeros((0,), np.int32))


def _unsorted(label: str, scatter: Scatter, data: Any, segment_ids: Any, num_segments: Any, name: str | None) -> Tensor:
    x, ids = as_tensor(data), as_tensor(segment_ids)
    check_indices(label, ids.type)
    if not (x.dtype.is_number if isinstance(scatter, ScatterAdd) else x.dtype.is_numeric):
        wanted = "a numeric dtype" if isinstance(scatter, ScatterAdd) else "a dtype of real numbers"
        raise DTypeError(f'{label}: "{x.name}" is {x.type}, where {wanted} is wanted. Use dt.cast.')
    count = as_dim(num_segments, f"{label}: num_segments")
    if count is not None:
        result: Tensor = UnsortedSegment(scatter, count)(x, ids, name=name or label)
        return result
    if x.shape.rank is None or ids.shape.rank is None:
        raise ShapeError(
            f'{label}: num_segments is known only when run, so the ranks of "{x.name}" ({x.type}) and "{ids.name}" '
            f"({ids.type}) must be known now. Use set_shape. {x.op.where()}"
        )
    with get_default_graph().name_scope(name or label):
        return _combined(scatter, x, ids, num_segments)


def unsorted_segment_sum(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return sums of rows by segment: row ``i`` of the data is added to row ``segment_ids[i]`` of the result.

    Args:
        data: a numeric tensor.
        segment_ids: integers, of the shape of the first axes of the data; what has a negative one is left out.
        num_segments: how many rows the result has.
        name: name of the node.

    Returns:
        A tensor of shape ``[num_segments] + data.shape[rank of segment_ids:]``; 0 for a segment of nothing.

    Raises:
        DTypeError: the ids are no integers, or the data no numbers.
        ShapeError: the shape of the ids is not the first part of that of the data.
        OperationError: when run, an id is ``num_segments`` or more.

    Example:
        >>> dt.Session().run(dt.unsorted_segment_sum([1.0, 2.0, 4.0], [1, 0, 1], 3))
        array([2., 5., 0.], dtype=float32)
    """
    return _unsorted("unsorted_segment_sum", ScatterAdd(), data, segment_ids, num_segments, name)


def unsorted_segment_prod(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return products of rows by segment, 1 for a segment of nothing. The rest is as for ``unsorted_segment_sum``.

    Example:
        >>> dt.Session().run(dt.unsorted_segment_prod([3.0, 2.0, 4.0], [1, 0, 1], 3))
        array([ 2., 12.,  1.], dtype=float32)
    """
    return _unsorted("unsorted_segment_prod", ScatterMul(), data, segment_ids, num_segments, name)


def unsorted_segment_max(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return the greatest element by segment, the least number of the dtype for a segment of nothing.

    Equal greatest elements share the gradient. The rest is as for ``unsorted_segment_sum``.

    Example:
        >>> dt.Session().run(dt.unsorted_segment_max([3.0, 2.0, 4.0], [1, 0, 1], 2))
        array([2., 4.], dtype=float32)
    """
    return _unsorted("unsorted_segment_max", ScatterMax(), data, segment_ids, num_segments, name)


def unsorted_segment_min(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return the least element by segment, the greatest number of the dtype for a segment of nothing.

    Equal least elements share the gradient. The rest is as for ``unsorted_segment_sum``.

    Example:
        >>> dt.Session().run(dt.unsorted_segment_min([3.0, 2.0, 4.0], [1, 0, 1], 2))
        array([2., 3.], dtype=float32)
    """
    return _unsorted("unsorted_segment_min", ScatterMin(), data, segment_ids, num_segments, name)


def _sum_and_count(
    label: str, data: Any, segment_ids: Any, num_segments: Any, name: str | None
) -> tuple[Tensor, Tensor]:
    """Return sums by segment, and how many rows each has, at least 1, in a shape that broadcasts to them."""
    x, ids = as_tensor(data), as_tensor(segment_ids)
    total = _unsorted(label, ScatterAdd(), x, ids, num_segments, name)
    count = _unsorted(label, ScatterAdd(), ones_like(ids, x.dtype), ids, num_segments, None)
    count = maximum(count, ones_like(count))
    return total, _beside(label, count, total, x)


def _beside(label: str, count: Tensor, total: Tensor, x: Tensor) -> Tensor:
    """Return a number for each segment in a shape that broadcasts to what the segments give."""
    if total.shape.rank is None:
        raise ShapeError(f'{label}: the rank of "{x.name}" is unknown; use set_shape. {x.op.where()}')
    return reshape(count, (total.shape[0], *(1,) * (len(total.shape) - 1)))


def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return means of rows by segment, 0 for a segment of nothing. The rest is as for ``unsorted_segment_sum``.

    Example:
        >>> dt.Session().run(dt.unsorted_segment_mean([3.0, 2.0, 4.0], [1, 0, 1], 3))
        array([2. , 3.5, 0. ], dtype=float32)
    """
    with get_default_graph().name_scope(name or "UnsortedSegmentMean"):
        return divide(*_sum_and_count("unsorted_segment_mean", data, segment_ids, num_segments, None))


def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Return sums of rows by segment, divided by the root of their number; 0 for a segment of nothing.

    The rest is as for ``unsorted_segment_sum``.

    Example:
        >>> dt.Session().run(dt.unsorted_segment_sqrt_n([1.0, 2.0, 3.0, 2.0], [1, 1, 1, 1], 2))
        array([0., 4.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "UnsortedSegmentSqrtN"):
        total, count = _sum_and_count("unsorted_segment_sqrt_n", data, segment_ids, num_segments, None)
        return divide(total, sqrt(count))


# Ids that ascend. ----------------------------------------------------------------------------------------------------


def _ascending(label: str, segment_ids: Any) -> tuple[Tensor, Any]:
    """Return ids that are checked to ascend, and the number of segments, as an int where the ids are known."""
    ids = as_tensor(segment_ids)
    check_indices(label, ids.type)
    if ids.shape.rank is not None and ids.shape.rank != 1:
        raise ShapeError(f'{label}: the segment ids "{ids.name}" are {ids.type}; give a vector, one id for each row.')
    order = less(ids[1:], ids[:-1])
    rises = Assertion(message=f"{label}: the segment ids descend. Sort by them, or use an unsorted_segment_ function.")
    with get_default_graph().control_dependencies([rises(reduce_all(~order))]):
        ids = identity(ids)
    definition = as_tensor(segment_ids).op.definition
    if isinstance(definition, Constant):
        return ids, int(definition.value.array.max(initial=-1)) + 1
    return ids, add(reduce_max(ids), 1)


_EMPTY_IS_ZERO: Final = (ScatterMax, ScatterMin)


def _sorted(label: str, scatter: Scatter, data: Any, segment_ids: Any, name: str | None) -> Tensor:
    x = as_tensor(data)
    with get_default_graph().name_scope(name or label):
        ids, count = _ascending(label, segment_ids)
        result = _unsorted(label, scatter, x, ids, count, None)
        if not isinstance(scatter, _EMPTY_IS_ZERO):
            return result
        some = _beside(label, _unsorted(label, ScatterAdd(), ones_like(ids), ids, count, None), result, x)
        return select(greater_equal(some, ones_like(some)), result, zeros_like(result))


def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return sums of rows that follow each other, by segment.

    Args:
        data: a numeric tensor.
        segment_ids: integers that do not descend, one for each row of the data.
        name: the scope of the nodes.

    Returns:
        A tensor with a row for each number from 0 to the last id, as many as the ids say: where these are no constant,
        the program is cut there. ``unsorted_segment_sum``, which is told the number of segments, is not. A row for
        which there is no id is 0.

    Raises:
        DTypeError: the ids are no integers, or the data no numbers.
        ShapeError: the ids are no vector, or not as many as the rows.
        OperationError: when run, the ids descend.

    Example:
        >>> dt.Session().run(dt.segment_sum([1.0, 2.0, 4.0], [0, 0, 2]))
        array([3., 0., 4.], dtype=float32)
    """
    return _sorted("segment_sum", ScatterAdd(), data, segment_ids, name)


def segment_prod(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return products of rows by segment, 1 where there are none. The rest is as for ``segment_sum``.

    Example:
        >>> dt.Session().run(dt.segment_prod([3.0, 2.0, 4.0], [0, 0, 2]))
        array([6., 1., 4.], dtype=float32)
    """
    return _sorted("segment_prod", ScatterMul(), data, segment_ids, name)


def segment_max(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return the greatest element of rows by segment, 0 where there are none. The rest is as for ``segment_sum``.

    Example:
        >>> dt.Session().run(dt.segment_max([3.0, 2.0, -4.0], [0, 0, 2]))
        array([ 3.,  0., -4.], dtype=float32)
    """
    return _sorted("segment_max", ScatterMax(), data, segment_ids, name)


def segment_min(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return the least element of rows by segment, 0 where there are none. The rest is as for ``segment_sum``.

    Example:
        >>> dt.Session().run(dt.segment_min([3.0, 2.0, 4.0], [0, 0, 2]))
        array([2., 0., 4.], dtype=float32)
    """
    return _sorted("segment_min", ScatterMin(), data, segment_ids, name)


def segment_mean(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return means of rows by segment, 0 where there are none. The rest is as for ``segment_sum``.

    Example:
        >>> dt.Session().run(dt.segment_mean([3.0, 2.0, 4.0], [0, 0, 2]))
        array([2.5, 0. , 4. ], dtype=float32)
    """
    with get_default_graph().name_scope(name or "SegmentMean"):
        ids, count = _ascending("segment_mean", segment_ids)
        return divide(*_sum_and_count("segment_mean", data, ids, count, None))


# Rows picked by index. -----------------------------------------------------------------------------------------------


def _picked(label: str, data: Any, indices: Any, segment_ids: Any, num_segments: Any) -> tuple[Tensor, Tensor]:
    ids, count = _ascending(label, segment_ids)
    rows = gather(data, indices)
    return _sum_and_count(label, rows, ids, count if num_segments is None else num_segments, None)


def sparse_segment_sum(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """Return sums by segment of the rows that ``indices`` pick: ``segment_sum(gather(data, indices), segment_ids)``.

    Args:
        data: a numeric tensor.
        indices: which rows to take, a vector of integers.
        segment_ids: integers that do not descend, one for each index.
        name: the scope of the nodes.
        num_segments: how many rows the result has; one more than the last id by default.

    Raises:
        DTypeError: the ids or indices are no integers, or the data no numbers.
        ShapeError: the ids are no vector, or not as many as the indices.
        OperationError: when run, an index or id is out of range, or the ids descend.

    Example:
        >>> dt.Session().run(dt.sparse_segment_sum([1.0, 2.0, 4.0], [2, 1, 2], [0, 0, 1]))
        array([6., 4.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "SparseSegmentSum"):
        return _picked("sparse_segment_sum", data, indices, segment_ids, num_segments)[0]


def sparse_segment_mean(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """Return means by segment of the rows that ``indices`` pick. The rest is as for ``sparse_segment_sum``.

    Example:
        >>> dt.Session().run(dt.sparse_segment_mean([1.0, 2.0, 4.0], [2, 1, 2], [0, 0, 1]))
        array([3., 4.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "SparseSegmentMean"):
        return divide(*_picked("sparse_segment_mean", data, indices, segment_ids, num_segments))


def sparse_segment_sqrt_n(
    data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None
) -> Tensor:
    """Return sums by segment of picked rows, divided by the root of their number. See ``sparse_segment_sum``.

    Example:
        >>> dt.Session().run(dt.sparse_segment_sqrt_n([1.0, 2.0, 4.0], [0, 0, 1, 1, 2], [0, 0, 0, 0, 1]))
        array([3., 4.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "SparseSegmentSqrtN"):
        total, count = _picked("sparse_segment_sqrt_n", data, indices, segment_ids, num_segments)
        return divide(total, sqrt(count))
