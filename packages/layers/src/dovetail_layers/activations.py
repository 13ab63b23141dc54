"""Activations that are functions of one element."""

from __future__ import annotations

import math
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Expression, basis, scalar

__all__ = [
    "celu",
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "logit",
    "mish",
    "prelu",
    "relu6",
    "selu",
    "silu",
    "softplus",
    "softsign",
    "swish",
]

_ROOT_OF_HALF = math.sqrt(0.5)
_GELU_SLOPE = math.sqrt(2.0 / math.pi)
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717


@scalar(name="Relu6", domain=((-1.9, 1.8),), floating=True)
def relu6(features: Expression) -> Expression:
    """Return ``min(max(features, 0), 6)`` (Krizhevsky, 2010).

    Example:
        >>> dt.Session().run(dt.nn.relu6([-1.0, 2.0, 7.0]))
        array([0., 2., 6.], dtype=float32)
    """
    return basis.minimum(basis.maximum(features, 0), 6)


@scalar(floating=True)
def elu(features: Expression, *, alpha: float = 1.0) -> Expression:
    """Return ``features`` where positive, else ``alpha * (exp(features) - 1)`` (Clevert et al., 2015).

    Example:
        >>> dt.Session().run(dt.nn.elu([0.0, 2.0]))
        array([0., 2.], dtype=float32)
    """
    return basis.select(features > 0, features, alpha * basis.expm1(_negative_part(features)))


@scalar(floating=True)
def celu(features: Expression, *, alpha: float = 1.0) -> Expression:
    """Return ``features`` where positive, else ``alpha * (exp(features / alpha) - 1)`` (Barron, 2017).

    Unlike ``elu`` it has the slope 1 at 0 for every ``alpha``.

    Example:
        >>> dt.Session().run(dt.nn.celu([-1.0, 2.0], alpha=0.5)).round(4)
        array([-0.4323,  2.    ], dtype=float32)
    """
    return basis.select(features > 0, features, alpha * basis.expm1(_negative_part(features) / alpha))


@scalar(floating=True)
def selu(features: Expression) -> Expression:
    """Return ``elu`` with the scales that keep mean and variance (Klambauer et al., 2017).

    Example:
        >>> dt.Session().run(dt.nn.selu([0.0, 1.0]))
        array([0.      , 1.050701], dtype=float32)
    """
    below = _SELU_ALPHA * basis.expm1(_negative_part(features))
    return _SELU_SCALE * basis.select(features > 0, features, below)


@scalar(name="LeakyRelu", floating=True)
def _leaky_relu(features: Expression, *, alpha: float = 0.2) -> Expression:
    """``features`` where positive, else ``alpha * features``."""
    return basis.select(features > 0, features, alpha * features)


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    """Return ``features`` where positive, else ``alpha * features`` (Maas, Hannun and Ng, 2013).

    Args:
        features: a floating tensor.
        alpha: the slope below zero.
        name: name of the node.

    Raises:
        DTypeError: ``features`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.leaky_relu([-2.0, 2.0], alpha=0.5))
        array([-1.,  2.], dtype=float32)
    """
    result: Tensor = _leaky_relu(dt.convert_to_tensor(features), alpha=float(alpha), name=name)
    return result


@scalar(name="PRelu", domain=((-2.0, 2.0), (0.1, 0.5)), floating=True)
def prelu(features: Expression, alpha: Expression) -> Expression:
    """Return ``features`` where positive, else ``alpha * features``, where ``alpha`` is learned (He et al., 2015).

    ``alpha`` broadcasts: a vector gives each channel a slope of its own. ``dt.layers.prelu`` makes it.

    Example:
        >>> dt.Session().run(dt.nn.prelu([[-2.0, -2.0]], [0.5, 0.25]))
        array([[-1. , -0.5]], dtype=float32)
    """
    return basis.select(features > 0, features, alpha * features)


@scalar(floating=True)
def softplus(features: Expression) -> Expression:
    """Return ``log(exp(features) + 1)``, without overflow.

    Example:
        >>> dt.Session().run(dt.nn.softplus([0.0, 100.0]))
        array([  0.6931472, 100.       ], dtype=float32)
    """
    return basis.select(features > 0, features, 0) + basis.log1p(basis.exp(minus_absolute(features)))


@scalar(floating=True)
def softsign(features: Expression) -> Expression:
    """Return ``features / (|features| + 1)``.

    Example:
        >>> dt.Session().run(dt.nn.softsign([1.0, -3.0]))
        array([ 0.5 , -0.75], dtype=float32)
    """
    return features / (basis.absolute(features) + 1)


@scalar(name="Gelu", floating=True)
def _gelu(features: Expression, *, approximate: bool = False) -> Expression:
    """``features`` times the probability that a standard normal number is less."""
    if approximate:
        inner = _GELU_SLOPE * (features + 0.044715 * (features * features * features))
        return 0.5 * features * (1 + basis.tanh(inner))
    return 0.5 * features * (1 + basis.erf(_ROOT_OF_HALF * features))


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """Return the Gaussian error linear unit ``features * Phi(features)`` (Hendrycks and Gimpel, 2016).

    Args:
        features: a floating tensor.
        approximate: whether to compute ``Phi`` by a hyperbolic tangent, as GPT-2 does, which is off by up to 5e-4,
            rather than by the error function.
        name: name of the node.

    Raises:
        DTypeError: ``features`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.gelu([0.0, 1.0])).round(4)
        array([0.    , 0.8413], dtype=float32)
    """
    result: Tensor = _gelu(dt.convert_to_tensor(features), approximate=bool(approximate), name=name)
    return result


@scalar(name="Swish", floating=True)
def _swish(features: Expression, *, beta: float = 1.0) -> Expression:
    """``features * sigmoid(beta * features)``."""
    return features * basis.sigmoid(features if beta == 1.0 else beta * features)


def swish(features: Any, beta: float = 1.0, name: str | None = None) -> Tensor:
    """Return ``features * sigmoid(beta * features)`` (Ramachandran, Zoph and Le, 2017); ``silu`` is another name of it.

    Args:
        features: a floating tensor.
        beta: how steep the sigmoid is.
        name: name of the node.

    Raises:
        DTypeError: ``features`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.swish([0.0, 1.0])).round(4)
        array([0.    , 0.7311], dtype=float32)
    """
    result: Tensor = _swish(dt.convert_to_tensor(features), beta=float(beta), name=name)
    return result


silu = swish


@scalar(name="HardSigmoid", domain=((-2.9, 2.9),), floating=True)
def hard_sigmoid(features: Expression) -> Expression:
    """Return ``min(max(features + 3, 0), 6) / 6``, a sigmoid of three straight lines (Howard et al., 2019).

    Example:
        >>> dt.Session().run(dt.nn.hard_sigmoid([-4.0, 0.0, 1.5]))
        array([0.  , 0.5 , 0.75], dtype=float32)
    """
    return basis.minimum(basis.maximum(features + 3, 0), 6) / 6


@scalar(name="HardSwish", domain=((-2.9, 2.9),), floating=True)
def hard_swish(features: Expression) -> Expression:
    """Return ``features * min(max(features + 3, 0), 6) / 6`` (Howard et al., 2019).

    Example:
        >>> dt.Session().run(dt.nn.hard_swish([-4.0, 1.5, 4.0]))
        array([-0.   ,  1.125,  4.   ], dtype=float32)
    """
    return features * (basis.minimum(basis.maximum(features + 3, 0), 6) / 6)


@scalar(floating=True)
def hard_tanh(features: Expression, *, least: float = -1.0, greatest: float = 1.0) -> Expression:
    """Return ``min(max(features, least), greatest)``, a tangent of three straight lines (Collobert, 2004).

    Example:
        >>> dt.Session().run(dt.nn.hard_tanh([-2.0, 0.5, 2.0]))
        array([-1. ,  0.5,  1. ], dtype=float32)
    """
    return basis.minimum(basis.maximum(features, least), greatest)


@scalar(floating=True)
def mish(features: Expression) -> Expression:
    """Return ``features * tanh(log(1 + exp(features)))`` (Misra, 2019).

    Example:
        >>> dt.Session().run(dt.nn.mish([0.0, 1.0])).round(4)
        array([0.    , 0.8651], dtype=float32)
    """
    return features * basis.tanh(
        basis.select(features > 0, features, 0) + basis.log1p(basis.exp(minus_absolute(features)))
    )


@scalar(floating=True)
def log_sigmoid(features: Expression) -> Expression:
    """Return ``log(sigmoid(features))``, without overflow.

    Example:
        >>> dt.Session().run(dt.nn.log_sigmoid([0.0, -100.0]))
        array([  -0.6931472, -100.       ], dtype=float32)
    """
    return -softplus(-features)


@scalar(domain=((0.1, 0.9),), floating=True)
def logit(x: Expression, *, epsilon: float = 0.0) -> Expression:
    """Return ``log(x / (1 - x))``, of which the sigmoid is ``x``; NaN outside 0 to 1.

    With ``epsilon``, ``x`` is first brought into the interval from ``epsilon`` to ``1 - epsilon``.

    Example:
        >>> dt.Session().run(dt.nn.logit([0.5, 1.0], epsilon=0.25)).round(4)
        array([0.    , 1.0986], dtype=float32)
    """
    inner = basis.minimum(basis.maximum(x, epsilon), 1.0 - epsilon) if epsilon else x
    return basis.log(inner) - basis.log1p(-inner)


def minus_absolute(x: Expression) -> Expression:
    """Return ``-|x|`` with a derivative of 1 at 0, so that sums with a positive part are smooth there."""
    return basis.select(x > 0, -x, x)


def _negative_part(x: Expression) -> Expression:
    """Return ``min(x, 0)``: what is not selected must not overflow, and its derivative at 0 is 1."""
    return basis.select(x > 0, 0, x)
