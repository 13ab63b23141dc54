"""The Hurwitz zeta function and what is made of it: ``zeta``, ``polygamma``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.graph.op import Sample
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.composites import CompositeOp
from dovetail.ops.math import digamma, equal, exp, lgamma, maximum, mod
from dovetail.ops.operands import apply
from dovetail.ops.reductions import sum_to
from dovetail.ops.scalar import Expression, Input, Operand, basis
from dovetail.ops.scalars import ScalarOp
from dovetail.ops.selection import select
from dovetail.ops.sizes import Gradients, Tensors

__all__ = ["Polygamma", "Zeta", "polygamma", "zeta"]

_TERMS: Final = 10
_BERNOULLI: Final = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330, 854513 / 138,
    -236364091 / 2730,
)  # fmt: skip
"""The Bernoulli numbers of orders 2, 4, …, 24."""


def _zeta_expression() -> Expression:
    """Build the sum of the first terms, and of the rest by Euler and Maclaurin (DLMF 25.11.5)."""
    order, shift = Input(0), Input(1)
    total: Operand = basis.power(shift, -order)
    for term in range(1, _TERMS):
        total = total + basis.power(shift + float(term), -order)
    start = shift + float(_TERMS)
    last = basis.power(start, -order)
    total = total + last * (start / (order - 1.0) + 0.5)
    factor: Operand = last * order / start
    for number, bernoulli in enumerate(_BERNOULLI, 1):
        total = total + factor * (bernoulli / math.factorial(2 * number))
        factor = factor * (order + float(2 * number - 1)) * (order + float(2 * number)) / (start * start)
    outside = basis.select(basis.equal(order, 1.0), math.inf, math.nan)
    pole = basis.select(basis.equal(shift, 0.0), math.inf, math.nan)
    return basis.select(order > 1.0, basis.select(shift > 0.0, total, pole), outside)


_ZETA: Final = _zeta_expression()


@register
@final
class Zeta(ScalarOp):
    """The sum of ``(q + k) ** -x`` over ``k`` from 0 on."""

    label = "zeta"
    floating = True

    @property
    def scalar_expression(self) -> Expression:
        """By Euler and Maclaurin."""
        return _ZETA

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Any]:
        """``-x zeta(x + 1, q)`` for ``q``; there is none for ``x``, as in TensorFlow."""
        x, q = inputs
        slope = sum_to(grads[0] * -x * Zeta()(x + 1.0, q), q) if 1 in needed else None
        return [slope if index == 1 else None for index in needed]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Equal and broadcast shapes, none; outside of the domain."""
        yield Sample(cls(), rng.uniform(1.5, 4.0, (2, 3)), rng.uniform(0.5, 4.0, (2, 3)), wrt=(1,))
        yield Sample(cls(), rng.uniform(1.5, 4.0, (3,)), rng.uniform(0.5, 4.0, (2, 1)), wrt=(1,))
        yield Sample(cls(), np.zeros((0, 3)), np.ones((3,)), wrt=(1,))
        yield Sample(cls(), np.array([1.0, 0.5, 2.0, 2.0]), np.array([2.0, 2.0, 0.0, -1.5]), wrt=())


def zeta(x: Any, q: Any, name: str | None = None) -> Tensor:
    """Return the Hurwitz zeta function, the sum of ``(q + k) ** -x`` over ``k`` from 0 on, element by element.

    Args:
        x: floating: the order. At 1 the result is infinite, below NaN. There is no gradient with respect to it.
        q: of the same dtype: the shift. At 0 the result is infinite, below NaN.
        name: name of the node.

    Raises:
        DTypeError: the dtypes differ or are not floating.

    Example:
        >>> dt.Session().run(dt.zeta(2.0, 1.0)).round(4)
        np.float32(1.6449)
    """
    return apply(Zeta(), "zeta", ("x", "q"), (x, q), name)


@register
@final
class Polygamma(CompositeOp):
    """Derivatives of the logarithm of the gamma function, counted from ``digamma``, which is number 0."""

    def decomposition(self, a: Tensor, x: Tensor) -> Tensor:
        """``digamma`` for order 0; else a factorial times the zeta function, with alternating sign."""
        magnitude = exp(lgamma(a + 1.0)) * Zeta()(maximum(a, 1.0) + 1.0, x)
        return select(equal(a, 0.0), digamma(x), select(equal(mod(a, 2.0), 0.0), -magnitude, magnitude))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The next one; there is none for ``a``."""
        a, x = inputs
        return [None, sum_to(grads[0] * Polygamma()(a + 1.0, x), x)]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Equal and broadcast shapes."""
        yield Sample(cls(), np.array([0.0, 1.0, 2.0]), rng.uniform(0.5, 4.0, (2, 3)), wrt=(1,), tolerance=1e-4)
        yield Sample(cls(), np.array([[3.0], [4.0]]), rng.uniform(0.5, 4.0, (3,)), wrt=(1,), tolerance=1e-4)


def polygamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """Return the derivative of order ``a`` of ``digamma``, element by element.

    Args:
        a: floating: natural numbers. There is no gradient with respect to it.
        x: of the same dtype: positive numbers.
        name: name of the node.

    Raises:
        DTypeError: the dtypes differ or are not floating.

    Example:
        >>> dt.Session().run(dt.polygamma(1.0, 1.0)).round(4)
        np.float32(1.6449)
    """
    return apply(Polygamma(), "polygamma", ("a", "x"), (a, x), name)
