"""Losses of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import dovetail as dt
from dovetail import GraphKeys, Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import Regularizer
from dovetail_layers.normalization import l2_normalize
from dovetail_layers.regularization import l2_loss

__all__ = ["L1", "L1L2", "L2", "Orthogonal", "Sum", "apply_regularization"]


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
        _not_negative("l1_regularizer", scale=self.scale)

    def loss(self, weight: Tensor) -> Tensor:
        """The loss of a weight."""
        result: Tensor = dt.reduce_sum(dt.abs(weight)) * dt.constant(self.scale, weight.dtype)
        return result


@final
class L2(Regularizer):
    """The loss ``scale * sum(w²) / 2``.

    Args:
        scale: the factor, not negative; twice that of Keras' ``l2``.

    Example:
        >>> layer = dt.layers.Dense(10, kernel_regularizer=dt.layers.l2_regularizer(1e-4))
    """

    scale: float

    def check(self) -> None:
        """Look at the scale."""
        _not_negative("l2_regularizer", scale=self.scale)

    def loss(self, weight: Tensor) -> Tensor:
        """The loss of a weight."""
        result: Tensor = l2_loss(weight) * dt.constant(self.scale, weight.dtype)
        return result


@final
class L1L2(Regularizer):
    """The loss ``scale_l1 * sum(|w|) + scale_l2 * sum(w²) / 2``.

    Args:
        scale_l1: the factor of the first part, not negative.
        scale_l2: the factor of the second part, not negative.

    Example:
        >>> dt.Session().run(dt.layers.l1_l2_regularizer(1.0, 2.0)(dt.constant([-3.0, 1.0])))
        np.float32(14.0)
    """

    scale_l1: float = 1.0
    scale_l2: float = 1.0

    def check(self) -> None:
        """Look at the scales."""
        _not_negative("l1_l2_regularizer", scale_l1=self.scale_l1, scale_l2=self.scale_l2)

    def loss(self, weight: Tensor) -> Tensor:
        """The loss of a weight."""
        return L1(self.scale_l1).loss(weight) + L2(self.scale_l2).loss(weight)


@final
class Orthogonal(Regularizer):
    """The loss ``factor`` times the mean size of the cosines between each two rows, or columns, of a matrix.

    As Keras' ``OrthogonalRegularizer`` has it.

    Args:
        factor: the factor, not negative.
        mode: ``"rows"`` or ``"columns"``; the columns of a dense layer's kernel are its units.

    Example:
        >>> regularizer = dt.layers.orthogonal_regularizer(1.0)
        >>> dt.Session().run(regularizer(dt.constant([[1.0, 0.0], [3.0, 4.0]]))).round(4)
        np.float32(0.6)
    """

    factor: float = 0.01
    mode: str = "rows"

    def check(self) -> None:
        """Look at factor and mode."""
        _not_negative("orthogonal_regularizer", factor=self.factor)
        if self.mode not in ("rows", "columns"):
            raise InvalidArgumentError(f"orthogonal_regularizer: mode is {self.mode!r}; use 'rows' or 'columns'.")

    def loss(self, weight: Tensor) -> Tensor:
        """The loss of a weight."""
        if weight.shape.rank != 2:
            raise ShapeError(
                f"orthogonal_regularizer: the weight is {weight.type}; a matrix is wanted. {weight.op.where()}"
            )
        axis = 1 if self.mode == "rows" else 0
        units = l2_normalize(weight, axis)
        cosines = dt.matmul(units, units, transpose_a=axis == 0, transpose_b=axis == 1)
        (count,) = dt.Shape([weight.shape[1 - axis]]).evaluate({})
        others = 1.0 - dt.eye(count, dtype=weight.dtype)
        pairs = max(count * (count - 1), 1)
        result: Tensor = dt.reduce_sum(dt.abs(cosines) * others) * dt.constant(self.factor / pairs, weight.dtype)
        return result


@final
class Sum(Regularizer):
    """The sum of losses.

    Args:
        regularizers: functions of a weight that give a loss.

    Example:
        >>> parts = [dt.layers.l1_regularizer(1.0), dt.layers.l2_regularizer(2.0)]
        >>> dt.Session().run(dt.layers.sum_regularizer(parts)(dt.constant([-3.0, 1.0])))
        np.float32(14.0)
    """

    regularizers: tuple[Callable[[Tensor], Tensor], ...]

    def check(self) -> None:
        """Look whether there are any."""
        if not self.regularizers:
            raise InvalidArgumentError("sum_regularizer: there are no regularizers; give one or more.")

    def loss(self, weight: Tensor) -> Tensor:
        """The loss of a weight."""
        result: Tensor = dt.add_n([one(weight) for one in self.regularizers])
        return result


def apply_regularization(regularizer: Callable[[Tensor], Tensor], weights_list: Sequence[Any] | None = None) -> Tensor:
    """Return the sum of the losses of weights, which joins the regularization losses.

    Args:
        regularizer: a function of a weight that gives a loss.
        weights_list: the weights; by default those in ``GraphKeys.WEIGHTS``.

    Raises:
        InvalidArgumentError: there are no weights.

    Example:
        >>> loss = dt.layers.apply_regularization(dt.layers.l2_regularizer(1.0), [dt.constant([3.0, 4.0])])
        >>> dt.losses.get_regularization_losses() == [loss]
        True
    """
    weights = dt.get_collection(GraphKeys.WEIGHTS) if weights_list is None else list(weights_list)
    if not weights:
        raise InvalidArgumentError(
            "apply_regularization: there are no weights; give weights_list, such as dt.trainable_variables()."
        )
    with dt.name_scope("apply_regularization"):
        loss: Tensor = dt.add_n([regularizer(dt.convert_to_tensor(weight)) for weight in weights])
    dt.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
    return loss


def _not_negative(what: str, **numbers: float) -> None:
    for name, value in numbers.items():
        if value < 0:
            raise InvalidArgumentError(f"{what}: {name} is {value:g}; it must not be negative.")
