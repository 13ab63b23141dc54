"""Products and quotients that are 0 where the first factor is, as ``xlogy`` and ``xdivy``; and ``lbeta``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dovetail.graph.operation import Tensor
from dovetail.ops.composites import composite
from dovetail.ops.math import lgamma
from dovetail.ops.reductions import reduce_sum
from dovetail.ops.scalar import basis
from dovetail.ops.scalars import Scalar, scalar

__all__ = ["lbeta", "xdivy", "xlog1py", "xlogy"]


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
