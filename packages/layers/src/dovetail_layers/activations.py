"""Activations that are functions of one element."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Expression, basis, scalar

__all__ = ["elu", "leaky_relu", "relu6", "selu", "softplus", "softsign"]

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
def elu(features: Expression) -> Expression:
    """Return ``features`` where positive, else ``exp(features) - 1`` (Clevert, Unterthiner and Hochreiter, 2015).

    Example:
        >>> dt.Session().run(dt.nn.elu([0.0, 2.0]))
        array([0., 2.], dtype=float32)
    """
    return basis.select(features > 0, features, basis.expm1(_negative_part(features)))


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


def minus_absolute(x: Expression) -> Expression:
    """Return ``-|x|`` with a derivative of 1 at 0, so that sums with a positive part are smooth there."""
    return basis.select(x > 0, -x, x)


def _negative_part(x: Expression) -> Expression:
    """Return ``min(x, 0)``: what is not selected must not overflow, and its derivative at 0 is 1."""
    return basis.select(x > 0, 0, x)
