"""The batch normalisation layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import InitializerLike, Layer, RegularizerLike, TensorType, Training, smart_cond
from dovetail_layers.normalization import batch_normalization, moments, unbiased
from dovetail_layers.normalization_weights import check_epsilon, gamma_and_beta, normalized_axes, weight_dtype

__all__ = ["BatchNormalization"]


@final
class BatchNormalization(Layer):
    """``(inputs - mean) / sqrt(variance + epsilon) * gamma + beta``, for each channel (Ioffe and Szegedy, 2015).

    While training, mean and variance are those of the batch, and moving averages of them are kept; else they are the
    moving averages. Every optimizer that minimizes a loss which depends on the layer renews them;
    ``GraphKeys.UPDATE_OPS`` holds the writes as well. The moving variance takes the unbiased variance, of ``n - 1``
    where ``n`` elements are averaged.

    The weights are ``gamma``, ``beta``, ``moving_mean`` and ``moving_variance``, one number for each channel; of a
    half type they are float32.

    Args:
        axis: the axis of the channels.
        momentum: the part of the moving averages to keep at each step.
        epsilon: keeps the root from zero.
        center: whether there is ``beta``.
        scale: whether there is ``gamma``.
        beta_initializer: first values of ``beta``.
        gamma_initializer: first values of ``gamma``.
        moving_mean_initializer: first values of the moving mean.
        moving_variance_initializer: first values of the moving variance.
        beta_regularizer: gives a loss of ``beta``.
        gamma_regularizer: gives a loss of ``gamma``.
        beta_constraint: gives the ``beta`` to keep after an optimizer's update.
        gamma_constraint: gives the ``gamma`` to keep after an optimizer's update.
        renorm: must stay off: there is no batch renormalization.
        fused: has no effect, as every normalisation is compiled as a whole; here for TensorFlow 1 programs.
        virtual_batch_size: must stay off: moments are those of the whole batch.

    Raises:
        ShapeError: the input is a scalar or vector, there is no such axis, or its size is not known.

    Example:
        >>> training = dt.placeholder_with_default(False, [])
        >>> dt.layers.batch_normalization(dt.zeros([8, 28, 28, 6]), training=training).shape
        Shape([8, 28, 28, 6])
    """

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: InitializerLike = dt.zeros_initializer()
    gamma_initializer: InitializerLike = dt.ones_initializer()
    moving_mean_initializer: InitializerLike = dt.zeros_initializer()
    moving_variance_initializer: InitializerLike = dt.ones_initializer()
    beta_regularizer: RegularizerLike = None
    gamma_regularizer: RegularizerLike = None
    beta_constraint: Callable[[Tensor], Tensor] | None = None
    gamma_constraint: Callable[[Tensor], Tensor] | None = None
    renorm: bool = False
    fused: bool | None = None
    virtual_batch_size: int | None = None

    least_rank = 2
    floating_inputs = True

    def check(self) -> None:
        """Look at the numbers."""
        if not 0.0 <= self.momentum <= 1.0:
            raise InvalidArgumentError(f"batch_normalization: momentum is {self.momentum:g}; it must be from 0 to 1.")
        check_epsilon("batch_normalization", self.epsilon)
        if self.renorm:
            raise InvalidArgumentError(
                "batch_normalization: renorm is not supported; leave it off, or use group_normalization where batches "
                "are small."
            )
        if self.virtual_batch_size is not None:
            raise InvalidArgumentError(
                f"batch_normalization: virtual_batch_size is {self.virtual_batch_size}, which is not supported; leave "
                "it off, or split the batch and call the layer on each part."
            )

    def build(self, inputs: TensorType) -> None:
        """Make the weights."""
        (channels,) = normalized_axes("batch_normalization", self.axis, inputs)
        shape, dtype = [inputs.dims[channels]], weight_dtype(inputs)
        self.gamma, self.beta = gamma_and_beta(self, shape, dtype)
        self.moving_mean = self.weight("moving_mean", shape, self.moving_mean_initializer, False, dtype=dtype)
        self.moving_variance = self.weight(
            "moving_variance", shape, self.moving_variance_initializer, False, dtype=dtype
        )

    def call(self, inputs: Tensor, training: Training = False) -> Tensor:
        """Normalise, and renew the moving averages."""
        x = inputs if inputs.dtype is self.moving_mean.dtype else dt.cast(inputs, self.moving_mean.dtype)
        rank = len(inputs.shape)
        channels = self.axis % rank
        axes = tuple(axis for axis in range(rank) if axis != channels)
        kept = (self.moving_mean.value(), self.moving_variance.value())
        if training is False:
            mean, variance = kept
        else:
            batch = moments(x, axes)
            mean, variance = smart_cond(training, lambda: batch, lambda: kept)
            self._renew(self.moving_mean, batch[0], training)
            self._renew(self.moving_variance, unbiased(x, batch[1]), training)
        shape = [-1 if axis == channels else 1 for axis in range(rank)]
        parts: list[Any] = [mean, variance, self.beta, self.gamma]
        if channels != rank - 1:
            parts = [None if part is None else dt.reshape(part, shape) for part in parts]
        result = batch_normalization(x, parts[0], parts[1], parts[2], parts[3], self.epsilon)
        return result if result.dtype is inputs.dtype else dt.cast(result, inputs.dtype)

    def _renew(self, average: dt.Variable, found: Tensor, training: Training) -> None:
        old = average.value()
        self.update(average, smart_cond(training, lambda: old - (old - found) * (1.0 - self.momentum), lambda: old))
