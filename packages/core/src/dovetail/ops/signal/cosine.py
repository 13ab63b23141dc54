"""Discrete cosine transforms, of real Fourier transforms of twice the length."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.operation import Tensor
from dovetail.ops.casting import cast
from dovetail.ops.complex_numbers import complex, imag, real
from dovetail.ops.composites import composite
from dovetail.ops.elementary import cos, rsqrt, sin
from dovetail.ops.fills import range
from dovetail.ops.joining import concat
from dovetail.ops.signal.fourier import fitted, irfft, rfft
from dovetail.ops.sizes import as_dim
from dovetail.types.dims import Dim
from dovetail.types.dtypes import float32, float64

__all__ = ["dct", "idct"]

_INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    x = rng.normal(size=(2, 5))
    yield x, {"kind": 1}
    for kind in (2, 3, 4):
        yield x, {"kind": kind}
        yield x, {"kind": kind, "orthonormal": True}


@composite(name="DCT", samples=_samples)
def _dct(x: Tensor, *, kind: int, orthonormal: bool = False) -> Tensor:
    """The transform of signals that are continued evenly."""
    if not x.shape.dims:
        raise ShapeError(f"dct: the input is {x.type}; at least one axis to transform is needed.")
    size = x.shape.dims[-1]
    if kind == 1:
        if size in (0, 1):
            raise ShapeError(f"dct: the input is {x.type}; type 1 needs at least two elements.")
        return real(rfft(concat([x, x[..., -2:0:-1]], -1)))
    if kind == 4:
        twice = _second(fitted(x, (2 * size,)))[..., 1::2]
        result: Tensor = twice * rsqrt(cast(2 * size, x.dtype)) if orthonormal else twice
        return result
    if kind == 2:
        result = _second(x)
        return result * _orthonormal(x, size) if orthonormal else result
    return _third(x / _orthonormal(x, size) * 0.5 / cast(size, x.dtype) if orthonormal else x)


def _angles(x: Tensor, size: Dim) -> Tensor:
    angles: Tensor = cast(range(size), x.dtype) * math.pi / cast(2 * size, x.dtype)
    return angles


def _second(x: Tensor) -> Tensor:
    """Return ``2 * sum(x[j] * cos(π k (2j + 1) / 2n))``."""
    size = x.shape.dims[-1]
    half = rfft(x, [2 * size])[..., :size]
    angles = _angles(x, size)
    return (real(half) * cos(angles) + imag(half) * sin(angles)) * 2.0


def _third(x: Tensor) -> Tensor:
    """Return ``x[0] + 2 * sum(x[k] * cos(π k (2j + 1) / 2n))`` over k from 1 on."""
    size = x.shape.dims[-1]
    angles, scaled = _angles(x, size), x * cast(2 * size, x.dtype)
    return irfft(complex(scaled * cos(angles), scaled * sin(angles)), [2 * size])[..., :size]


def _orthonormal(x: Tensor, size: Dim) -> Tensor:
    """Return what makes the vectors of the transform of type 2 as long as 1: the first is longer than the others."""
    length = cast(size, x.dtype)
    first = 0.5 * rsqrt(length)
    others = math.sqrt(0.5) * rsqrt(length)
    return concat([first[None], others + cast(range(1, size), x.dtype) * 0.0], 0)


def dct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Tensor:
    """Return discrete cosine transforms over the last axis, with SciPy's conventions.

    Args:
        input: float32 or float64 of shape ``[..., samples]``.
        type: 1, 2 (the one that is meant by the name), 3 (its inverse) or 4.
        n: how many samples to transform: signals are cut, or filled up with zeros; all by default.
        axis: -1.
        norm: ``"ortho"`` for an orthonormal transform, not with type 1; ``None`` for sums without a scale.
        name: name of the node.

    Raises:
        DTypeError: the tensor is neither float32 nor float64.
        ShapeError: it has no axis, or with type 1 fewer than two samples.
        InvalidArgumentError: another argument has a value that there is not.

    Source: J. Makhoul, "A fast cosine transform in one and two dimensions", 1980.

    Example:
        >>> dt.Session().run(dt.signal.dct([1.0, 2.0, 3.0])).round(4)
        array([12.    , -3.4641,  0.    ], dtype=float32)
    """
    return _made("dct", type, input, type, n, axis, norm, name)


def idct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Tensor:
    """Return inverse discrete cosine transforms over the last axis; the arguments and errors are those of ``dct``.

    Without ``norm="ortho"`` there is no scale: ``idct(dct(x))`` is ``2 * samples * x``, with type 1
    ``2 * (samples - 1) * x``.

    Example:
        >>> x = dt.constant([1.0, 2.0, 3.0])
        >>> dt.Session().run(dt.signal.idct(dt.signal.dct(x, norm="ortho"), norm="ortho")).round(4)
        array([1., 2., 3.], dtype=float32)
    """
    return _made("idct", _INVERSE.get(type), input, type, n, axis, norm, name)


def _made(
    label: str, kind: int | None, input: Any, given: Any, n: Any, axis: Any, norm: Any, name: str | None
) -> Tensor:
    x = as_tensor(input)
    if given not in _INVERSE or isinstance(given, bool):
        raise InvalidArgumentError(f"{label}: type is {given!r}; use 1, 2, 3 or 4.")
    if norm not in (None, "ortho"):
        raise InvalidArgumentError(f"{label}: norm is {norm!r}; use 'ortho' or None.")
    if norm == "ortho" and given == 1:
        raise InvalidArgumentError(f"{label}: type 1 has no orthonormal form; leave norm out.")
    if axis != -1:
        raise InvalidArgumentError(f"{label}: axis is {axis!r}; use -1, and dt.transpose to bring an axis to the end.")
    if x.dtype not in (float32, float64):
        raise DTypeError(
            f'{label}: "{x.name}" is {x.type}, where float32 or float64 is wanted. Use dt.cast. {x.op.where()}'
        )
    if n is not None:
        size = as_dim(n, f"{label}: n")
        if size is None or (isinstance(size, int) and size < 1):
            raise InvalidArgumentError(f"{label}: n is {n!r}; give a number of samples, at least 1.")
        x = fitted(x, (size,))
    result: Tensor = _dct(x, kind=kind, orthonormal=norm == "ortho", name=name or label)
    return result
