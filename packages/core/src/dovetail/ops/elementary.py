"""Elementary and special functions, element by element, of floating tensors."""

from __future__ import annotations

from dovetail.ops.scalar import basis
from dovetail.ops.scalars import Scalar, scalar

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "digamma",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "lgamma",
    "log",
    "log1p",
    "relu",
    "rsqrt",
    "sigmoid",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]


@scalar
def exp(x: Scalar) -> Scalar:
    """Return e to the power ``x``.

    Example:
        >>> dt.Session().run(dt.exp([0.0, 1.0])).round(4)
        array([1.    , 2.7183], dtype=float32)
    """
    return basis.exp(x)


@scalar
def expm1(x: Scalar) -> Scalar:
    """Return ``exp(x) - 1``, exact also where ``x`` is near 0.

    Example:
        >>> dt.Session().run(dt.expm1([0.0, 1e-8]))
        array([0.e+00, 1.e-08], dtype=float32)
    """
    return basis.expm1(x)


@scalar(domain=(0.3, 3.0))
def log(x: Scalar) -> Scalar:
    """Return the natural logarithm: -infinity at 0, NaN below.

    Example:
        >>> dt.Session().run(dt.log([1.0, 0.0]))
        array([  0., -inf], dtype=float32)
    """
    return basis.log(x)


@scalar(domain=(-0.7, 3.0))
def log1p(x: Scalar) -> Scalar:
    """Return ``log(1 + x)``, exact also where ``x`` is near 0.

    Example:
        >>> dt.Session().run(dt.log1p([0.0, 1e-8]))
        array([0.e+00, 1.e-08], dtype=float32)
    """
    return basis.log1p(x)


@scalar(domain=(0.3, 3.0))
def sqrt(x: Scalar) -> Scalar:
    """Return the square root: NaN below 0. Its derivative at 0 is infinite.

    Example:
        >>> dt.Session().run(dt.sqrt([4.0, 9.0]))
        array([2., 3.], dtype=float32)
    """
    return basis.sqrt(x)


@scalar(domain=(0.3, 3.0))
def rsqrt(x: Scalar) -> Scalar:
    """Return ``1 / sqrt(x)``.

    Example:
        >>> dt.Session().run(dt.rsqrt([4.0, 0.25]))
        array([0.5, 2. ], dtype=float32)
    """
    return basis.rsqrt(x)


@scalar
def sigmoid(x: Scalar) -> Scalar:
    """Return the logistic function ``1 / (1 + exp(-x))``, without overflow.

    Example:
        >>> dt.Session().run(dt.sigmoid([0.0, 100.0]))
        array([0.5, 1. ], dtype=float32)
    """
    return basis.sigmoid(x)


@scalar
def sin(x: Scalar) -> Scalar:
    """Return the sine of angles in radians.

    Example:
        >>> dt.Session().run(dt.sin([0.0, 1.0])).round(4)
        array([0.    , 0.8415], dtype=float32)
    """
    return basis.sin(x)


@scalar
def cos(x: Scalar) -> Scalar:
    """Return the cosine of angles in radians.

    Example:
        >>> dt.Session().run(dt.cos([0.0, 1.0])).round(4)
        array([1.    , 0.5403], dtype=float32)
    """
    return basis.cos(x)


@scalar(domain=(-1.3, 1.3))
def tan(x: Scalar) -> Scalar:
    """Return the tangent of angles in radians.

    Example:
        >>> dt.Session().run(dt.tan([0.0, 1.0])).round(4)
        array([0.    , 1.5574], dtype=float32)
    """
    return basis.tan(x)


@scalar(domain=(-0.9, 0.9))
def asin(x: Scalar) -> Scalar:
    """Return the inverse sine, from -π/2 to π/2; NaN outside of [-1, 1].

    Example:
        >>> dt.Session().run(dt.asin([0.0, 1.0])).round(4)
        array([0.    , 1.5708], dtype=float32)
    """
    return basis.asin(x)


@scalar(domain=(-0.9, 0.9))
def acos(x: Scalar) -> Scalar:
    """Return the inverse cosine, from 0 to π; NaN outside of [-1, 1].

    Example:
        >>> dt.Session().run(dt.acos([0.0, 1.0])).round(4)
        array([1.5708, 0.    ], dtype=float32)
    """
    return basis.acos(x)


@scalar
def atan(x: Scalar) -> Scalar:
    """Return the inverse tangent, from -π/2 to π/2.

    Example:
        >>> dt.Session().run(dt.atan([0.0, 1.0])).round(4)
        array([0.    , 0.7854], dtype=float32)
    """
    return basis.atan(x)


@scalar
def sinh(x: Scalar) -> Scalar:
    """Return the hyperbolic sine.

    Example:
        >>> dt.Session().run(dt.sinh([0.0, 1.0])).round(4)
        array([0.    , 1.1752], dtype=float32)
    """
    return basis.sinh(x)


@scalar
def cosh(x: Scalar) -> Scalar:
    """Return the hyperbolic cosine.

    Example:
        >>> dt.Session().run(dt.cosh([0.0, 1.0])).round(4)
        array([1.    , 1.5431], dtype=float32)
    """
    return basis.cosh(x)


@scalar
def tanh(x: Scalar) -> Scalar:
    """Return the hyperbolic tangent.

    Example:
        >>> dt.Session().run(dt.tanh([0.0, 1.0])).round(4)
        array([0.    , 0.7616], dtype=float32)
    """
    return basis.tanh(x)


@scalar
def asinh(x: Scalar) -> Scalar:
    """Return the inverse hyperbolic sine.

    Example:
        >>> dt.Session().run(dt.asinh([0.0, 1.0])).round(4)
        array([0.    , 0.8814], dtype=float32)
    """
    return basis.asinh(x)


@scalar(domain=(1.2, 3.0))
def acosh(x: Scalar) -> Scalar:
    """Return the inverse hyperbolic cosine; NaN below 1.

    Example:
        >>> dt.Session().run(dt.acosh([1.0, 2.0])).round(4)
        array([0.   , 1.317], dtype=float32)
    """
    return basis.acosh(x)


@scalar(domain=(-0.9, 0.9))
def atanh(x: Scalar) -> Scalar:
    """Return the inverse hyperbolic tangent; NaN outside of [-1, 1].

    Example:
        >>> dt.Session().run(dt.atanh([0.0, 0.5])).round(4)
        array([0.    , 0.5493], dtype=float32)
    """
    return basis.atanh(x)


@scalar
def erf(x: Scalar) -> Scalar:
    """Return the error function, ``2/√π`` times the integral of ``exp(-t²)`` from 0 to ``x``.

    Example:
        >>> dt.Session().run(dt.erf([0.0, 1.0])).round(4)
        array([0.    , 0.8427], dtype=float32)
    """
    return basis.erf(x)


@scalar
def erfc(x: Scalar) -> Scalar:
    """Return ``1 - erf(x)``, exact also where that is small.

    Example:
        >>> dt.Session().run(dt.erfc([0.0, 1.0])).round(4)
        array([1.    , 0.1573], dtype=float32)
    """
    return basis.erfc(x)


@scalar(domain=(0.3, 4.0))
def lgamma(x: Scalar) -> Scalar:
    """Return the logarithm of the absolute value of the gamma function.

    Example:
        >>> dt.Session().run(dt.lgamma([1.0, 4.0])).round(4)
        array([0.    , 1.7918], dtype=float32)
    """
    return basis.lgamma(x)


@scalar(domain=(0.3, 4.0))
def digamma(x: Scalar) -> Scalar:
    """Return the derivative of ``lgamma``.

    Example:
        >>> dt.Session().run(dt.digamma([1.0, 4.0])).round(4)
        array([-0.5772,  1.2561], dtype=float32)
    """
    return basis.digamma(x)


@scalar(domain=(0.3, 2.0))
def atan2(y: Scalar, x: Scalar) -> Scalar:
    """Return the angle of the point (x, y), from -π to π, with broadcasting; note that ``y`` comes first.

    Example:
        >>> dt.Session().run(dt.atan2([1.0, -1.0], -1.0)).round(4)
        array([ 2.3562, -2.3562], dtype=float32)
    """
    return basis.atan2(y, x)


@scalar
def relu(features: Scalar) -> Scalar:
    """Return the positive part, ``max(features, 0)``; its derivative at 0 is 0, and NaN stays.

    Source: V. Nair and G. Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.

    Example:
        >>> dt.Session().run(dt.nn.relu([-1.0, 2.0]))
        array([0., 2.], dtype=float32)
    """
    return basis.maximum(0, features)
