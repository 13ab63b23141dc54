"""The layer that walks along sequences in both directions."""

from __future__ import annotations

from typing import Any, final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError, LayerError
from dovetail.extend import Layer, TensorType, Training
from dovetail_layers.recurrent import Recurrent

__all__ = ["Bidirectional"]

_MERGERS = ("concat", "sum", "mul", "ave", None)


@final
class Bidirectional(Layer):
    """A recurrent layer beside another of its kind that begins with the last step (Schuster and Paliwal, 1997).

    It takes the inputs and, by name, ``sequence_length`` or ``mask``, as the layers do, with which the way back begins
    at the end of each sequence. Where the layers return their states, those of the way forward come first.

    Args:
        forward: the layer that walks forwards, such as ``dt.layers.LSTM(16)``.
        merge_mode: how outputs are joined: ``"concat"``, side by side, ``"sum"``, ``"mul"``, ``"ave"``, the mean, or
            ``None``, both.
        backward: the layer that walks backwards; by default one with the configuration of ``forward``, ``reverse``
            turned round.

    Raises:
        LayerError: one is no recurrent layer, both go one way, or what they return differs.
        InvalidArgumentError: there is no such way to join.

    Example:
        >>> steps = dt.zeros([8, 20, 3])
        >>> dt.layers.bidirectional(steps, dt.layers.LSTM(16, return_sequences=True)).shape
        Shape([8, 20, 32])
        >>> layer = dt.layers.Bidirectional(dt.layers.GRU(16), "sum")
        >>> layer(steps, sequence_length=[5] * 8).shape
        Shape([8, 16])
        >>> [weight.op.name for weight in layer.weights][::4]
        ['bidirectional_1/forward/kernel', 'bidirectional_1/backward/kernel']
    """

    forward: Layer
    merge_mode: str | None = "concat"
    backward: Layer | None = None

    input_rank = 3
    floating_inputs = True

    def check(self) -> None:
        """Look at the layers, and make the second one."""
        if self.merge_mode not in _MERGERS:
            raise InvalidArgumentError(
                f"bidirectional: merge_mode is {self.merge_mode!r}; use 'concat', 'sum', 'mul', 'ave' or None."
            )
        forward = _recurrent(self.forward)
        if self.backward is None:
            config = {one.name: getattr(forward, one.name) for one in forward.fields if one.name != "name"}
            self.backward = type(forward)(**{**config, "reverse": not forward.reverse})
        backward = _recurrent(self.backward)
        if forward.backwards is backward.backwards:
            raise LayerError(
                "bidirectional: both layers go the same way; make one of them with reverse=True, or leave out backward."
            )
        for name in ("return_sequences", "return_state", "time_major"):
            if getattr(forward, name) is not getattr(backward, name):
                raise LayerError(
                    f"bidirectional: {name} is {getattr(forward, name)} forwards and {getattr(backward, name)} "
                    "backwards; it must be one."
                )

    def build(self, *types: TensorType | None) -> None:
        """Make nothing: the layers make their own weights."""

    def call(
        self,
        inputs: Tensor,
        sequence_length: Tensor | None = None,
        mask: Tensor | None = None,
        training: Training = False,
    ) -> Any:
        """Walk both ways, and join."""
        forward, backward = _recurrent(self.forward), _recurrent(self.backward)
        results = [
            layer(inputs, training=training, sequence_length=sequence_length, mask=mask)
            for layer in (forward, backward)
        ]
        if not forward.return_state:
            joined = self._joined(*results)
            return joined[0] if len(joined) == 1 else tuple(joined)
        (one, *states), (other, *more) = results
        return (*self._joined(one, other), *states, *more)

    def _joined(self, one: Tensor, other: Tensor) -> list[Tensor]:
        if self.merge_mode is None:
            return [one, other]
        if self.merge_mode == "concat":
            return [dt.concat([one, other], -1)]
        if self.merge_mode == "mul":
            return [one * other]
        return [(one + other) * (0.5 if self.merge_mode == "ave" else 1.0)]


def _recurrent(layer: Any) -> Recurrent:
    if not isinstance(layer, Recurrent):
        raise LayerError(
            f"bidirectional: {layer!r} is a {type(layer).__name__}; give a recurrent layer, such as dt.layers.LSTM(16)."
        )
    return layer
