"""``hessians``: second derivatives."""

from __future__ import annotations

from typing import Any

from dovetail.errors import ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.arrays import concat, range, reshape, shape, size, zeros
from dovetail.ops.control_flow import map_fn
from dovetail.ops.gather import gather
from dovetail.ops.gradients import gradients
from dovetail.ops.indexed_slices import densify

__all__ = ["hessians"]


def hessians(
    ys: Any,
    xs: Any,
    name: str = "hessians",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
) -> list[Tensor]:
    """Return the second derivatives of ``ys`` with respect to each of ``xs``, one row of the Hessian after the other.

    Args:
        ys: a scalar, or several, which are added up.
        xs: a tensor or variable, or several.
        name: scope of the nodes.
        colocate_gradients_with_ops: gradients always run where their operation does; here for TensorFlow 1 programs.
        gate_gradients: has no effect; here for TensorFlow 1 programs.
        aggregation_method: has no effect; here for TensorFlow 1 programs.

    Returns:
        For each ``x`` a tensor of its shape twice over; zeros where the gradient does not depend on it.

    Raises:
        ShapeError: one of ``ys`` is not a scalar.
        GradientError: the way from ``ys`` to ``xs`` leads through an operation that has no gradient.
        DTypeError: one of ``ys`` is not floating.

    Example:
        >>> x = dt.constant([1.0, 2.0])
        >>> (hessian,) = dt.hessians(x[0] ** 2 * x[1], x)
        >>> dt.Session().run(hessian)
        array([[4., 2.],
               [2., 0.]], dtype=float32)
    """
    values = [as_tensor(y) for y in (ys if isinstance(ys, (list, tuple)) else [ys])]
    for y in values:
        if y.shape.rank not in (0, None):
            raise ShapeError(f'hessians: "{y.name}" is {y.type}; give a scalar, by dt.reduce_sum. {y.op.where()}')
    targets = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    with get_default_graph().name_scope(name):
        return [_hessian(x, first) for x, first in zip(targets, gradients(values, targets), strict=True)]


def _hessian(x: Any, first: Any) -> Tensor:
    value = as_tensor(x)
    sizes = concat([shape(value), shape(value)], 0)
    if first is None:
        return zeros(sizes, value.dtype)
    flat = reshape(densify(first), [-1])

    def row(place: Tensor) -> Tensor:
        (found,) = gradients(gather(flat, place), [x])
        return zeros(shape(value), value.dtype) if found is None else densify(found)

    rows: Tensor = map_fn(row, range(size(value)), dtype=value.dtype)
    return reshape(rows, sizes)
