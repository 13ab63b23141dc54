"""The layer normalisation layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import InitializerLike, Layer, RegularizerLike, TensorType
from dovetail_layers.normalization import layer_normalization

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
        if not self._chosen:
            raise InvalidArgumentError("layer_normalization: axis is empty; give one axis or more.")
        if self.epsilon < 0.0:
            raise InvalidArgumentError(f"layer_normalization: epsilon is {self.epsilon:g}; it must not be negative.")

    @property
    def _chosen(self) -> tuple[int, ...]:
        return (self.axis,) if isinstance(self.axis, int) else self.axis

    def _axes(self, kind: TensorType) -> tuple[int, ...]:
        """Return the axes, counted from the first, in order."""
        rank = len(kind.dims)
        if any(not -rank <= axis < rank for axis in self._chosen):
            raise ShapeError(f"layer_normalization: axis {self.axis} is out of range; the input is {kind}.")
        return tuple(sorted({axis % rank for axis in self._chosen}))

    def build(self, inputs: TensorType) -> None:
        """Make the weights."""
        dtype = dt.float32 if inputs.dtype.is_half else inputs.dtype
        shape = [inputs.dims[axis] for axis in self._axes(inputs)]
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.weight(
                "gamma",
                shape,
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                dtype=dtype,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.weight(
                "beta",
                shape,
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                dtype=dtype,
                constraint=self.beta_constraint,
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Normalise."""
        x = dt.cast(inputs, dt.float32) if inputs.dtype.is_half else inputs
        axes = self._axes(x.type)
        parts: list[Tensor | dt.Variable | None] = [self.gamma, self.beta]
        if axes != tuple(range(axes[0], len(x.shape))):
            shape = [x.shape[axis] if axis in axes else 1 for axis in range(axes[0], len(x.shape))]
            parts = [None if part is None else dt.reshape(part, shape) for part in parts]
        result = layer_normalization(x, parts[0], parts[1], axes, self.epsilon)
        return result if result.dtype is inputs.dtype else dt.cast(result, inputs.dtype)
