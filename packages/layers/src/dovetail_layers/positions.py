"""Encodings of places in sequences, without weights: sines, and rotations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.extend import composite

__all__ = ["rotary_embedding", "sinusoidal_encoding"]


def _angles(positions: Tensor, size: int, base: float) -> Tensor:
    """Return ``positions / base ** (2 i / size)``, with a last axis more for ``i`` up to half the size."""
    factors = np.power(base, -2.0 * np.arange(size // 2) / size)
    return dt.expand_dims(positions, -1) * dt.constant(factors, positions.dtype)


def sinusoidal_encoding(positions: Any, size: int, base: float = 10000.0, name: str | None = None) -> Tensor:
    """Return sines and cosines of places, in turns, whose wavelengths grow from 2 π to 2 π ``base``.

    Element ``2 i`` of the last axis is ``sin(position / base ** (2 i / size))``, element ``2 i + 1`` the cosine of the
    same (Vaswani et al., 2017, section 3.5).

    Args:
        positions: integers or floating numbers of any shape, such as ``dt.range(time)``.
        size: the size of the encoding, even.
        base: how much longer the longest wavelength is than the shortest.
        name: scope of the nodes.

    Returns:
        A tensor of shape ``positions.shape + [size]``, float32 unless the positions are floating.

    Raises:
        InvalidArgumentError: the size is not positive and even, or the base is not positive.

    Example:
        >>> dt.Session().run(dt.nn.sinusoidal_encoding([0, 1], 4))
        array([[0.        , 1.        , 0.        , 1.        ],
               [0.841471  , 0.5403023 , 0.00999983, 0.99995   ]], dtype=float32)
    """
    _check("sinusoidal_encoding", size, base)
    with dt.name_scope(name or "sinusoidal_encoding"):
        places = dt.convert_to_tensor(positions)
        angles = _angles(places if places.dtype.is_floating else dt.cast(places, dt.float32), size, base)
        pairs = dt.stack([dt.sin(angles), dt.cos(angles)], axis=-1)
        result: Tensor = dt.reshape(pairs, [*places.shape.dims, size])
        return result


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Halves and pairs, two shapes."""
    yield rng.normal(size=(2, 3, 4)), np.arange(3.0), {"base": 100.0}
    yield rng.normal(size=(1, 2, 2, 6)), np.array([[1.0, 5.0]]), {"base": 10000.0, "interleaved": True}


@composite(name="RotaryEmbedding", samples=_samples)
def _rotary_embedding(x: Tensor, positions: Tensor, *, base: float, interleaved: bool = False) -> Tensor:
    """Rotations of pairs of elements by angles that grow with their place (Su et al., 2021, arXiv:2104.09864)."""
    size = x.shape[-1]
    if not isinstance(size, int):
        raise ShapeError(f"rotary_embedding: the last size of x, {x.type}, must be known.")
    angles = _angles(positions, size, base)
    for _ in range(len(x.shape) - len(angles.shape)):
        angles = dt.expand_dims(angles, -3)
    sine, cosine = dt.sin(angles), dt.cos(angles)
    if not interleaved:
        first, second = x[..., : size // 2], x[..., size // 2 :]
        return dt.concat([first * cosine - second * sine, second * cosine + first * sine], -1)
    pairs = dt.reshape(x, [*x.shape.dims[:-1], size // 2, 2])
    first, second = pairs[..., 0], pairs[..., 1]
    turned = dt.stack([first * cosine - second * sine, second * cosine + first * sine], axis=-1)
    return dt.reshape(turned, x.shape.dims)


def rotary_embedding(
    x: Any, positions: Any = None, base: float = 10000.0, interleaved: bool = False, name: str | None = None
) -> Tensor:
    """Return queries or keys turned by their places, so that their products depend on distances alone.

    Pair ``i`` of ``size / 2`` is turned by the angle ``position / base ** (2 i / size)`` (Su et al., 2021,
    arXiv:2104.09864).

    Args:
        x: floating, of shape ``[..., steps, size]``, the size even.
        positions: the place of each step, of shape ``[steps]``, or ``[batch, steps]`` for ``x`` with the batch first;
            by default 0, 1, 2 …
        base: how much slower the last pair turns than the first.
        interleaved: whether neighbours are a pair, as in the paper, rather than elements of the first half and the
            second, as in most models that people load.
        name: name of the node.

    Returns:
        A tensor of the type of ``x``.

    Raises:
        DTypeError: ``x`` is not floating.
        ShapeError: ``x`` has less than two axes, or its last dimension is not known.
        InvalidArgumentError: the size is odd, or the base is not positive.

    Example:
        >>> query = dt.ones([8, 4, 10, 16])
        >>> dt.nn.rotary_embedding(query).shape
        Shape([8, 4, 10, 16])
        >>> dt.Session().run(dt.nn.rotary_embedding([[1.0, 0.0], [1.0, 0.0]])[1])
        array([0.5403023, 0.841471 ], dtype=float32)
    """
    tensor = dt.convert_to_tensor(x)
    if not tensor.dtype.is_floating:
        raise DTypeError(f"rotary_embedding: x is {tensor.type}, where a floating type is wanted. Use dt.cast.")
    rank = tensor.shape.rank
    if rank is None or rank < 2 or not isinstance(tensor.shape[-1], int):
        raise ShapeError(
            f"rotary_embedding: x is {tensor.type}; its last axes should be steps and size, and the size known."
        )
    _check("rotary_embedding", tensor.shape[-1], base)
    wide = dt.float32 if tensor.dtype.is_half else tensor.dtype
    places = dt.range(tensor.shape[-2]) if positions is None else positions
    result: Tensor = _rotary_embedding(
        dt.cast(tensor, wide),
        dt.cast(places, wide),
        base=float(base),
        interleaved=bool(interleaved),
        name=name or "rotary_embedding",
    )
    return result if wide is tensor.dtype else dt.cast(result, tensor.dtype)


def _check(operation: str, size: int, base: float) -> None:
    if size < 2 or size % 2:
        raise InvalidArgumentError(f"{operation}: the size is {size}; it must be even and positive.")
    if base <= 0.0:
        raise InvalidArgumentError(f"{operation}: base is {base:g}; it must be positive.")
