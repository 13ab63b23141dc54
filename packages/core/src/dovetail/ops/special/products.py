"""Products and quotients that are 0 where the first factor is, as ``xlogy`` and ``xdivy``; and ``lbeta``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.composites import composite
from dovetail.ops.math import lgamma
from dovetail.ops.operands import apply
from dovetail.ops.reductions import reduce_sum, sum_to
from dovetail.ops.scalar import Expression, Input, basis
from dovetail.ops.scalars import Scalar, ScalarOp, scalar

__all__ = ["MultiplyNoNan", "lbeta", "multiply_no_nan", "reciprocal_no_nan", "xdivy", "xlog1py", "xlogy"]


@scalar(floating=True, domain=((-2.0, 2.0), (0.3, 3.0)))
def xlogy(x: Scalar, y: Scalar) -> Scalar:
    """Return ``x * log(y)``, and 0 where ``x`` is 0, whatever ``y``.

    Example:
        >>> dt.Session().run(dt.math.xlogy([0.0, 1.0], [0.0, 1.0]))
        array([0., 0.], dtype=float32)
    """
    return x * basis.log(basis.select(basis.equal(x, 0.0), 1.0, y))


@scalar(floating=True, domain=((-2.0, 2.0), (-0.5, 3.0)))
def xlog1py(x: Scalar, y: Scalar) -> Scalar:
    """Return ``x * log(1 + y)``, exact for small ``y``, and 0 where ``x`` is 0, whatever ``y``.

    Example:
        >>> dt.Session().run(dt.math.xlog1py([0.0, 1.0], [-1.0, 1e-8]))
        array([0.e+00, 1.e-08], dtype=float32)
    """
    return x * basis.log1p(basis.select(basis.equal(x, 0.0), 0.0, y))


@scalar(floating=True, domain=((-2.0, 2.0), (0.3, 3.0)))
def xdivy(x: Scalar, y: Scalar) -> Scalar:
    """Return ``x / y``, and 0 where ``x`` is 0, whatever ``y``.

    Example:
        >>> dt.Session().run(dt.math.xdivy([0.0, 1.0], [0.0, 4.0]))
        array([0.  , 0.25], dtype=float32)
    """
    zero = basis.equal(x, 0.0)
    return basis.select(zero, 0.0, x / basis.select(zero, 1.0, y))


@scalar(floating=True, domain=(0.3, 3.0))
def reciprocal_no_nan(x: Scalar) -> Scalar:
    """Return ``1 / x``, and 0 where ``x`` is 0.

    Example:
        >>> dt.Session().run(dt.math.reciprocal_no_nan([0.0, 4.0]))
        array([0.  , 0.25], dtype=float32)
    """
    zero = basis.equal(x, 0.0)
    return basis.select(zero, 0.0, 1.0 / basis.select(zero, 1.0, x))


_MULTIPLY_NO_NAN: Final = basis.select(basis.equal(Input(1), 0.0), 0.0, Input(0) * Input(1))


@register
@final
class MultiplyNoNan(ScalarOp):
    """Products that are 0 where the second factor is, whatever the first."""

    label = "multiply_no_nan"
    floating = True
    sample_intervals = ((-2.0, 2.0), (0.3, 3.0))

    @property
    def scalar_expression(self) -> Expression:
        """A choice by the second factor."""
        return _MULTIPLY_NO_NAN

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Any]:
        """Products of the same kind, as in TensorFlow."""
        x, y = inputs
        slopes = [(grads[0], y), (x, grads[0])]
        return [sum_to(MultiplyNoNan()(*slopes[index]), inputs[index]) for index in needed]


def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return ``x * y``, and 0 where ``y`` is 0, even if ``x`` is infinite or NaN.

    Raises:
        DTypeError: the dtypes differ or are not floating.
        ShapeError: the shapes do not broadcast.

    Example:
        >>> dt.Session().run(dt.math.multiply_no_nan([float("nan"), 2.0], [0.0, 4.0]))
        array([0., 8.], dtype=float32)
    """
    return apply(MultiplyNoNan(), "multiply_no_nan", ("x", "y"), (x, y), name)


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield (rng.uniform(0.5, 3.0, (2, 3)),)
    yield (rng.uniform(0.5, 3.0, (2,)),)


@composite(name="Lbeta", samples=_samples)
def _lbeta(x: Tensor) -> Tensor:
    """Differences of logarithms of the gamma function."""
    return reduce_sum(lgamma(x), -1) - lgamma(reduce_sum(x, -1))


def lbeta(x: Any, name: str | None = None) -> Tensor:
    """Return the logarithm of the multivariate beta function along the last axis.

    Args:
        x: floating, of shape ``[..., n]``.
        name: name of the node.

    Returns:
        A tensor of shape ``[...]``.

    Example:
        >>> dt.Session().run(dt.lbeta([1.0, 2.0])).round(4)
        np.float32(-0.6931)
    """
    result: Tensor = _lbeta(x, name=name)
    return result
