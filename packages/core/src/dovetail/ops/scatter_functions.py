"""``scatter_*`` on variables, and ``tensor_scatter_*``, which return a changed copy of a tensor."""

from __future__ import annotations

from typing import Any

from dovetail.graph.convert import as_tensor
from dovetail.graph.operation import Tensor
from dovetail.ops.arithmetic import negative
from dovetail.ops.gather import Scatter, ScatterAdd
from dovetail.ops.scatter_methods import SCATTERS
from dovetail.ops.scattering import (
    ScatterDiv,
    ScatterMax,
    ScatterMin,
    ScatterMul,
    ScatterNdSlices,
    ScatterSlices,
    ScatterUpdate,
)
from dovetail.ops.variables import as_variable

__all__ = [
    "scatter_add",
    "scatter_div",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_nd_add",
    "scatter_nd_sub",
    "scatter_nd_update",
    "scatter_sub",
    "scatter_update",
    "tensor_scatter_add",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
    "tensor_scatter_sub",
    "tensor_scatter_update",
]


def _write(label: str, ref: Any, scatter: Scatter, indices: Any, updates: Tensor, name: str | None) -> Tensor:
    variable = as_variable(ref, label)
    return variable.assign(ScatterSlices(scatter)(variable, indices, updates), name=name or label)


def _write_nd(label: str, ref: Any, scatter: Scatter, indices: Any, updates: Tensor, name: str | None) -> Tensor:
    variable = as_variable(ref, label)
    return variable.assign(ScatterNdSlices(scatter)(variable, indices, updates), name=name or label)


def _rows(label: str, ref: Any, updates: Any) -> Tensor:
    """Return updates as a tensor; what is none takes the dtype of the variable."""
    return as_tensor(updates, as_variable(ref, label).dtype)


def scatter_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None) -> Tensor:
    """Write rows of a variable; the result is its new value. Of several rows for one index, the last stays.

    Args:
        ref: the variable.
        indices: places along its first axis, integers of any shape.
        updates: the rows, of shape ``indices.shape + ref.shape[1:]``, or a scalar for all of them.
        use_locking: has no effect: steps of a session never mix; here for TensorFlow 1 programs.
        name: name of the node.

    Raises:
        DTypeError: ``ref`` is no variable, the indices are no integers, or the updates have another dtype.
        ShapeError: the updates do not fit.
        OperationError: when run, an index is out of range.

    Example:
        >>> v = dt.Variable([1.0, 2.0, 3.0])
        >>> written = dt.scatter_update(v, [2, 0], [5.0, 6.0])
        >>> with dt.Session() as session:
        ...     _ = session.run(v.initializer)
        ...     session.run(written)
        array([6., 2., 5.], dtype=float32)
    """
    updates = _rows("scatter_update", ref, updates)
    return _write("scatter_update", ref, ScatterUpdate(), indices, updates, name)


def scatter_add(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """Add to rows of a variable; the result is its new value. Rows for one index add up. See ``scatter_update``."""
    return _write("scatter_add", ref, ScatterAdd(), indices, _rows("scatter_add", ref, updates), name)


def scatter_sub(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """Subtract from rows of a variable; the result is its new value. See ``scatter_update``."""
    return _write("scatter_sub", ref, ScatterAdd(), indices, negative(_rows("scatter_sub", ref, updates)), name)


def scatter_mul(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """Multiply rows of a variable; the result is its new value. See ``scatter_update``."""
    return _write("scatter_mul", ref, ScatterMul(), indices, _rows("scatter_mul", ref, updates), name)


def scatter_div(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """Divide rows of a floating variable; the result is its new value. See ``scatter_update``."""
    return _write("scatter_div", ref, ScatterDiv(), indices, _rows("scatter_div", ref, updates), name)


def scatter_max(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """Raise rows of a variable to what is greater; the result is its new value. See ``scatter_update``."""
    return _write("scatter_max", ref, ScatterMax(), indices, _rows("scatter_max", ref, updates), name)


def scatter_min(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """Lower rows of a variable to what is less; the result is its new value. See ``scatter_update``."""
    return _write("scatter_min", ref, ScatterMin(), indices, _rows("scatter_min", ref, updates), name)


def scatter_nd_update(
    ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None
) -> Tensor:
    """Write slices of a variable; the result is its new value. Of several for one index, the last stays.

    Args:
        ref: the variable.
        indices: integers of shape ``[..., k]``; each row of ``k`` addresses the first ``k`` axes.
        updates: the slices, of shape ``indices.shape[:-1] + ref.shape[k:]``.
        use_locking: has no effect: steps of a session never mix; here for TensorFlow 1 programs.
        name: name of the node.

    Raises:
        DTypeError: ``ref`` is no variable, the indices are no integers, or the updates have another dtype.
        ShapeError: the updates do not fit, or the last axis of the indices is longer than the rank.
        OperationError: when run, an index is out of range.

    Example:
        >>> v = dt.Variable([[1, 2], [3, 4]])
        >>> written = dt.scatter_nd_update(v, [[1, 0]], [7])
        >>> with dt.Session() as session:
        ...     _ = session.run(v.initializer)
        ...     session.run(written)
        array([[1, 2],
               [7, 4]], dtype=int32)
    """
    updates = _rows("scatter_nd_update", ref, updates)
    return _write_nd("scatter_nd_update", ref, ScatterUpdate(), indices, updates, name)


def scatter_nd_add(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """Add to slices of a variable; the result is its new value. See ``scatter_nd_update``."""
    return _write_nd("scatter_nd_add", ref, ScatterAdd(), indices, _rows("scatter_nd_add", ref, updates), name)


def scatter_nd_sub(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """Subtract from slices of a variable; the result is its new value. See ``scatter_nd_update``."""
    updates = negative(_rows("scatter_nd_sub", ref, updates))
    return _write_nd("scatter_nd_sub", ref, ScatterAdd(), indices, updates, name)


SCATTERS.update(
    scatter_update=scatter_update,
    scatter_add=scatter_add,
    scatter_sub=scatter_sub,
    scatter_mul=scatter_mul,
    scatter_div=scatter_div,
    scatter_max=scatter_max,
    scatter_min=scatter_min,
    scatter_nd_update=scatter_nd_update,
    scatter_nd_add=scatter_nd_add,
    scatter_nd_sub=scatter_nd_sub,
)

# Tensors. ------------------------------------------------------------------------------------------------------------


def _copied(scatter: Scatter, tensor: Any, indices: Any, updates: Any, subtract: bool, name: str | None) -> Tensor:
    x = as_tensor(tensor)
    news = as_tensor(updates, x.dtype)
    result: Tensor = ScatterNdSlices(scatter)(x, indices, negative(news) if subtract else news, name=name)
    return result


def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """Return a tensor with slices in place of its own; of several for one index, the last stays.

    Args:
        tensor: the tensor.
        indices: integers of shape ``[..., k]``; each row of ``k`` addresses the first ``k`` axes.
        updates: the slices, of shape ``indices.shape[:-1] + tensor.shape[k:]``.
        name: name of the node.

    Raises:
        DTypeError: the indices are no integers, or the updates have another dtype.
        ShapeError: the updates do not fit, or the last axis of the indices is longer than the rank.
        OperationError: when run, an index is out of range.

    Example:
        >>> dt.Session().run(dt.tensor_scatter_nd_update([1, 2, 3], [[2], [0]], [5, 6]))
        array([6, 2, 5], dtype=int32)
    """
    return _copied(ScatterUpdate(), tensor, indices, updates, False, name)


def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """Return a tensor with slices added to its own; those for one index add up. See ``tensor_scatter_nd_update``.

    Example:
        >>> dt.Session().run(dt.tensor_scatter_nd_add([1, 2, 3], [[2], [2]], [5, 6]))
        array([ 1,  2, 14], dtype=int32)
    """
    return _copied(ScatterAdd(), tensor, indices, updates, False, name)


def tensor_scatter_nd_sub(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """Return a tensor with slices subtracted from its own. See ``tensor_scatter_nd_update``.

    Example:
        >>> dt.Session().run(dt.tensor_scatter_nd_sub([1, 2, 3], [[2], [2]], [5, 6]))
        array([ 1,  2, -8], dtype=int32)
    """
    return _copied(ScatterAdd(), tensor, indices, updates, True, name)


def tensor_scatter_nd_max(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """Return the greatest of a tensor and of slices at each place. See ``tensor_scatter_nd_update``.

    Equal greatest elements share the gradient.

    Example:
        >>> dt.Session().run(dt.tensor_scatter_nd_max([1, 2, 3], [[2], [0]], [2, 6]))
        array([6, 2, 3], dtype=int32)
    """
    return _copied(ScatterMax(), tensor, indices, updates, False, name)


def tensor_scatter_nd_min(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """Return the least of a tensor and of slices at each place. See ``tensor_scatter_nd_update``.

    Equal least elements share the gradient.

    Example:
        >>> dt.Session().run(dt.tensor_scatter_nd_min([1, 2, 3], [[2], [0]], [2, 6]))
        array([1, 2, 2], dtype=int32)
    """
    return _copied(ScatterMin(), tensor, indices, updates, False, name)


tensor_scatter_update = tensor_scatter_nd_update
tensor_scatter_add = tensor_scatter_nd_add
tensor_scatter_sub = tensor_scatter_nd_sub
