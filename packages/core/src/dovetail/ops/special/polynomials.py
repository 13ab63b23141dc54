"""Polynomials: ``polyval``."""

from __future__ import annotations

from typing import Any

from dovetail.errors import InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.fills import zeros_like

__all__ = ["polyval"]


def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """Return a polynomial, by Horner's rule.

    Args:
        coeffs: a list of numbers or tensors, that of the highest power first.
        x: numbers of any shape, which the coefficients broadcast with.
        name: name of the scope.

    Raises:
        InvalidArgumentError: ``coeffs`` is no list.

    Example:
        >>> dt.Session().run(dt.math.polyval([1.0, 0.0, -1.0], [2.0, 3.0]))
        array([3., 8.], dtype=float32)
    """
    if not isinstance(coeffs, list | tuple):
        raise InvalidArgumentError(f"polyval: coeffs is {coeffs!r}; give a list, the highest power first.")
    with get_default_graph().name_scope(name or "polyval"):
        at = as_tensor(x)
        if not coeffs:
            return zeros_like(at)
        result = as_tensor(coeffs[0], at.dtype)
        for coefficient in coeffs[1:]:
            result = result * at + as_tensor(coefficient, at.dtype)
        return result
