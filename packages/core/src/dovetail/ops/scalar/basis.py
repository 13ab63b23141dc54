"""The closed table of basis functions: for each its NumPy definition, its operands, its result and its derivatives.

Every scalar operation is an expression of these, so a backend that can print them can compute any scalar operation,
its gradient included. Derivatives that do not exist are chosen as follows: ``absolute`` has 0 at 0; ``maximum`` and
``minimum`` of equal operands belong to the first, as in TensorFlow 1; ``floor``, ``sign``, comparisons and their like
do not vary. The derivative of ``power`` with respect to the exponent is 0 where the base is not positive.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from dovetail.ops.scalar import special
from dovetail.ops.scalar.expression import Basis, Expression, Operand

__all__ = [
    "absolute", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_or",
    "bitwise_xor", "ceil", "cos", "cosh", "digamma", "divide", "equal", "erf", "erfc", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "invert", "is_finite", "is_inf", "is_nan", "left_shift", "less",
    "less_equal", "lgamma", "log", "log1p", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum",
    "minimum", "multiply", "negative", "not_equal", "power", "reciprocal", "remainder", "right_shift", "round_",
    "rsqrt", "select", "sigmoid", "sign", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trigamma",
    "trunc",
]  # fmt: skip


# Arithmetic. Integers wrap; integer division by zero raises ZeroDivisionError, floating division follows IEEE 754.


def _floor_divide(x: Any, y: Any) -> Any:
    return np.floor(np.true_divide(x, y))


def _integer_floor_divide(x: Any, y: Any) -> Any:
    if not np.all(y):
        raise ZeroDivisionError("integer division by zero")
    return np.floor_divide(x, y)


def _integer_remainder(x: Any, y: Any) -> Any:
    if not np.all(y):
        raise ZeroDivisionError("integer remainder by zero")
    return np.remainder(x, y)


def _integer_power(x: Any, y: Any) -> Any:
    if np.any(np.less(y, 0)):
        raise ValueError("an integer to a negative integer power; cast to a floating dtype first")
    return np.power(x, y)


def _power_by_base(_: Expression, x: Expression, y: Expression) -> Expression:
    # Where y is 0 the derivative is 0, though x ** (y - 1) may be infinite there.
    zero = equal(y, 0.0)
    return select(zero, 0.0, y * power(x, select(zero, 1.0, y - 1.0)))


def _power_by_exponent(z: Expression, x: Expression, _: Expression) -> Expression:
    positive = x > 0.0
    return select(positive, log(select(positive, x, 1.0)), 0.0) * z


add: Final[Basis] = Basis(
    "add", np.add, "number", "operand", (lambda z, x, y: 1.0, lambda z, x, y: 1.0), "x + y", symbol="+"
)
subtract: Final[Basis] = Basis(
    "subtract", np.subtract, "number", "operand", (lambda z, x, y: 1.0, lambda z, x, y: -1.0), "x - y", symbol="-"
)
multiply: Final[Basis] = Basis(
    "multiply", np.multiply, "number", "operand", (lambda z, x, y: y, lambda z, x, y: x), "x * y", symbol="*"
)
divide: Final[Basis] = Basis(
    "divide", np.true_divide, "number", "quotient", (lambda z, x, y: reciprocal(y), lambda z, x, y: -z / y),
    "x / y; integers of 32 and 64 bits give float64, smaller ones float32", symbol="/",
)  # fmt: skip
floor_divide: Final[Basis] = Basis(
    "floor_divide", _floor_divide, "numeric", "operand", (None, None), "floor(x / y), the quotient rounded first",
    integer=_integer_floor_divide, symbol="//",
)  # fmt: skip
remainder: Final[Basis] = Basis(
    "remainder", np.remainder, "numeric", "operand", (lambda z, x, y: 1.0, lambda z, x, y: -floor_divide(x, y)),
    "remainder of x by y, exact, with the sign of y", integer=_integer_remainder, symbol="%",
)  # fmt: skip
power: Final[Basis] = Basis(
    "power", np.power, "numeric", "operand", (_power_by_base, _power_by_exponent),
    "x to the power y; integers want y >= 0", integer=_integer_power, symbol="**",
)  # fmt: skip
negative: Final[Basis] = Basis("negative", np.negative, "number", "operand", (lambda z, x: -1.0,), "-x", symbol="-")
absolute: Final[Basis] = Basis("absolute", np.abs, "numeric", "operand", (lambda z, x: sign(x),), "|x|")
sign: Final[Basis] = Basis("sign", np.sign, "numeric", "operand", (None,), "-1, 0 or 1 as x is; NaN stays")
square: Final[Basis] = Basis("square", np.square, "number", "operand", (lambda z, x: 2.0 * x,), "x * x")
reciprocal: Final[Basis] = Basis("reciprocal", np.reciprocal, "inexact", "operand", (lambda z, x: -z * z,), "1 / x")
maximum: Final[Basis] = Basis(
    "maximum", np.maximum, "numeric", "operand",
    (lambda z, x, y: select(x >= y, 1.0, 0.0), lambda z, x, y: select(x >= y, 0.0, 1.0)),
    "the larger; NaN if either is NaN",
)  # fmt: skip
minimum: Final[Basis] = Basis(
    "minimum", np.minimum, "numeric", "operand",
    (lambda z, x, y: select(x <= y, 1.0, 0.0), lambda z, x, y: select(x <= y, 0.0, 1.0)),
    "the smaller; NaN if either is NaN",
)  # fmt: skip

# Powers, exponentials and logarithms.

exp: Final[Basis] = Basis("exp", np.exp, "inexact", "operand", (lambda z, x: z,), "e to the power x")
expm1: Final[Basis] = Basis(
    "expm1", np.expm1, "inexact", "operand", (lambda z, x: z + 1.0,), "exp(x) - 1, exact near 0"
)
log: Final[Basis] = Basis("log", np.log, "inexact", "operand", (lambda z, x: reciprocal(x),), "natural logarithm")
log1p: Final[Basis] = Basis(
    "log1p", np.log1p, "inexact", "operand", (lambda z, x: reciprocal(1.0 + x),), "log(1 + x), exact near 0"
)
sqrt: Final[Basis] = Basis("sqrt", np.sqrt, "inexact", "operand", (lambda z, x: 0.5 / z,), "square root")
rsqrt: Final[Basis] = Basis(
    "rsqrt", special.rsqrt, "inexact", "operand", (lambda z, x: -0.5 * (z * z * z),), "1 / sqrt(x), two roundings"
)
sigmoid: Final[Basis] = Basis(
    "sigmoid", special.sigmoid, "inexact", "operand", (lambda z, x: z * (1.0 - z),), "1 / (1 + exp(-x)), stable"
)

# Circular and hyperbolic functions.

sin: Final[Basis] = Basis("sin", np.sin, "inexact", "operand", (lambda z, x: cos(x),), "sine")
cos: Final[Basis] = Basis("cos", np.cos, "inexact", "operand", (lambda z, x: -sin(x),), "cosine")
tan: Final[Basis] = Basis("tan", np.tan, "inexact", "operand", (lambda z, x: 1.0 + z * z,), "tangent")
asin: Final[Basis] = Basis(
    "asin", np.arcsin, "inexact", "operand", (lambda z, x: rsqrt((1.0 - x) * (1.0 + x)),), "inverse sine"
)
acos: Final[Basis] = Basis(
    "acos", np.arccos, "inexact", "operand", (lambda z, x: -rsqrt((1.0 - x) * (1.0 + x)),), "inverse cosine"
)
atan: Final[Basis] = Basis(
    "atan", np.arctan, "inexact", "operand", (lambda z, x: reciprocal(1.0 + x * x),), "inverse tangent"
)
atan2: Final[Basis] = Basis(
    "atan2", np.arctan2, "floating", "operand",
    (lambda z, y, x: x / (x * x + y * y), lambda z, y, x: -y / (x * x + y * y)),
    "angle of the point (x, y); the first argument is y",
)  # fmt: skip
sinh: Final[Basis] = Basis("sinh", np.sinh, "inexact", "operand", (lambda z, x: cosh(x),), "hyperbolic sine")
cosh: Final[Basis] = Basis("cosh", np.cosh, "inexact", "operand", (lambda z, x: sinh(x),), "hyperbolic cosine")
tanh: Final[Basis] = Basis("tanh", np.tanh, "inexact", "operand", (lambda z, x: 1.0 - z * z,), "hyperbolic tangent")
asinh: Final[Basis] = Basis(
    "asinh", np.arcsinh, "inexact", "operand", (lambda z, x: rsqrt(x * x + 1.0),), "inverse hyperbolic sine"
)
acosh: Final[Basis] = Basis(
    "acosh", np.arccosh, "floating", "operand", (lambda z, x: rsqrt((x - 1.0) * (x + 1.0)),),
    "inverse hyperbolic cosine",
)  # fmt: skip
atanh: Final[Basis] = Basis(
    "atanh", np.arctanh, "inexact", "operand", (lambda z, x: reciprocal((1.0 - x) * (1.0 + x)),),
    "inverse hyperbolic tangent",
)  # fmt: skip

# Special functions.

_TWO_OVER_SQRT_PI: Final = 2.0 / math.sqrt(math.pi)
_TRIGAMMA_SHIFT: Final = 10
_TRIGAMMA_SERIES: Final = (
    -3617.0 / 510.0, 7.0 / 6.0, -691.0 / 2730.0, 5.0 / 66.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 1.0 / 6.0,
)  # fmt: skip


def trigamma(x: Operand) -> Expression:
    """Build the second derivative of lgamma, from basis functions, so that it has derivatives itself.

    Recurrence to arguments above 10 and the asymptotic series there (Abramowitz and Stegun 6.4.12); reflection
    (6.4.7) below one half.

    Example:
        >>> from dovetail.ops.scalar import Input, compile_numpy
        >>> from dovetail.types.dtypes import float64
        >>> bool(abs(compile_numpy(trigamma(Input(0)), [float64])(np.array(1.0)) - math.pi**2 / 6) < 1e-14)
        True
    """
    mirrored = less(x, 0.5)
    start = select(mirrored, subtract(1.0, x), x)
    total: Operand = 0.0
    for step in range(_TRIGAMMA_SHIFT):
        total = add(total, reciprocal(square(start + float(step)))) if step else reciprocal(square(start))
    inverse = reciprocal(start + float(_TRIGAMMA_SHIFT))
    inverse_square = square(inverse)
    series: Operand = _TRIGAMMA_SERIES[0]
    for coefficient in _TRIGAMMA_SERIES[1:]:
        series = add(multiply(series, inverse_square), coefficient)
    value = add(total, inverse + 0.5 * inverse_square + inverse * inverse_square * series)
    # The sine's argument is reduced first; where x is not mirrored the quotient is kept finite.
    reduced = select(mirrored, subtract(x, round_(x)), 0.5)
    return select(mirrored, square(math.pi / sin(math.pi * reduced)) - value, value)


erf: Final[Basis] = Basis(
    "erf", special.erf, "floating", "operand", (lambda z, x: _TWO_OVER_SQRT_PI * exp(-(x * x)),), "error function"
)
erfc: Final[Basis] = Basis(
    "erfc", special.erfc, "floating", "operand", (lambda z, x: -_TWO_OVER_SQRT_PI * exp(-(x * x)),), "1 - erf(x)"
)
digamma: Final[Basis] = Basis(
    "digamma", special.digamma, "floating", "operand", (lambda z, x: trigamma(x),), "derivative of lgamma"
)
lgamma: Final[Basis] = Basis(
    "lgamma", special.lgamma, "floating", "operand", (lambda z, x: digamma(x),), "log |gamma(x)|"
)

# Rounding; integers stay as they are.

floor: Final[Basis] = Basis("floor", np.floor, "numeric", "operand", (None,), "round down", integer=np.positive)
ceil: Final[Basis] = Basis("ceil", np.ceil, "numeric", "operand", (None,), "round up", integer=np.positive)
round_: Final[Basis] = Basis(
    "round", np.rint, "numeric", "operand", (None,), "round, halves to even", integer=np.positive
)
trunc: Final[Basis] = Basis("trunc", np.trunc, "numeric", "operand", (None,), "round toward zero", integer=np.positive)

# Comparisons, logic, bits.

equal: Final[Basis] = Basis("equal", np.equal, "any", "bool", (None, None), "x == y", symbol="==")
not_equal: Final[Basis] = Basis("not_equal", np.not_equal, "any", "bool", (None, None), "x != y", symbol="!=")
less: Final[Basis] = Basis("less", np.less, "numeric", "bool", (None, None), "x < y", symbol="<")
less_equal: Final[Basis] = Basis("less_equal", np.less_equal, "numeric", "bool", (None, None), "x <= y", symbol="<=")
greater: Final[Basis] = Basis("greater", np.greater, "numeric", "bool", (None, None), "x > y", symbol=">")
greater_equal: Final[Basis] = Basis(
    "greater_equal", np.greater_equal, "numeric", "bool", (None, None), "x >= y", symbol=">="
)
logical_and: Final[Basis] = Basis("logical_and", np.logical_and, "bool", "bool", (None, None), "both", symbol="&")
logical_or: Final[Basis] = Basis("logical_or", np.logical_or, "bool", "bool", (None, None), "either", symbol="|")
logical_xor: Final[Basis] = Basis(
    "logical_xor", np.logical_xor, "bool", "bool", (None, None), "one of them", symbol="^"
)
logical_not: Final[Basis] = Basis("logical_not", np.logical_not, "bool", "bool", (None,), "not", symbol="~")
bitwise_and: Final[Basis] = Basis("bitwise_and", np.bitwise_and, "integer", "operand", (None, None), "bits in both")
bitwise_or: Final[Basis] = Basis("bitwise_or", np.bitwise_or, "integer", "operand", (None, None), "bits in either")
bitwise_xor: Final[Basis] = Basis(
    "bitwise_xor", np.bitwise_xor, "integer", "operand", (None, None), "bits in one of them"
)
invert: Final[Basis] = Basis("invert", np.invert, "integer", "operand", (None,), "every bit flipped")
left_shift: Final[Basis] = Basis(
    "left_shift", np.left_shift, "integer", "operand", (None, None),
    "x * 2**y; 0 where y is negative or at least the number of bits",
)  # fmt: skip
right_shift: Final[Basis] = Basis(
    "right_shift", np.right_shift, "integer", "operand", (None, None),
    "floor(x / 2**y); 0, or -1 for negative x, where y is negative or at least the number of bits",
)  # fmt: skip
select: Final[Basis] = Basis(
    "select", special.select, "select", "operand",
    (None, lambda z, c, a, b: select(c, 1.0, 0.0), lambda z, c, a, b: select(c, 0.0, 1.0)),
    "a where the condition holds, else b",
)  # fmt: skip
is_nan: Final[Basis] = Basis("is_nan", np.isnan, "floating", "bool", (None,), "whether x is NaN")
is_inf: Final[Basis] = Basis("is_inf", np.isinf, "floating", "bool", (None,), "whether x is infinite")
is_finite: Final[Basis] = Basis(
    "is_finite", np.isfinite, "floating", "bool", (None,), "whether x is neither NaN nor infinite"
)
