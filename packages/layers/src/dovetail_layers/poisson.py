"""The loss of counts whose rate is given by its logarithm."""

from __future__ import annotations

import math
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import ShapeError
from dovetail.extend import Expression, basis, scalar

__all__ = ["log_poisson_loss"]


@scalar(name="LogPoissonLoss", domain=((1.2, 4.0), (-2.0, 2.0)), floating=True)
def _log_poisson_loss(targets: Expression, log_input: Expression, *, compute_full_loss: bool = False) -> Expression:
    """``exp(log_input) - targets * log_input``, and Stirling's approximation of ``log(targets!)`` above 1."""
    loss = basis.exp(log_input) - targets * log_input
    if not compute_full_loss:
        return loss
    above = targets > 1
    count = basis.select(above, targets, 1)
    stirling = count * basis.log(count) - count + 0.5 * basis.log(2.0 * math.pi * count)
    return loss + basis.select(above, stirling, 0)


def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Tensor:
    """Return the negative logarithm of the probability of counts of Poisson's distribution, element by element.

    That is ``exp(log_input) - targets * log_input``, up to ``log(targets!)``.

    Args:
        targets: counts, of the shape of ``log_input``.
        log_input: logarithms of the rates, floating.
        compute_full_loss: whether to add ``log(targets!)`` by Stirling's approximation, and 0 for counts up to 1.
        name: name of the node.

    Returns:
        A tensor of the shape and dtype of ``log_input``.

    Raises:
        ShapeError: the shapes differ.
        DTypeError: ``log_input`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.log_poisson_loss([0.0, 3.0], [0.0, 1.0])).round(4)
        array([ 1.    , -0.2817], dtype=float32)
    """
    rates = dt.convert_to_tensor(log_input)
    counts = dt.cast(targets, rates.dtype)
    if not counts.shape.is_compatible_with(rates.shape):
        raise ShapeError(
            f"log_poisson_loss: targets are {counts.type}, log_input {rates.type}; their shapes must be equal. "
            f"{rates.op.where()}"
        )
    result: Tensor = _log_poisson_loss(counts, rates, compute_full_loss=bool(compute_full_loss), name=name)
    return result
