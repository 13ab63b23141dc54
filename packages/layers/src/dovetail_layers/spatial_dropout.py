"""Dropout of whole maps of features."""

from __future__ import annotations

from typing import final

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError
from dovetail.extend import Layer, Training, smart_cond
from dovetail_layers.arguments import channel_axis
from dovetail_layers.regularization import check_rate, dropout

__all__ = ["SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"]


class _SpatialDropout(Layer):
    """Base: drops entries of the axis of channels, each as a whole."""

    rate: float = 0.5
    data_format: str = "channels_last"
    seed: int | None = None

    floating_inputs = True

    def check(self) -> None:
        """Look at rate and layout."""
        check_rate(self._label(), self.rate)
        if self.data_format not in ("channels_last", "channels_first"):
            raise InvalidArgumentError(
                f"{self._label()}: data_format is {self.data_format!r}; use 'channels_last' or 'channels_first'."
            )

    def call(self, inputs: Tensor, training: Training = False) -> Tensor:
        """Drop, or pass on."""
        rank = len(inputs.shape)
        chosen = (0, channel_axis(self.data_format) % rank)
        noise_shape = [None if axis in chosen else 1 for axis in range(rank)]
        result: Tensor = smart_cond(
            training,
            lambda: dropout(inputs, rate=self.rate, noise_shape=noise_shape, seed=self.seed),
            lambda: dt.identity(inputs),
        )
        return result


@final
class SpatialDropout1D(_SpatialDropout):
    """While training, drops whole channels of sequences at random and scales the others (Tompson et al., 2015).

    Neighbours within a channel are much alike, so that dropping single elements hides little.

    Args:
        rate: the probability that a channel of an example is dropped, from 0 up to 1.
        data_format: ``"channels_last"``, sequences of shape ``[batch, steps, channels]``, or ``"channels_first"``.
        seed: the operation's seed.

    Raises:
        InvalidArgumentError: the rate is out of range.
        ShapeError: the input has another rank than 3.

    Example:
        >>> dt.layers.spatial_dropout1d(dt.ones([8, 20, 6]), 0.4, training=True).shape
        Shape([8, 20, 6])
    """

    input_rank = 3


@final
class SpatialDropout2D(_SpatialDropout):
    """While training, drops whole channels of images at random and scales the others (Tompson et al., 2015).

    Neighbours within a channel are much alike, so that dropping single elements hides little.

    Args:
        rate: the probability that a channel of an example is dropped, from 0 up to 1.
        data_format: ``"channels_last"``, images of shape ``[batch, height, width, channels]``, or ``"channels_first"``.
        seed: the operation's seed.

    Raises:
        InvalidArgumentError: the rate is out of range.
        ShapeError: the input has another rank than 4.

    Example:
        >>> dt.layers.spatial_dropout2d(dt.ones([8, 28, 28, 6]), 0.4, training=True).shape
        Shape([8, 28, 28, 6])
    """

    input_rank = 4


@final
class SpatialDropout3D(_SpatialDropout):
    """While training, drops whole channels of volumes at random and scales the others (Tompson et al., 2015).

    Neighbours within a channel are much alike, so that dropping single elements hides little.

    Args:
        rate: the probability that a channel of an example is dropped, from 0 up to 1.
        data_format: ``"channels_last"``, volumes of shape ``[batch, depth, height, width, channels]``, or
            ``"channels_first"``.
        seed: the operation's seed.

    Raises:
        InvalidArgumentError: the rate is out of range.
        ShapeError: the input has another rank than 5.

    Example:
        >>> dt.layers.spatial_dropout3d(dt.ones([8, 5, 5, 5, 6]), 0.4, training=True).shape
        Shape([8, 5, 5, 5, 6])
    """

    input_rank = 5
