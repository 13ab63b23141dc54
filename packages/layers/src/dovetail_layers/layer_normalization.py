"""The layer normalisation layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.extend import InitializerLike, Layer, RegularizerLike, TensorType
from dovetail_layers.normalization import layer_normalization
from dovetail_layers.normalization_weights import (
    check_axes,
    check_epsilon,
    gamma_and_beta,
    normalized_axes,
    weight_dtype,
    with_axes_of,
)

__all__ = ["LayerNormalization"]


@final
class LayerNormalization(Layer):
    """``(inputs - mean) / sqrt(variance + epsilon) * gamma + beta``, the moments those of each row (Ba et al., 2016).

    The weights are ``gamma`` and ``beta``, of the sizes of the axes normalised; of a half type they are float32.

    Args:
        axis: the axis, or several, over which mean and variance are taken.
        epsilon: keeps the root from zero.
        center: whether there is ``beta``.
        scale: whether there is ``gamma``.
        beta_initializer: first values of ``beta``.
        gamma_initializer: first values of ``gamma``.
        beta_regularizer: gives a loss of ``beta``.
        gamma_regularizer: gives a loss of ``gamma``.
        beta_constraint: gives the ``beta`` to keep after an optimizer's update.
        gamma_constraint: gives the ``gamma`` to keep after an optimizer's update.

    Raises:
        ShapeError: the input is a scalar, there is no such axis, or its size is not known.

    Example:
        >>> dt.layers.layer_normalization(dt.zeros([8, 20, 32])).shape
        Shape([8, 20, 32])
    """

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike = dt.zeros_initializer()
    gamma_initializer: InitializerLike = dt.ones_initializer()
    beta_regularizer: RegularizerLike = None
    gamma_regularizer: RegularizerLike = None
    beta_constraint: Callable[[Tensor], Tensor] | None = None
    gamma_constraint: Callable[[Tensor], Tensor] | None = None

    least_rank = 1
    floating_inputs = True

    def check(self) -> None:
        """Look at axes and epsilon."""
        check_axes("layer_normalization", self.axis)
        check_epsilon("layer_normalization", self.epsilon)

    def build(self, inputs: TensorType) -> None:
        """Make the weights."""
        shape = [inputs.dims[axis] for axis in normalized_axes("layer_normalization", self.axis, inputs)]
        self.gamma, self.beta = gamma_and_beta(self, shape, weight_dtype(inputs))

    def call(self, inputs: Tensor) -> Tensor:
        """Normalise."""
        x = dt.cast(inputs, weight_dtype(inputs.type))
        axes = normalized_axes("layer_normalization", self.axis, x.type)
        gamma, beta = with_axes_of(self.gamma, x, axes), with_axes_of(self.beta, x, axes)
        result = layer_normalization(x, gamma, beta, axes, self.epsilon)
        return result if result.dtype is inputs.dtype else dt.cast(result, inputs.dtype)
