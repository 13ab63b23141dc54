"""Names of TensorFlow 1 for what stands under another name already, and small relatives of arithmetic."""

from __future__ import annotations

from typing import Any

from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.arithmetic import divide, multiply, subtract, truncatediv
from dovetail.ops.indexed_slices import IndexedSlices
from dovetail.ops.indexing import reverse
from dovetail.ops.operands import convert_operands
from dovetail.ops.passing import identity
from dovetail.ops.selection import select, where

__all__ = ["guarantee_const", "realdiv", "reverse_v2", "scalar_mul", "truncatemod", "where_v2"]

reverse_v2 = reverse
guarantee_const = identity


def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Choose between two tensors element by element, all shapes broadcasting; or give the indices of what holds.

    Example:
        >>> dt.Session().run(dt.where_v2([True, False], [[1, 2], [3, 4]], 0))
        array([[1, 0],
               [3, 0]], dtype=int32)
    """
    return where(condition, name=name) if x is None and y is None else select(condition, x, y, name)


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """Return a tensor, or ``IndexedSlices``, times a scalar.

    Example:
        >>> dt.Session().run(dt.scalar_mul(2.0, [1.0, 2.0]))
        array([2., 4.], dtype=float32)
    """
    if isinstance(x, IndexedSlices):
        return x.with_values(multiply(as_tensor(scalar, x.dtype), x.values, name=name))
    tensor = as_tensor(x)
    return multiply(as_tensor(scalar, tensor.dtype), tensor, name=name)


def realdiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return the quotient of floating tensors.

    Example:
        >>> dt.Session().run(dt.realdiv([1.0], [4.0]))
        array([0.25], dtype=float32)
    """
    result: Tensor = divide(x, y, name=name)
    return result


def truncatemod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return the remainder of integers, with the sign of ``x``, as C does. Division by zero fails when it runs.

    Example:
        >>> dt.Session().run(dt.truncatemod([-7, 7], 3))
        array([-1,  1], dtype=int32)
    """
    with get_default_graph().name_scope(name or "TruncateMod") as scope:
        a, b = convert_operands("truncatemod", ["x", "y"], [x, y], scope, get_default_graph().current_source())
        result: Tensor = subtract(a, multiply(truncatediv(a, b), b))
        return result
