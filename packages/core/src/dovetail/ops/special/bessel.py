"""Modified Bessel functions of the first kind, of orders 0 and 1: ``bessel_i0`` and its like."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.composites import composite
from dovetail.ops.math import abs as absolute
from dovetail.ops.math import exp, greater, sign, where
from dovetail.ops.operands import apply
from dovetail.ops.scalar import Expression, Input, Operand, basis
from dovetail.ops.scalars import ScalarOp

__all__ = ["BesselI0e", "BesselI1e", "bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e"]

# Chebyshev expansions as polynomials, highest power first: up to 8 of exp(-x) I0(x) and exp(-x) I1(x) / x in x / 4 - 1,
# beyond of exp(-x) sqrt(x) I0(x) and exp(-x) sqrt(x) I1(x) in 16 / x - 1. Errors are below 1e-16.

_I0_NEAR: Final = (
    3.043616766866286e-10, -1.1852342482684723e-09, 2.1878041523620257e-09, -7.723094556846333e-09,
    3.39695180931004e-08, -1.1384114641747256e-07, 3.5212842626130005e-07, -1.0883393970072518e-06,
    3.2498478284328534e-06, -9.251680584432654e-06, 2.5183377189964778e-05, -6.550861389620851e-05,
    0.00016241792341840366, -0.00038290209550065975, 0.0008563093345358882, -0.001811886793937724,
    0.003617128473996364, -0.0067923998730731695, 0.011960077419502311, -0.01968265469059234, 0.0301779121034198,
    -0.04298594945479612, 0.056777032011256987, -0.06954119561719381, 0.07927522590772476, -0.08496338091616305,
    0.08734341617550408, -0.08904344136075962, 0.09451562853995128, -0.11300432688620549, 0.2070019212239867,
)  # fmt: skip
_I0_FAR: Final = (
    -6.067631570603006e-11, -2.0260604287413626e-11, 4.577087631643623e-10, 1.5279202694981569e-10,
    -1.618980683624682e-09, -5.715843864202709e-10, 3.6379546359011143e-09, 1.5200816953924232e-09,
    -5.95356943826489e-09, -3.505966530879332e-09, 7.430464650325426e-09, 7.552583062123384e-09,
    -5.404771567579958e-09, -1.340891754008974e-08, -6.747657956107524e-09, 7.554691881248808e-09,
    2.1548377974791598e-08, 3.932584334552952e-08, 8.872219737904054e-08, 2.9735985885673923e-07,
    1.4838475658279249e-06, 1.1143033790932038e-05, 0.0001362160743919305, 0.0033605519836678614,
    0.4021765094450081,
)  # fmt: skip
_I1_NEAR: Final = (
    -9.506861180736366e-11, 3.7284532079392345e-10, -7.277033556073836e-10, 2.603206542331157e-09,
    -1.1224475126135595e-08, 3.802984785138283e-08, -1.1993980285486188e-07, 3.759367306404118e-07,
    -1.1381566323785447e-06, 3.293899139003749e-06, -9.131775730568571e-06, 2.4233753149624307e-05,
    -6.142655719704761e-05, 0.0001484212433475852, -0.00034117472445271377, 0.0007445123445061157,
    -0.0015388749696724586, 0.0030057624197775295, -0.00553456775924123, 0.009583962150731578,
    -0.015571309256763564, 0.023686016957729535, -0.03367135551992323, 0.04467457262125467, -0.055280039227051464,
    0.06376740371340721, -0.06848260620582547, 0.0680575999095116, -0.06112433802966629, 0.044687709875608835,
)  # fmt: skip
_I1_FAR: Final = (
    6.305965197150057e-11, 1.8515118828852956e-11, -4.758818838703853e-10, -1.4011625179770627e-10,
    1.6848984479705146e-09, 5.295625441161261e-10, -3.794670896208339e-09, -1.4387250533041013e-09,
    6.242741219786445e-09, 3.4262341490077958e-09, -7.888351507862078e-09, -7.64239413436356e-09,
    5.974437608040264e-09, 1.4034238782067183e-08, 6.734464815301592e-09, -8.427766093735185e-09,
    -2.337392820814264e-08, -4.312917729178349e-08, -1.0001288294864884e-07, -3.483855761044295e-07,
    -1.8349101326980946e-06, -1.5038547200567216e-05, -0.00021923576383388928, -0.009749577193235737,
    0.38939845902587233,
)  # fmt: skip


def _polynomial(x: Expression, coefficients: Sequence[float]) -> Operand:
    result: Operand = coefficients[0]
    for coefficient in coefficients[1:]:
        result = result * x + coefficient
    return result


def _by_parts(near: Sequence[float], far: Sequence[float]) -> tuple[Operand, Operand, Expression]:
    """Return the approximations up to 8 and beyond, and whether the magnitude is up to 8."""
    size = basis.absolute(Input(0))
    inner, outer = basis.minimum(size, 8.0), basis.maximum(size, 8.0)
    beyond = _polynomial(16.0 / outer - 1.0, far) / basis.sqrt(outer)
    return _polynomial(0.25 * inner - 1.0, near), beyond, size <= 8.0


@register
@final
class BesselI0e(ScalarOp):
    """``exp(-|x|) I0(x)``."""

    label = "bessel_i0e"
    floating = True
    sample_intervals = ((-12.0, 12.0),)

    @property
    def scalar_expression(self) -> Expression:
        """Two polynomials."""
        return _i0e_expression()

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Any]:
        """``exp(-|x|) I1(x)``, less the function times the sign."""
        x, y = inputs[0], outputs[0]
        return [grads[0] * (BesselI1e()(x) - sign(x) * y)]


@register
@final
class BesselI1e(ScalarOp):
    """``exp(-|x|) I1(x)``."""

    label = "bessel_i1e"
    floating = True
    sample_intervals = ((-12.0, 12.0),)

    @property
    def scalar_expression(self) -> Expression:
        """Two polynomials."""
        return _i1e_expression()

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Any]:
        """``exp(-|x|) (I0(x) - I1(x) / x)``, less the function times the sign; one half at 0."""
        x, y = inputs[0], outputs[0]
        away = greater(absolute(x), float(np.finfo(x.dtype.numpy).eps) if x.dtype.size > 2 else 1e-3)
        safe = where(away, x, sign(x) * 0.0 + 1.0)
        return [grads[0] * where(away, BesselI0e()(safe) - y * (sign(safe) + 1.0 / safe), safe * 0.0 + 0.5)]


@functools.cache
def _i0e_expression() -> Expression:
    near, far, is_near = _by_parts(_I0_NEAR, _I0_FAR)
    return basis.select(is_near, near, far)


@functools.cache
def _i1e_expression() -> Expression:
    near, far, is_near = _by_parts(_I1_NEAR, _I1_FAR)
    return basis.select(is_near, near * Input(0), far * basis.sign(Input(0)))


def bessel_i0e(x: Any, name: str | None = None) -> Tensor:
    """Return ``exp(-|x|) I0(x)``, the scaled modified Bessel function of order 0, element by element.

    Raises:
        DTypeError: the tensor is not floating.

    Example:
        >>> dt.Session().run(dt.math.bessel_i0e([0.0, 1.0])).round(4)
        array([1.    , 0.4658], dtype=float32)
    """
    return apply(BesselI0e(), "bessel_i0e", ("x",), (x,), name)


def bessel_i1e(x: Any, name: str | None = None) -> Tensor:
    """Return ``exp(-|x|) I1(x)``, the scaled modified Bessel function of order 1, element by element.

    Raises:
        DTypeError: the tensor is not floating.

    Example:
        >>> dt.Session().run(dt.math.bessel_i1e([0.0, 1.0])).round(4)
        array([0.    , 0.2079], dtype=float32)
    """
    return apply(BesselI1e(), "bessel_i1e", ("x",), (x,), name)


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield (rng.uniform(-3.0, 3.0, (2, 3)),)


@composite(name="BesselI0", samples=_samples)
def _bessel_i0(x: Tensor) -> Tensor:
    """The scaled function, scaled back."""
    result: Tensor = exp(absolute(x)) * BesselI0e()(x)
    return result


@composite(name="BesselI1", samples=_samples)
def _bessel_i1(x: Tensor) -> Tensor:
    """The scaled function, scaled back."""
    result: Tensor = exp(absolute(x)) * BesselI1e()(x)
    return result


def bessel_i0(x: Any, name: str | None = None) -> Tensor:
    """Return the modified Bessel function of order 0, element by element.

    Raises:
        DTypeError: the tensor is not floating.

    Example:
        >>> dt.Session().run(dt.math.bessel_i0([0.0, 1.0])).round(4)
        array([1.    , 1.2661], dtype=float32)
    """
    result: Tensor = _bessel_i0(x, name=name)
    return result


def bessel_i1(x: Any, name: str | None = None) -> Tensor:
    """Return the modified Bessel function of order 1, element by element.

    Raises:
        DTypeError: the tensor is not floating.

    Example:
        >>> dt.Session().run(dt.math.bessel_i1([0.0, 1.0])).round(4)
        array([0.    , 0.5652], dtype=float32)
    """
    result: Tensor = _bessel_i1(x, name=name)
    return result
