"""Normalisation by the root of the mean square."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import InitializerLike, Layer, RegularizerLike, TensorType
from dovetail_layers.normalization import rms_normalization
from dovetail_layers.normalization_weights import check_axes, check_epsilon, normalized_axes, weight_dtype, with_axes_of

__all__ = ["RMSNormalization"]


@final
class RMSNormalization(Layer):
    """``inputs / sqrt(mean(inputs²) + epsilon) * gamma``, the mean that of each row (Zhang and Sennrich, 2019).

    The weight is ``gamma``, of the sizes of the axes normalised; of a half type it is float32.

    Args:
        axis: the axis, or several, over which the mean is taken.
        epsilon: keeps the root from zero.
        scale: whether there is ``gamma``.
        gamma_initializer: first values of ``gamma``.
        gamma_regularizer: gives a loss of ``gamma``.
        gamma_constraint: gives the ``gamma`` to keep after an optimizer's update.

    Raises:
        ShapeError: there is no such axis, or a size is not known.

    Example:
        >>> dt.layers.rms_normalization(dt.zeros([8, 20, 32])).shape
        Shape([8, 20, 32])
    """

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-6
    scale: bool = True
    gamma_initializer: InitializerLike = dt.ones_initializer()
    gamma_regularizer: RegularizerLike = None
    gamma_constraint: Callable[[Tensor], Tensor] | None = None

    least_rank = 1
    floating_inputs = True

    def check(self) -> None:
        """Look at axes and epsilon."""
        check_axes("rms_normalization", self.axis)
        check_epsilon("rms_normalization", self.epsilon)

    def build(self, inputs: TensorType) -> None:
        """Make the weight."""
        self.gamma = None
        if self.scale:
            self.gamma = self.weight(
                "gamma",
                [inputs.dims[axis] for axis in normalized_axes("rms_normalization", self.axis, inputs)],
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                dtype=weight_dtype(inputs),
                constraint=self.gamma_constraint,
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Normalise."""
        x = dt.cast(inputs, weight_dtype(inputs.type))
        axes = normalized_axes("rms_normalization", self.axis, x.type)
        result = rms_normalization(x, with_axes_of(self.gamma, x, axes), axes, self.epsilon)
        return result if result.dtype is inputs.dtype else dt.cast(result, inputs.dtype)
