"""Checks and counts on the way: ``ensure_shape`` and ``count_up_to``."""

from __future__ import annotations

from typing import Any

from dovetail.errors import ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.assertions import Assertion
from dovetail.ops.comparison import equal, less
from dovetail.ops.joining import stack
from dovetail.ops.passing import identity
from dovetail.ops.reducing import reduce_all
from dovetail.ops.shapes import shape as shape_of
from dovetail.ops.variables import as_variable

__all__ = ["count_up_to", "ensure_shape"]


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return a tensor that has a shape: what is not known while the graph is built is checked when it runs.

    Args:
        x: the tensor.
        shape: ints, and ``None`` for sizes that may be any.
        name: name of the node.

    Raises:
        ShapeError: the shape is known, and another; or the rank is unknown.
        OperationError: when run, it is another.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, None])
        >>> dt.ensure_shape(x, [None, 3]).shape[1]
        3
    """
    tensor, wanted = as_tensor(x), list(shape)
    known = tensor.shape
    if known.rank is None:
        raise ShapeError(f'ensure_shape: the rank of "{tensor.name}" is unknown; use set_shape. {tensor.op.where()}')
    message = f'ensure_shape: "{tensor.name}" is {tensor.type}, where shape {wanted} is wanted.'
    if known.rank != len(wanted) or not known.is_compatible_with(wanted):
        raise ShapeError(f"{message} {tensor.op.where()}")
    with get_default_graph().name_scope(name or "EnsureShape"):
        sizes = shape_of(tensor)
        fits = [
            equal(sizes[axis], size)
            for axis, (size, have) in enumerate(zip(wanted, known.dims, strict=True))
            if size is not None and have != size
        ]
        checks = [Assertion(message)(reduce_all(stack(fits)), sizes)] if fits else []
        with get_default_graph().control_dependencies(checks):
            result = identity(tensor)
        result.set_shape(wanted)
        return result


def count_up_to(ref: Any, limit: int, name: str | None = None) -> Tensor:
    """Add 1 to an integer variable, unless it has reached a limit; the result is the value before.

    Args:
        ref: a scalar integer variable.
        limit: the number at which the run fails.
        name: the scope of the nodes.

    Raises:
        DTypeError: ``ref`` is no variable.
        OperationError: when run, the limit is reached.

    Example:
        >>> v = dt.Variable(0)
        >>> step = dt.count_up_to(v, 2)
        >>> with dt.Session() as session:
        ...     _ = session.run(v.initializer)
        ...     session.run(step), session.run(step), session.run(v)
        (np.int32(0), np.int32(1), np.int32(2))
    """
    variable = as_variable(ref, "count_up_to")
    with get_default_graph().name_scope(name or "CountUpTo"):
        before = variable.read_value()
        open_ = Assertion(f"count_up_to: the variable has reached {limit}.")(less(before, limit), before)
        with get_default_graph().control_dependencies([open_, variable.assign_add(1)]):
            return identity(before)
