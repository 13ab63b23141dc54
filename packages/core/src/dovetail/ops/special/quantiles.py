"""Inverses of distribution functions: ``ndtri``, of the normal one, ``erfinv`` and ``erfcinv``, of error functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, final

from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.math import exp, square
from dovetail.ops.operands import apply
from dovetail.ops.scalar import Expression, Input, basis
from dovetail.ops.scalar.normal import inverse_normal_by_parts
from dovetail.ops.scalars import ScalarOp

__all__ = ["Erfcinv", "Erfinv", "Ndtri", "erfcinv", "erfinv", "ndtri"]


def _quantile(centred: Expression, tail: Expression) -> Expression:
    """Build the quantile from the probability less one half, and from the smaller of both tails."""
    inside = tail > 0.0
    value = inverse_normal_by_parts(centred, basis.sqrt(-basis.log(basis.select(inside, tail, 0.5))), wide=True)
    outside = basis.select(tail < 0.0, math.nan, basis.select(centred < 0.0, -math.inf, math.inf))
    return basis.select(inside, value, basis.select(basis.is_nan(tail), tail, outside))


_NDTRI: Final = _quantile(Input(0) - 0.5, basis.minimum(Input(0), 1.0 - Input(0)))
_ERFCINV: Final = _quantile(0.5 - 0.5 * Input(0), basis.minimum(0.5 * Input(0), 1.0 - 0.5 * Input(0))) * math.sqrt(0.5)
_ERFINV: Final = _quantile(0.5 * Input(0), 0.5 - 0.5 * basis.absolute(Input(0))) * math.sqrt(0.5)


@register
@final
class Ndtri(ScalarOp):
    """The number below which a standard normal variate falls with a given probability."""

    label = "ndtri"
    floating = True
    sample_intervals = ((0.02, 0.98),)

    @property
    def scalar_expression(self) -> Expression:
        """Wichura's approximation."""
        return _NDTRI

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Any]:
        """The reciprocal of the density."""
        return [grads[0] * (math.sqrt(2.0 * math.pi) * exp(0.5 * square(outputs[0])))]


@register
@final
class Erfinv(ScalarOp):
    """The inverse of the error function."""

    label = "erfinv"
    floating = True
    sample_intervals = ((-0.95, 0.95),)

    @property
    def scalar_expression(self) -> Expression:
        """Wichura's approximation, scaled."""
        return _ERFINV

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Any]:
        """The reciprocal of the error function's derivative."""
        return [grads[0] * (0.5 * math.sqrt(math.pi) * exp(square(outputs[0])))]


@register
@final
class Erfcinv(ScalarOp):
    """The inverse of the complementary error function."""

    label = "erfcinv"
    floating = True
    sample_intervals = ((0.05, 1.95),)

    @property
    def scalar_expression(self) -> Expression:
        """Wichura's approximation, scaled."""
        return _ERFCINV

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Any]:
        """The reciprocal of the function's derivative."""
        return [grads[0] * (-0.5 * math.sqrt(math.pi) * exp(square(outputs[0])))]


def ndtri(p: Any, name: str | None = None) -> Tensor:
    """Return the number below which a standard normal variate falls with probability ``p``, element by element.

    By the rational approximations of Wichura (1988): infinite at 0 and 1, NaN outside.

    Raises:
        DTypeError: the tensor is not floating.

    Example:
        >>> dt.Session().run(dt.math.ndtri([0.5, 0.975])).round(3)
        array([0.  , 1.96], dtype=float32)
    """
    return apply(Ndtri(), "ndtri", ("p",), (p,), name)


def erfinv(x: Any, name: str | None = None) -> Tensor:
    """Return the inverse of the error function, element by element: infinite at -1 and 1, NaN outside.

    Raises:
        DTypeError: the tensor is not floating.

    Example:
        >>> dt.Session().run(dt.math.erfinv([0.0, 0.5])).round(4)
        array([0.    , 0.4769], dtype=float32)
    """
    return apply(Erfinv(), "erfinv", ("x",), (x,), name)


def erfcinv(x: Any, name: str | None = None) -> Tensor:
    """Return the inverse of ``erfc``, element by element: infinite at 0 and 2, NaN outside.

    Raises:
        DTypeError: the tensor is not floating.

    Example:
        >>> dt.Session().run(dt.math.erfcinv([1.0, 0.5])).round(4)
        array([0.    , 0.4769], dtype=float32)
    """
    return apply(Erfcinv(), "erfcinv", ("x",), (x,), name)
