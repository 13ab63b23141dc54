"""What keeps networks simple: random omission, and losses of weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.extend import Regularizer, composite

__all__ = ["L1", "L2", "dropout", "l2_loss"]


def _loss_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield (rng.normal(size=(2, 3)),)


@composite(name="L2Loss", samples=_loss_samples)
def l2_loss(t: Tensor) -> Tensor:
    """Return half the sum of squares, ``sum(t²) / 2``.

    Example:
        >>> dt.Session().run(dt.nn.l2_loss([3.0, 4.0]))
        np.float32(12.5)
    """
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
    tensor = dt.convert_to_tensor(x)
    if not tensor.dtype.is_floating:
        raise DTypeError(
            f"dropout: the input is {tensor.type}, where a floating type is wanted; use dt.cast. {tensor.op.where()}"
        )
    if (keep_prob is None) == (rate is None):
        raise InvalidArgumentError(
            "dropout: give either rate, the probability to drop, or keep_prob, the probability to keep."
        )
    if rate is None and not isinstance(keep_prob, Tensor | dt.Variable):
        rate = 1.0 - float(keep_prob)
    if rate is not None and not isinstance(rate, Tensor | dt.Variable):
        rate = float(rate)
        if not 0.0 <= rate < 1.0:
            raise InvalidArgumentError(f"dropout: rate is {rate:g}; it must be at least 0 and less than 1.")
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


def _noise_shape(x: Tensor, noise_shape: Any) -> Any:
    if noise_shape is None:
        return dt.shape(x)
    if isinstance(noise_shape, Tensor):
        return noise_shape
    sizes = dt.shape(x)
    return [sizes[axis] if size is None else size for axis, size in enumerate(noise_shape)]


@final
class L1(Regularizer):
    """The loss ``scale * sum(|w|)``.

    Args:
        scale: the factor, not negative.

    Example:
        >>> layer = dt.layers.Dense(10, kernel_regularizer=dt.layers.l1_regularizer(1e-4))
    """

    scale: float

    def check(self) -> None:
        """Look at the scale."""
        _not_negative(self.scale, "l1_regularizer")

    def loss(self, weight: Tensor) -> Tensor:
        """The loss of a weight."""
        result: Tensor = dt.reduce_sum(dt.abs(weight)) * dt.constant(self.scale, weight.dtype)
        return result


@final
class L2(Regularizer):
    """The loss ``scale * sum(w²) / 2``.

    Args:
        scale: the factor, not negative.

    Example:
        >>> layer = dt.layers.Dense(10, kernel_regularizer=dt.layers.l2_regularizer(1e-4))
    """

    scale: float

    def check(self) -> None:
        """Look at the scale."""
        _not_negative(self.scale, "l2_regularizer")

    def loss(self, weight: Tensor) -> Tensor:
        """The loss of a weight."""
        result: Tensor = l2_loss(weight) * dt.constant(self.scale, weight.dtype)
        return result


def _not_negative(scale: float, what: str) -> None:
    if scale < 0:
        raise InvalidArgumentError(f"{what}: scale is {scale:g}; it must not be negative.")
