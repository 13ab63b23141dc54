"""What keeps networks simple: random omission, and the size of weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.extend import composite

__all__ = ["alpha_dropout", "check_rate", "dropout", "l2_loss"]

_ALPHA: Final = -1.7580993408473766
"""What ``selu`` comes near to far below zero."""


def _loss_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield (rng.normal(size=(2, 3)),)


@composite(name="L2Loss", samples=_loss_samples)
def l2_loss(t: Tensor) -> Tensor:
    """Return half the sum of squares, ``sum(t²) / 2``.

    Example:
        >>> dt.Session().run(dt.nn.l2_loss([3.0, 4.0]))
        np.float32(12.5)
    """
    if not t.dtype.is_floating:
        raise DTypeError(f"l2_loss: the input is {t.type}, where a floating dtype is wanted. Use dt.cast.")
    return dt.reduce_sum(dt.square(t)) * 0.5


def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: int | None = None,
    name: str | None = None,
    rate: Any = None,
) -> Tensor:
    """Set elements to zero at random and scale the others, so that the expected sum stays (Srivastava et al., 2014).

    Args:
        x: a floating tensor.
        keep_prob: the probability that an element is kept, a number or a scalar tensor; give this or ``rate``.
        noise_shape: shape of the random choices, which broadcast to ``x``: axes of size 1 are kept or dropped as a
            whole.
        seed: the operation's seed.
        name: scope of the nodes.
        rate: the probability that an element is dropped, from 0 up to 1.

    Returns:
        A tensor of the type of ``x``.

    Raises:
        InvalidArgumentError: none or both of ``keep_prob`` and ``rate`` are given, or a number is out of range.
        DTypeError: ``x`` is not floating.

    Example:
        >>> dropped = dt.nn.dropout(dt.ones([2, 3]), rate=0.5)
    """
    tensor = _floating("dropout", x)
    if (keep_prob is None) == (rate is None):
        raise InvalidArgumentError(
            "dropout: give either rate, the probability to drop, or keep_prob, the probability to keep."
        )
    if rate is None and not isinstance(keep_prob, Tensor | dt.Variable):
        rate = 1.0 - float(keep_prob)
    if rate is not None and not isinstance(rate, Tensor | dt.Variable):
        rate = float(rate)
        check_rate("dropout", rate)
    with dt.name_scope(name or "dropout"):
        if isinstance(rate, float):
            if rate == 0.0:
                return dt.identity(tensor)
            kept: Any = dt.constant(1.0 - rate, tensor.dtype)
            dropped: Any = dt.constant(rate, tensor.dtype)
        else:
            dropped = dt.cast(1.0 - keep_prob if rate is None else rate, tensor.dtype)
            kept = 1.0 - dropped
        shape = _noise_shape(tensor, noise_shape)
        chances = dt.random_uniform(shape, 0.0, 1.0, tensor.dtype, seed)
        result: Tensor = tensor / kept * dt.cast(chances >= dropped, tensor.dtype)
        return result


def alpha_dropout(
    x: Any, rate: float = 0.5, noise_shape: Any = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Set elements at random to what ``selu`` saturates at, keeping mean and variance (Klambauer et al., 2017).

    Args:
        x: a floating tensor, as ``dt.nn.selu`` gives it: of mean 0 and variance 1.
        rate: the probability that an element is dropped, from 0 up to 1.
        noise_shape: shape of the random choices, which broadcast to ``x``; ``None`` in it is the size of ``x``.
        seed: the operation's seed.
        name: scope of the nodes.

    Returns:
        A tensor of the type of ``x``.

    Raises:
        InvalidArgumentError: the rate is out of range.
        DTypeError: ``x`` is not floating.

    Example:
        >>> dropped = dt.nn.alpha_dropout(dt.nn.selu(dt.ones([2, 3])), rate=0.1)
    """
    tensor = _floating("alpha_dropout", x)
    check_rate("alpha_dropout", rate)
    with dt.name_scope(name or "alpha_dropout"):
        if rate == 0.0:
            return dt.identity(tensor)
        scale = ((1.0 - rate) * (1.0 + rate * _ALPHA**2)) ** -0.5
        chances = dt.random_uniform(_noise_shape(tensor, noise_shape), 0.0, 1.0, tensor.dtype, seed)
        kept = dt.cast(chances >= dt.constant(rate, tensor.dtype), tensor.dtype)
        result: Tensor = scale * (tensor * kept + _ALPHA * (1.0 - kept)) - scale * _ALPHA * rate
        return result


def check_rate(operation: str, rate: float) -> None:
    """Look at the probability that an element is dropped.

    Raises:
        InvalidArgumentError: it is out of range.
    """
    if not 0.0 <= rate < 1.0:
        raise InvalidArgumentError(f"{operation}: rate is {rate:g}; it must be at least 0 and less than 1.")


def _floating(operation: str, x: Any) -> Tensor:
    tensor = dt.convert_to_tensor(x)
    if not tensor.dtype.is_floating:
        raise DTypeError(
            f"{operation}: the input is {tensor.type}, where a floating type is wanted; use dt.cast. "
            f"{tensor.op.where()}"
        )
    return tensor


def _noise_shape(x: Tensor, noise_shape: Any) -> Any:
    if noise_shape is None:
        return dt.shape(x)
    if isinstance(noise_shape, Tensor):
        return noise_shape
    sizes = dt.shape(x)
    return [sizes[axis] if size is None else size for axis, size in enumerate(noise_shape)]
