"""Incomplete gamma and beta functions: ``igamma``, ``igammac``, ``betainc``. NumPy computes them, on every backend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final, final

import numpy as np

from dovetail.errors import DTypeError
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.math import digamma, exp, lgamma, log, log1p
from dovetail.ops.operands import apply
from dovetail.ops.reductions import sum_to
from dovetail.ops.scalar import special
from dovetail.ops.sizes import Gradients, Tensors, Types
from dovetail.types.dims import Dim
from dovetail.types.dtypes import float32, float64
from dovetail.types.shapes import TensorType, broadcast_shapes

__all__ = [
    "Betainc",
    "Igamma",
    "IgammaGradA",
    "Incomplete",
    "Igammac",
    "betainc",
    "gamma_cdf",
    "gamma_cdf_slope",
    "igamma",
    "igammac",
]

_MOST: Final = 100_000
"""So many terms are enough up to arguments of a million."""
_EPSILON: Final = 1e-17
_LAST_BITS: Final = 4.5e-16
_TINY: Final = 1e-300


# The functions themselves, of flat arrays of float64. ----------------------------------------------------------------


def _log_gamma(x: Array) -> Array:
    with np.errstate(all="ignore"):
        return special.lgamma(x)


def gamma_cdf(a: Array, x: Array) -> tuple[Array, Array]:
    """Return the regularised lower and upper incomplete gamma functions, each with its own relative accuracy.

    The series (DLMF 8.7.1) below ``a + 1``, the continued fraction (8.9.2) above; NaN outside of the domain.
    """
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    lower, upper = np.full(a.shape, np.nan), np.full(a.shape, np.nan)
    valid = (a > 0) & (x >= 0) & np.isfinite(a)
    lower[valid & (x == 0)], upper[valid & (x == 0)] = 0.0, 1.0
    lower[valid & np.isinf(x)], upper[valid & np.isinf(x)] = 1.0, 0.0
    valid &= (x > 0) & np.isfinite(x)
    by_series, by_fraction = valid & (x < a + 1.0), valid & (x >= a + 1.0)
    with np.errstate(all="ignore"):
        lower[by_series] = _gamma_series(a[by_series], x[by_series])
        upper[by_fraction] = _gamma_tail(a[by_fraction], x[by_fraction])
    upper[by_series] = 1.0 - lower[by_series]
    lower[by_fraction] = 1.0 - upper[by_fraction]
    return lower, upper


def _gamma_series(a: Array, x: Array) -> Array:
    term = 1.0 / a
    total = term.copy()
    for step in range(1, _MOST):
        term = term * (x / (a + step))
        total += term
        if np.all(term <= _EPSILON * total):
            break
    return np.asarray(total * np.exp(a * np.log(x) - x - _log_gamma(a)))


def _gamma_tail(a: Array, x: Array) -> Array:
    return np.asarray(_gamma_fraction(a, x) * np.exp(a * np.log(x) - x - _log_gamma(a)))


def _gamma_fraction(a: Array, x: Array) -> Array:
    """Evaluate the continued fraction by Lentz's method."""
    b = x + 1.0 - a
    c = np.full(a.shape, 1.0 / _TINY)
    d = 1.0 / _away(b)
    result = d.copy()
    for step in range(1, _MOST):
        factor = -step * (step - a)
        b = b + 2.0
        d = 1.0 / _away(factor * d + b)
        c = _away(b + factor / c)
        result *= d * c
        if np.all(np.abs(d * c - 1.0) <= _LAST_BITS):
            break
    return result


def _gamma_fraction_slope(a: Array, x: Array) -> tuple[Array, Array]:
    """Evaluate the continued fraction, and the derivative of its logarithm with respect to ``a``, step by step."""
    b = x + 1.0 - a
    c, c_slope = np.full(a.shape, 1.0 / _TINY), np.zeros(a.shape)
    d = 1.0 / _away(b)
    d_slope = d * d
    result, slope = d.copy(), d.copy()
    for step in range(1, _MOST):
        factor = -step * (step - a)
        b = b + 2.0
        denominator = _away(factor * d + b)
        d_slope = -(step * d + factor * d_slope - 1.0) / (denominator * denominator)
        d = 1.0 / denominator
        c_slope = -1.0 + step / c - factor * c_slope / c / c
        c = _away(b + factor / c)
        result *= d * c
        down, up = d_slope / d, c_slope / c
        slope += down + up
        small = _LAST_BITS * (1.0 + np.abs(slope) + np.abs(down) + np.abs(up))
        if np.all((np.abs(d * c - 1.0) <= _LAST_BITS) & (np.abs(down + up) <= small)):
            break
    return result, slope


def _away(value: Array) -> Array:
    """Return what is not too near to 0 to divide by."""
    return np.where(np.abs(value) < _TINY, _TINY, value)


def gamma_cdf_slope(a: Array, x: Array) -> Array:
    """Return the derivative of the lower function with respect to ``a``, divided by that with respect to ``x``.

    Both have a factor in common that is left out, so that nothing under- or overflows.
    """
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    result = np.full(a.shape, np.nan)
    result[(a > 0) & (x == 0)] = 0.0
    inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    by_series, by_fraction = inside & (x < a + 1.0), inside & (x >= a + 1.0)
    result[by_series] = _slope_by_series(a[by_series], x[by_series])
    a, x = a[by_fraction], x[by_fraction]
    fraction, slope = _gamma_fraction_slope(a, x)
    result[by_fraction] = -fraction * x * (slope + np.log(x) - special.digamma(a))
    return result


def _slope_by_series(a: Array, x: Array) -> Array:
    term, order = 1.0 / a, a + 1.0
    part = np.log(x) - special.digamma(order)
    total = term * part
    size = np.abs(total)
    for step in range(1, _MOST):
        term = term * (x / (a + step))
        part = part - 1.0 / order
        order = order + 1.0
        total += term * part
        size = np.maximum(size, np.abs(total))
        if np.all(np.abs(term * part) <= _EPSILON * size) and np.all(part < 0.0):
            break
    return np.asarray(total * x)


def _beta_cdf(a: Array, b: Array, x: Array) -> Array:
    """Return the regularised incomplete beta function; NaN outside of the domain."""
    result = np.full(x.shape, np.nan)
    valid = (a > 0) & (b > 0) & (x >= 0) & (x <= 1)
    result[valid & (x == 0)], result[valid & (x == 1)] = 0.0, 1.0
    valid &= (x > 0) & (x < 1)
    a, b, x = a[valid], b[valid], x[valid]
    mirrored = x > (a + 1.0) / (a + b + 2.0)
    first, second = np.where(mirrored, b, a), np.where(mirrored, a, b)
    at = np.where(mirrored, 1.0 - x, x)
    scale = first * np.log(at) + second * np.log1p(-at) + _log_gamma(a + b) - _log_gamma(a) - _log_gamma(b)
    value = np.exp(scale) * _beta_fraction(first, second, at) / first
    result[valid] = np.where(mirrored, 1.0 - value, value)
    return result


def _beta_fraction(a: Array, b: Array, x: Array) -> Array:
    """Evaluate the continued fraction (DLMF 8.17.22) by Lentz's method."""
    c = np.ones(x.shape)
    d = 1.0 / _away(1.0 - (a + b) * x / (a + 1.0))
    result = d.copy()
    for step in range(1, _MOST):
        twice = a + 2.0 * step
        for factor in (
            step * (b - step) * x / ((twice - 1.0) * twice),
            -(a + step) * (a + b + step) * x / (twice * (twice + 1.0)),
        ):
            d = 1.0 / _away(1.0 + factor * d)
            c = _away(1.0 + factor / c)
            result *= d * c
        if np.all(np.abs(d * c - 1.0) <= _LAST_BITS):
            break
    return np.asarray(result)


# Operations. ---------------------------------------------------------------------------------------------------------


class Incomplete(Op):
    """A function of numbers that NumPy computes element by element, in float64, with broadcasting."""

    label: ClassVar[str]

    def infer(self, *types: TensorType) -> Signature:
        """The broadcast shape."""
        for index, one in enumerate(types):
            if one.dtype is not float32 and one.dtype is not float64:
                raise DTypeError(
                    f"{self.label}: input {index} is {one}, where float32 or float64 is wanted. Use dt.cast."
                )
            if one.dtype is not types[0].dtype:
                raise DTypeError(
                    f"{self.label}: dtypes differ: input 0 is {types[0]}, input {index} is {one}. Use dt.cast."
                )
        listed = ", ".join(f"input {index} is {one}" for index, one in enumerate(types))
        message = f"{self.label}: the shapes do not broadcast: {listed}. Aligned at the right, equal or 1 will do."
        return TensorType(types[0].dtype, broadcast_shapes(*(one.shape for one in types), message=message))

    def reference(self, *arrays: Array) -> Array:
        """The function, in float64."""
        wide = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in arrays))
        with np.errstate(all="ignore"):
            found = self.compute(*(np.atleast_1d(one) for one in wide))
        return found.reshape(wide[0].shape).astype(arrays[0].dtype)

    def compute(self, *arrays: Array) -> Array:
        """Compute the function of arrays of float64 of one shape, which has an axis."""
        raise NotImplementedError

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """Some hundred for each element."""
        return 100 * outputs[0].size


def _gamma_density(a: Tensor, x: Tensor) -> Tensor:
    """Return the density of the gamma distribution."""
    result: Tensor = exp((a - 1.0) * log(x) - x - lgamma(a))
    return result


def _gamma_samples(cls: Any, rng: np.random.Generator) -> Iterable[Sample]:
    """Yield both ways of computing; second derivatives by the second input only."""
    yield Sample(cls(), rng.uniform(0.5, 4.0, (2, 3)), rng.uniform(0.2, 6.0, (2, 3)), second_order=False)
    yield Sample(cls(), rng.uniform(0.5, 4.0, (3,)), rng.uniform(0.2, 6.0, (2, 1)), wrt=(1,))
    yield Sample(cls(), np.ones((0, 3)), np.ones((3,)))
    yield Sample(cls(), np.array([-1.0, 1.0, 2.0, 50.0]), np.array([1.0, 0.0, np.inf, 40.0]), wrt=())


@primitive
@final
class Igamma(Incomplete):
    """The regularised lower incomplete gamma function."""

    label = "igamma"

    def compute(self, *arrays: Array) -> Array:
        """See ``gamma_cdf``."""
        return gamma_cdf(*arrays)[0]

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """``IgammaGradA`` and the density of the gamma distribution."""
        a, x = inputs
        return [sum_to(grads[0] * IgammaGradA()(a, x), a), sum_to(grads[0] * _gamma_density(a, x), x)]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both ways of computing, none, outside of the domain."""
        return _gamma_samples(cls, rng)


@primitive
@final
class Igammac(Incomplete):
    """The regularised upper incomplete gamma function."""

    label = "igammac"

    def compute(self, *arrays: Array) -> Array:
        """See ``gamma_cdf``."""
        return gamma_cdf(*arrays)[1]

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """That of the lower function, negative."""
        a, x = inputs
        return [sum_to(-grads[0] * IgammaGradA()(a, x), a), sum_to(-grads[0] * _gamma_density(a, x), x)]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Both ways of computing, none, outside of the domain."""
        return _gamma_samples(cls, rng)


@primitive
@final
class IgammaGradA(Incomplete):
    """The derivative of the regularised lower incomplete gamma function with respect to its order."""

    label = "igamma"

    def compute(self, *arrays: Array) -> Array:
        """The slope, times the density."""
        a, x = arrays
        density = np.exp((a - 1.0) * np.log(x) - x - _log_gamma(a))
        return np.asarray(np.where((x == 0) | np.isinf(x), 0.0, gamma_cdf_slope(a, x) * density))

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The density's derivative with respect to the order; for the order itself there is none, as in TensorFlow."""
        a, x = inputs
        return [None, sum_to(grads[0] * _gamma_density(a, x) * (log(x) - digamma(a)), x)]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Equal and broadcast shapes."""
        yield Sample(cls(), rng.uniform(0.5, 4.0, (2, 3)), rng.uniform(0.2, 6.0, (2, 3)), wrt=(1,))
        yield Sample(cls(), rng.uniform(0.5, 4.0, (3,)), rng.uniform(0.2, 6.0, (2, 1)), wrt=(1,))
        yield Sample(cls(), np.array([20.0, 1.0]), np.array([30.0, 0.0]), wrt=())


@primitive
@final
class Betainc(Incomplete):
    """The regularised incomplete beta function."""

    label = "betainc"

    def compute(self, *arrays: Array) -> Array:
        """See ``_beta_cdf``."""
        return _beta_cdf(*arrays)

    def gradient(self, inputs: Tensors, outputs: Tensors, grads: Tensors) -> Gradients:
        """The density of the beta distribution; for the orders there is none, as in TensorFlow."""
        a, b, x = inputs
        logarithm = (a - 1.0) * log(x) + (b - 1.0) * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)
        return [None, None, sum_to(grads[0] * exp(logarithm), x)]

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Equal and broadcast shapes, none, outside of the domain."""
        shape = (2, 3)
        orders = rng.uniform(0.5, 4.0, shape), rng.uniform(0.5, 4.0, shape)
        yield Sample(cls(), *orders, rng.uniform(0.1, 0.9, shape), wrt=(2,))
        yield Sample(cls(), np.array(1.5), np.array([[0.5], [2.0]]), rng.uniform(0.1, 0.9, (3,)), wrt=(2,))
        yield Sample(cls(), np.ones((0,)), np.ones((0,)), np.ones((0,)), wrt=(2,))
        yield Sample(cls(), np.ones(4), np.array([2.0, -1.0, 2.0, 2.0]), np.array([0.0, 0.5, 1.0, 1.5]), wrt=())


def igamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """Return the regularised lower incomplete gamma function, element by element.

    It is how much of the gamma distribution of order ``a`` lies below ``x``.

    Args:
        a: float32 or float64, positive: the order.
        x: of the same dtype, at least 0; the shapes broadcast.
        name: name of the node.

    Returns:
        A tensor of the broadcast shape, NaN outside of the domain. NumPy computes it, on every backend, in float64.
        There is no second gradient with respect to ``a``, as in TensorFlow.

    Raises:
        ShapeError: the shapes do not broadcast.
        DTypeError: the dtypes differ or are others.

    Example:
        >>> dt.Session().run(dt.igamma(1.0, [0.0, 1.0])).round(4)
        array([0.    , 0.6321], dtype=float32)
    """
    return apply(Igamma(), "igamma", ("a", "x"), (a, x), name)


def igammac(a: Any, x: Any, name: str | None = None) -> Tensor:
    """Return the regularised upper incomplete gamma function, one less ``igamma``, exact also where it is small.

    Args:
        a: float32 or float64, positive: the order.
        x: of the same dtype, at least 0; the shapes broadcast.
        name: name of the node.

    Raises:
        ShapeError: the shapes do not broadcast.
        DTypeError: the dtypes differ or are others.

    Example:
        >>> dt.Session().run(dt.igammac(1.0, [0.0, 1.0])).round(4)
        array([1.    , 0.3679], dtype=float32)
    """
    return apply(Igammac(), "igammac", ("a", "x"), (a, x), name)


def betainc(a: Any, b: Any, x: Any, name: str | None = None) -> Tensor:
    """Return the regularised incomplete beta function, element by element.

    Args:
        a: float32 or float64, positive.
        b: of the same dtype, positive.
        x: of the same dtype, from 0 to 1; the shapes broadcast.
        name: name of the node.

    Returns:
        A tensor of the broadcast shape, NaN outside of the domain. NumPy computes it, on every backend, in float64.
        There is no gradient with respect to ``a`` and ``b``, as in TensorFlow.

    Raises:
        ShapeError: the shapes do not broadcast.
        DTypeError: the dtypes differ or are others.

    Example:
        >>> dt.Session().run(dt.betainc(1.0, 1.0, [0.25, 0.5]))
        array([0.25, 0.5 ], dtype=float32)
    """
    return apply(Betainc(), "betainc", ("a", "b", "x"), (a, b, x), name)
