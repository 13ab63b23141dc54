"""Configurations of normalisation layers and of weighted losses, made by chance, and what NumPy says of them."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import dovetail as dt

__all__ = ["Normalized", "Weighted", "expected_loss", "expected_output", "losses", "normalizations"]


class Normalized(NamedTuple):
    """A normalisation layer, without its weights, and the shape of its input."""

    kind: str
    shape: tuple[int, ...]
    axis: int | tuple[int, ...]
    groups: int
    center: bool
    scale: bool
    dtype: str
    open_sizes: bool

    @property
    def rng(self) -> np.random.Generator:
        """Numbers that are the same for the same configuration."""
        return np.random.default_rng(zlib.crc32(repr(self).encode()))

    def layer(self) -> Any:
        """The layer."""
        options: dict[str, Any] = {"axis": self.axis, "scale": self.scale, "epsilon": 1e-2}
        if self.kind != "RMSNormalization":
            options["center"] = self.center
        if self.kind == "GroupNormalization":
            options["groups"] = self.groups
        return getattr(dt.layers, self.kind)(**options)

    def fed(self) -> list[Any]:
        """The shape of the placeholder: sizes are open but where a weight has them."""
        if not self.open_sizes:
            return list(self.shape)
        chosen = (self.axis,) if isinstance(self.axis, int) else self.axis
        kept = {axis % len(self.shape) for axis in chosen}
        return [size if axis in kept else None for axis, size in enumerate(self.shape)]


@st.composite
def normalizations(draw: st.DrawFn) -> Normalized:
    """Every kind, rank 2 to 4, channels in any place after the batch."""
    kind = draw(
        st.sampled_from(
            ["BatchNormalization", "GroupNormalization", "InstanceNormalization", "LayerNormalization",
             "RMSNormalization"]
        )
    )  # fmt: skip
    rank = draw(st.integers(3 if kind == "InstanceNormalization" else 2, 4))
    shape = [draw(st.integers(1, 4)) for _ in range(rank)]
    axis: int | tuple[int, ...] = draw(st.integers(1, rank - 1))
    groups = draw(st.integers(1, 3))
    if kind == "GroupNormalization":
        shape[axis] = groups * draw(st.integers(1, 3))
    if kind in ("LayerNormalization", "RMSNormalization") and draw(st.booleans()):
        axis = tuple(sorted(draw(st.sets(st.integers(0, rank - 1), min_size=1))))
    if isinstance(axis, int) and draw(st.booleans()):
        axis -= rank
    flags = [draw(st.booleans()) for _ in range(3)]
    dtype = draw(st.sampled_from(["float32", "float64"]))
    return Normalized(kind, tuple(shape), axis, groups, flags[0], flags[1], dtype, flags[2])


def expected_output(config: Normalized, x: np.ndarray, gamma: Any, beta: Any) -> np.ndarray:
    """The definition."""
    rank = x.ndim
    chosen = (config.axis,) if isinstance(config.axis, int) else config.axis
    axes = [axis % rank for axis in chosen]
    others = tuple(axis for axis in range(rank) if axis not in axes)
    weight_shape = [x.shape[axis] if axis in axes else 1 for axis in range(rank)]
    over: tuple[int, ...] = tuple(axes)
    split = x
    if config.kind == "BatchNormalization":
        over = others
    elif config.kind == "InstanceNormalization":
        over = tuple(axis for axis in others if axis != 0)
    elif config.kind == "GroupNormalization":
        place = axes[0]
        split = x.reshape(*x.shape[:place], config.groups, -1, *x.shape[place + 1 :])
        over = tuple(axis for axis in range(1, rank + 1) if axis != place)
    mean = 0.0 if config.kind == "RMSNormalization" else split.mean(over, keepdims=True)
    variance = np.square(split - mean).mean(over, keepdims=True)
    result = ((split - mean) / np.sqrt(variance + 1e-2)).reshape(x.shape)
    if gamma is not None:
        result = result * gamma.reshape(weight_shape)
    return np.asarray(result if beta is None else result + beta.reshape(weight_shape))


class Weighted(NamedTuple):
    """Losses of elements, and weights of them."""

    shape: tuple[int, ...]
    weights: tuple[int, ...]
    reduction: str

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Losses, and weights of which some are zero."""
        rng = np.random.default_rng(zlib.crc32(repr(self).encode()))
        return rng.normal(size=self.shape), rng.integers(0, 3, self.weights) * 0.5


@st.composite
def losses(draw: st.DrawFn) -> Weighted:
    """Weights of any lower rank, each size that of the losses or 1."""
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    rank = draw(st.integers(0, len(shape)))
    weights = tuple(draw(st.sampled_from([1, size])) for size in shape[:rank])
    return Weighted(shape, weights, draw(st.sampled_from(dt.losses.Reduction.all())))


def expected_loss(config: Weighted) -> Any:
    """The definition."""
    values, given = config.arrays
    weights = np.broadcast_to(given.reshape(given.shape + (1,) * (values.ndim - given.ndim)), values.shape)
    kinds = dt.losses.Reduction
    if config.reduction == kinds.NONE:
        return values * weights
    total = (values * weights).sum()
    by = {
        kinds.SUM: 1.0,
        kinds.MEAN: weights.sum(),
        kinds.SUM_OVER_BATCH_SIZE: values.size,
        kinds.SUM_BY_NONZERO_WEIGHTS: (weights != 0.0).sum(),
    }[config.reduction]
    return total / by if by else 0.0
