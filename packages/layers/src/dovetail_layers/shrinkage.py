"""Activations that take small features away."""

from __future__ import annotations

from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import Expression, basis, scalar

__all__ = ["hardshrink", "softshrink", "tanhshrink", "threshold"]


@scalar(floating=True)
def hardshrink(features: Expression, *, threshold: float = 0.5) -> Expression:
    """Return ``features``, but 0 where their size is at most ``threshold``.

    Example:
        >>> dt.Session().run(dt.nn.hardshrink([-1.0, 0.25, 2.0]))
        array([-1.,  0.,  2.], dtype=float32)
    """
    return basis.select(basis.absolute(features) <= threshold, 0, features)


@scalar(floating=True)
def softshrink(features: Expression, *, threshold: float = 0.5) -> Expression:
    """Return ``features`` moved toward 0 by ``threshold``, and 0 where their size is less (Donoho, 1995).

    Example:
        >>> dt.Session().run(dt.nn.softshrink([-1.0, 0.25, 2.0]))
        array([-0.5,  0. ,  1.5], dtype=float32)
    """
    return basis.select(basis.absolute(features) <= threshold, 0, features - threshold * basis.sign(features))


@scalar(floating=True)
def tanhshrink(features: Expression) -> Expression:
    """Return ``features - tanh(features)``.

    Example:
        >>> dt.Session().run(dt.nn.tanhshrink([0.0, 2.0])).round(4)
        array([0.   , 1.036], dtype=float32)
    """
    return features - basis.tanh(features)


@scalar(name="Threshold", floating=True)
def _threshold(features: Expression, *, threshold: float, value: float) -> Expression:
    """``features`` where above ``threshold``, else ``value``."""
    return basis.select(features <= threshold, value, features)


def threshold(features: Any, threshold: float, value: float = 0.0, name: str | None = None) -> Tensor:
    """Return ``features`` where they are above a threshold, else a value.

    Args:
        features: a floating tensor.
        threshold: what features must exceed.
        value: what stands in place of the others.
        name: name of the node.

    Raises:
        DTypeError: ``features`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.threshold([0.5, 2.0], 1.0, -1.0))
        array([-1.,  2.], dtype=float32)
    """
    tensor = dt.convert_to_tensor(features)
    result: Tensor = _threshold(tensor, threshold=float(threshold), value=float(value), name=name)
    return result
