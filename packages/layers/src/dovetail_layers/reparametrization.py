"""Layers around another whose kernel they normalise."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, LayerError
from dovetail.extend import Layer, TensorType, Training, smart_cond
from dovetail_layers.normalization import l2_normalize

__all__ = ["SpectralNormalization", "WeightNormalization"]


class _Reparametrization(Layer):
    """Base: calls a layer with something made of one of its weights in place of that weight."""

    layer: Layer
    parameter: str = "kernel"

    @abstractmethod
    def _in_place_of(self, weight: dt.Variable, training: Training) -> Tensor:
        """Return what takes the place of the weight in a call."""

    def build(self, inputs: TensorType) -> None:
        """Make the weights of the layer, so that ``_weight`` is there."""
        self.layer.make_weights(inputs)

    def _weight(self) -> dt.Variable:
        found = vars(self.layer).get(self.parameter)
        if not isinstance(found, dt.Variable):
            known = sorted(name for name, value in vars(self.layer).items() if isinstance(value, dt.Variable))
            raise LayerError(
                f"{self._label()}: {self.layer} has no weight {self.parameter!r}; it has "
                f"{', '.join(known) or 'none as an attribute'}. Give parameter, the name of one."
            )
        return found

    def call(self, inputs: Tensor, training: Training = False) -> Any:
        """Call the layer with the weight replaced."""
        weight = self._weight()
        setattr(self.layer, self.parameter, self._in_place_of(weight, training))
        try:
            return self.layer(inputs, training=training)
        finally:
            setattr(self.layer, self.parameter, weight)


@final
class WeightNormalization(_Reparametrization):
    """A layer whose kernel has lengths of its own: ``g * kernel / |kernel|`` (Salimans and Kingma, 2016).

    Optimizers change direction and length apart. The weights are those of the layer, and ``g``, a length for each entry
    of one axis of the kernel, which begins as that of the kernel.

    Args:
        layer: the layer.
        parameter: the attribute that holds the kernel.
        axis: the axis of the kernel whose entries have a length each: the last one for a dense layer and a convolution,
            that of the units.

    Raises:
        LayerError: the layer has no such weight.

    Example:
        >>> layer = dt.layers.WeightNormalization(dt.layers.Dense(10))
        >>> layer(dt.ones([8, 4])).shape
        Shape([8, 10])
        >>> [weight.name for weight in layer.weights]
        ['weight_normalization/g:0', 'weight_normalization/layer/kernel:0', 'weight_normalization/layer/bias:0']
    """

    axis: int = -1

    def build(self, inputs: TensorType) -> None:
        """Make the lengths."""
        super().build(inputs)
        kernel = self._weight()
        axes = self._axes(kernel)

        def lengths(shape: Any, dtype: Any = None) -> Tensor:
            result: Tensor = dt.sqrt(dt.reduce_sum(dt.square(kernel.initialized_value()), axes, keepdims=True))
            return result

        shape = [1 if axis in axes else size for axis, size in enumerate(kernel.shape)]
        self.g = self.weight("g", shape, lengths, dtype=kernel.dtype)

    def _axes(self, kernel: dt.Variable) -> list[int]:
        rank = len(kernel.shape)
        if not -rank <= self.axis < rank:
            raise InvalidArgumentError(
                f"weight_normalization: axis {self.axis} is out of range; {self.parameter!r} has the shape "
                f"{kernel.shape}."
            )
        return [axis for axis in range(rank) if axis != self.axis % rank]

    def _in_place_of(self, weight: dt.Variable, training: Training) -> Tensor:
        return self.g * l2_normalize(weight.value(), self._axes(weight))


@final
class SpectralNormalization(_Reparametrization):
    """A layer whose kernel is divided by its greatest singular value (Miyato et al., 2018, arXiv:1802.05957).

    That bounds by how much the layer can stretch a difference. The value is that of the kernel as a matrix whose
    columns are its last axis; power iterations find it, which go on from step to step while training, and in evaluation
    the vector that they came to gives it. The weights are those of the layer, and ``u``, that vector.

    Args:
        layer: the layer.
        parameter: the attribute that holds the kernel.
        power_iterations: how many to make at each step of training.

    Raises:
        LayerError: the layer has no such weight.
        InvalidArgumentError: ``power_iterations`` is not positive.

    Example:
        >>> layer = dt.layers.SpectralNormalization(dt.layers.Dense(10), power_iterations=3)
        >>> layer(dt.ones([8, 4]), training=True).shape
        Shape([8, 10])
    """

    power_iterations: int = 1

    def check(self) -> None:
        """Look at the number."""
        if self.power_iterations < 1:
            raise InvalidArgumentError(
                f"spectral_normalization: power_iterations is {self.power_iterations}; it must be positive."
            )

    def build(self, inputs: TensorType) -> None:
        """Make the vector."""
        super().build(inputs)
        kernel = self._weight()
        first = dt.random_normal_initializer()
        self.u = self.weight("u", kernel.shape[-1:], first, trainable=False, dtype=kernel.dtype)

    def _in_place_of(self, weight: dt.Variable, training: Training) -> Tensor:
        kernel = weight.value()
        matrix = dt.reshape(kernel, [-1, kernel.shape[-1]])
        fixed, start = dt.stop_gradient(matrix), l2_normalize(self.u.value())

        def across(u: Tensor) -> Tensor:
            return l2_normalize(dt.reduce_sum(fixed * u, 1))

        def iterated() -> tuple[Tensor, Tensor]:
            u = start
            for _ in range(self.power_iterations):
                v = across(u)
                u = l2_normalize(dt.reduce_sum(fixed * dt.expand_dims(v, 1), 0))
            return v, u

        v, u = smart_cond(training, iterated, lambda: (across(start), start))
        if training is not False:
            self.update(self.u, u)
        value = dt.reduce_sum(dt.stop_gradient(v) * dt.reduce_sum(matrix * dt.stop_gradient(u), 1))
        result: Tensor = kernel / value
        return result
