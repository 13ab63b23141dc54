"""Random configurations of layers on images, for PyTorch to record and for Dovetail to repeat.

What is recorded of an array are its products with a few random vectors: an error anywhere in it shows in all of them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

__all__ = ["COUNT", "Configuration", "arrays_of", "configuration", "projected"]

COUNT: Final = 300
_DIRECTIONS: Final = 3


class Configuration(NamedTuple):
    """A layer, and what it is given.

    Attributes:
        kind: the name of its class, or of a function of ``dt.nn`` that pads by numbers.
        rank: how many spatial axes there are.
        options: its arguments.
        shape: of the images, in the layout of the options.
        weights: shapes of its weights, in their order.
    """

    kind: str
    rank: int
    options: dict[str, Any]
    shape: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]


def arrays_of(number: int, one: Configuration) -> list[np.ndarray]:
    """The images, and the weights."""
    rng = np.random.default_rng([number, 1])
    return [rng.normal(size=shape) for shape in (one.shape, *one.weights)]


def projected(array: np.ndarray) -> np.ndarray:
    """Products with random vectors."""
    directions = np.random.default_rng(array.size).normal(size=(_DIRECTIONS, array.size))
    return np.asarray(directions @ array.reshape(-1))


_KINDS: Final = (
    "Conv", "Conv", "Conv", "ConvTranspose", "ConvTranspose", "DepthwiseConv", "DepthwiseConv", "SeparableConv",
    "MaxPooling", "AveragePooling", "AdaptiveAveragePooling", "AdaptiveMaxPooling", "convolution", "max_pool",
    "avg_pool", "UpSampling2D",
)  # fmt: skip


def configuration(number: int) -> Configuration:
    """One of ``COUNT`` configurations; it follows from its number."""
    rng = np.random.default_rng([number, 0])
    kind = _KINDS[number % len(_KINDS)]
    most = 2 if kind in ("DepthwiseConv", "SeparableConv") else 3
    rank = 2 if kind in ("UpSampling2D", "max_pool", "avg_pool") else int(rng.integers(1, most + 1))

    def several(low: int, high: int) -> tuple[int, ...]:
        return tuple(rng.integers(low, high + 1, rank).tolist())

    channels, groups = int(rng.integers(1, 4)), 1
    spatial = several(5, 9 if rank < 3 else 6)
    window, strides = several(1, 3), several(1, 3)
    first = bool(rng.integers(2)) and kind not in ("convolution", "max_pool", "avg_pool")
    options: dict[str, Any] = {}
    if kind not in ("convolution", "max_pool", "avg_pool"):
        options["data_format"] = "channels_first" if first else "channels_last"
    weights: tuple[tuple[int, ...], ...] = ()
    if kind in ("Conv", "ConvTranspose", "DepthwiseConv", "SeparableConv"):
        dilation = several(1, 2) if rng.integers(2) or kind == "Conv" else (1,) * rank
        strides = (1,) * rank if max(dilation) > 1 and kind != "Conv" else strides
        options |= {"kernel_size": window, "strides": strides, "dilation_rate": dilation}
        options["padding"] = ("valid", "same")[rng.integers(2)]
        multiplier = int(rng.integers(1, 4))
        filters = int(rng.integers(1, 4))
        if kind == "Conv":
            groups = int(rng.integers(1, 3))
            channels, filters = channels * groups, filters * groups
            options |= {"filters": filters, "groups": groups}
            weights = ((*window, channels // groups, filters), (filters,))
        elif kind == "ConvTranspose":
            options["filters"] = filters
            if options["padding"] == "valid" and rng.integers(2):
                options["output_padding"] = tuple([int(rng.integers(stride)) for stride in strides])
            weights = ((*window, filters, channels), (filters,))
        elif kind == "DepthwiseConv":
            options["depth_multiplier"] = multiplier
            weights = ((*window, channels, multiplier), (channels * multiplier,))
        else:
            options |= {"filters": filters, "depth_multiplier": multiplier}
            pointwise = (*(1,) * rank, channels * multiplier, filters)
            weights = ((*window, channels, multiplier), pointwise, (filters,))
    elif kind.endswith("Pooling") and kind.startswith("Adaptive"):
        options["output_size"] = several(1, 4)
    elif kind.endswith("Pooling"):
        options |= {"pool_size": window, "strides": strides, "padding": ("valid", "same")[rng.integers(2)]}
    elif kind == "convolution":
        pairs = tuple(zip(several(0, 2), several(0, 2), strict=True))
        options |= {"padding": pairs, "strides": strides, "dilations": several(1, 2)}
        weights = ((*window, channels, 2),)
    elif kind in ("max_pool", "avg_pool"):
        half = tuple([(size - 1) // 2 for size in window])
        options |= {"ksize": window, "strides": strides, "padding": tuple(zip(half, half, strict=True))}
    else:
        options |= {"size": several(1, 3), "interpolation": ("nearest", "bilinear")[rng.integers(2)]}
    images = (channels, *spatial) if first else (*spatial, channels)
    name = kind if kind in ("convolution", "max_pool", "avg_pool", "UpSampling2D") else _class(kind, rank)
    return Configuration(name, rank, options, (int(rng.integers(1, 3)), *images), weights)


def _class(kind: str, rank: int) -> str:
    return f"Conv{rank}DTranspose" if kind == "ConvTranspose" else f"{kind}{rank}D"
