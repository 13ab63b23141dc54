"""Normalisation of groups of channels, or of each, within one example."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import InitializerLike, Layer, RegularizerLike, TensorType
from dovetail_layers.channel_groups import group_normalization, instance_normalization
from dovetail_layers.normalization_weights import check_epsilon, example_axis, gamma_and_beta, weight_dtype

__all__ = ["GroupNormalization", "InstanceNormalization"]


@final
class GroupNormalization(Layer):
    """``(inputs - mean) / sqrt(variance + epsilon) * gamma + beta``, the moments those of a group of channels.

    They are taken within one example, over all positions (Wu and He, 2018, arXiv:1803.08494). The weights are
    ``gamma`` and ``beta``, one number for each channel; of a half type they are float32.

    Args:
        groups: the number of groups, which divides that of the channels.
        axis: the axis of the channels.
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
        ShapeError: there is no such axis, it is that of the batch, or its size is not known or no multiple of
            ``groups``.

    Example:
        >>> dt.layers.group_normalization(dt.zeros([8, 28, 28, 6]), groups=3).shape
        Shape([8, 28, 28, 6])
    """

    groups: int = 32
    axis: int = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike = dt.zeros_initializer()
    gamma_initializer: InitializerLike = dt.ones_initializer()
    beta_regularizer: RegularizerLike = None
    gamma_regularizer: RegularizerLike = None
    beta_constraint: Callable[[Tensor], Tensor] | None = None
    gamma_constraint: Callable[[Tensor], Tensor] | None = None

    least_rank = 2
    floating_inputs = True

    def check(self) -> None:
        """Look at the numbers."""
        if self.groups < 1:
            raise InvalidArgumentError(f"group_normalization: groups is {self.groups}; it must be positive.")
        check_epsilon("group_normalization", self.epsilon)

    def build(self, inputs: TensorType) -> None:
        """Make the weights."""
        channels = inputs.dims[example_axis("group_normalization", self.axis, inputs)]
        self.gamma, self.beta = gamma_and_beta(self, [channels], weight_dtype(inputs))

    def call(self, inputs: Tensor) -> Tensor:
        """Normalise."""
        x = dt.cast(inputs, weight_dtype(inputs.type))
        result = group_normalization(x, self.groups, self.gamma, self.beta, self.axis, self.epsilon)
        return result if result.dtype is inputs.dtype else dt.cast(result, inputs.dtype)


@final
class InstanceNormalization(Layer):
    """``(inputs - mean) / sqrt(variance + epsilon) * gamma + beta``, the moments those of a channel of one example.

    (Ulyanov, Vedaldi and Lempitsky, 2016, arXiv:1607.08022.) The weights are ``gamma`` and ``beta``, one number for
    each channel; of a half type they are float32.

    Args:
        axis: the axis of the channels.
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
        ShapeError: there is no such axis, it is that of the batch, or its size is not known.

    Example:
        >>> dt.layers.instance_normalization(dt.zeros([8, 28, 28, 6])).shape
        Shape([8, 28, 28, 6])
    """

    axis: int = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike = dt.zeros_initializer()
    gamma_initializer: InitializerLike = dt.ones_initializer()
    beta_regularizer: RegularizerLike = None
    gamma_regularizer: RegularizerLike = None
    beta_constraint: Callable[[Tensor], Tensor] | None = None
    gamma_constraint: Callable[[Tensor], Tensor] | None = None

    least_rank = 3
    floating_inputs = True

    def check(self) -> None:
        """Look at epsilon."""
        check_epsilon("instance_normalization", self.epsilon)

    def build(self, inputs: TensorType) -> None:
        """Make the weights."""
        channels = inputs.dims[example_axis("instance_normalization", self.axis, inputs)]
        self.gamma, self.beta = gamma_and_beta(self, [channels], weight_dtype(inputs))

    def call(self, inputs: Tensor) -> Tensor:
        """Normalise."""
        x = dt.cast(inputs, weight_dtype(inputs.type))
        result = instance_normalization(x, self.gamma, self.beta, self.axis, self.epsilon)
        return result if result.dtype is inputs.dtype else dt.cast(result, inputs.dtype)
