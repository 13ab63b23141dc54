"""Local response normalisation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import composite

__all__ = ["local_response_normalization", "lrn"]


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """A window that is narrower than the channels, one that is wider, and the element alone."""
    x = rng.normal(size=(2, 2, 3, 5))
    for radius, alpha, beta in ((1, 0.5, 0.75), (7, 1.0, 0.5), (0, 2.0, 1.5)):
        yield x, {"depth_radius": radius, "bias": 1.5, "alpha": alpha, "beta": beta}


@composite(name="LRN", samples=_samples)
def _normalized(x: Tensor, *, depth_radius: int, bias: float, alpha: float, beta: float) -> Tensor:
    """``x / (bias + alpha * sum of squares of the neighbours)^beta``."""
    channels = dt.shape(x)[-1]
    around = dt.pad(dt.square(x), [[0, 0]] * (len(x.shape) - 1) + [[depth_radius, depth_radius]])
    sizes = dt.concat([dt.shape(x)[:-1], [channels]], 0)
    begins = [[0] * (len(x.shape) - 1) + [shift] for shift in range(2 * depth_radius + 1)]
    summed = dt.add_n([dt.slice(around, begin, sizes) for begin in begins])
    return x * (bias + alpha * summed) ** -beta


def local_response_normalization(
    input: Any,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
    name: str | None = None,
) -> Tensor:
    """Divide each element by a power of the squares of its neighbours in depth (Krizhevsky et al., 2012).

    ``input / (bias + alpha * sum(neighbours²)) ** beta``, where the neighbours are the channels at a distance of up to
    ``depth_radius``, itself among them.

    Args:
        input: images, floating, of shape ``[batch, height, width, channels]``.
        depth_radius: how far neighbours are away at most.
        bias: keeps the divisor from zero.
        alpha: weight of the squares.
        beta: the power.
        name: name of the node.

    Raises:
        ShapeError: the rank is not 4.
        DTypeError: the images are not floating.
        InvalidArgumentError: the radius is negative.

    Example:
        >>> dt.Session().run(dt.nn.lrn([[[[1.0, 1.0, 2.0]]]], depth_radius=1, bias=2.0)).round(3)
        array([[[[0.5  , 0.354, 0.756]]]], dtype=float32)
    """
    x = dt.convert_to_tensor(input)
    if not x.dtype.is_floating:
        raise DTypeError(f"local_response_normalization: the input is {x.type}; use dt.cast. {x.op.where()}")
    if x.shape.rank not in (4, None):
        raise ShapeError(
            f"local_response_normalization: the input is {x.type}; [batch, height, width, channels] is wanted. "
            f"{x.op.where()}"
        )
    if depth_radius < 0:
        raise InvalidArgumentError(
            f"local_response_normalization: depth_radius is {depth_radius}; it must not be negative."
        )
    result: Tensor = _normalized(
        x, depth_radius=int(depth_radius), bias=float(bias), alpha=float(alpha), beta=float(beta), name=name
    )
    return result


lrn = local_response_normalization
