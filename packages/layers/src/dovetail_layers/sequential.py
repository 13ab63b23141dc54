"""The container that applies layers one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, final

from dovetail import Tensor
from dovetail.errors import LayerError
from dovetail.extend import Layer, Training
from dovetail_layers.activation import Activation

__all__ = ["Sequential"]

Step: TypeAlias = Layer | str | Callable[[Tensor], Tensor]


@final
class Sequential(Layer):
    """Layers one after the other, as a layer.

    Args:
        layers: layers; functions of tensors, and names of functions in ``dt.nn``, become ``Activation`` layers.

    Raises:
        LayerError: one is none of these, or a layer is added after the first call.

    Example:
        >>> net = dt.layers.Sequential([dt.layers.Flatten(), dt.layers.Dense(32), "relu", dt.layers.Dense(10)])
        >>> net(dt.zeros([8, 28, 28])).shape
        Shape([8, 10])
        >>> [weight.name for weight in net.weights]
        ['sequential/dense/kernel:0', 'sequential/dense/bias:0', 'sequential/dense_1/kernel:0',
        'sequential/dense_1/bias:0']
    """

    layers: tuple[Step, ...] = ()

    def check(self) -> None:
        """Make layers of functions."""
        self.layers = tuple(_as_layer(step) for step in self.layers)

    def add(self, layer: Step) -> None:
        """Append a layer.

        Raises:
            LayerError: the container was called already, or ``layer`` is no layer.
        """
        if self.built:
            raise LayerError(
                f'sequential: a layer was added after "{self.scope_name}" was first called; add all layers before, or '
                "put both "
                f"into another Sequential."
            )
        self.layers = (*self.layers, _as_layer(layer))

    def call(self, inputs: Tensor, training: Training = False) -> Any:
        """Apply them."""
        result: Any = inputs
        for layer in self.layers:
            outputs = result if isinstance(result, tuple) else (result,)
            result = layer(*outputs, training=training)  # type: ignore[operator, call-arg]
        return result


def _as_layer(step: Any) -> Layer:
    if isinstance(step, Layer):
        return step
    if isinstance(step, str) or (callable(step) and not isinstance(step, type)):
        return Activation(step)
    raise LayerError(
        f"sequential: {step!r} is a {type(step).__name__}; give layers such as dt.layers.Dense(10), functions, or "
        "names of functions "
        f"in dt.nn."
    )
