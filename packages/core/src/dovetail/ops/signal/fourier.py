"""Fourier transforms as users call them: lengths, names, and half spectra of real signals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.composites import composite
from dovetail.ops.indexing import roll
from dovetail.ops.padding import pad
from dovetail.ops.signal.transforms import Fft, HalfFft, InverseHalfFft, half_of
from dovetail.ops.sizes import as_axes, sizes_of
from dovetail.types.dims import Dim, dim_max, dim_min, floor_div
from dovetail.types.dtypes import complex64, complex128, float32

__all__ = [
    "fft",
    "fft2d",
    "fft3d",
    "fftshift",
    "ifft",
    "ifft2d",
    "ifft3d",
    "ifftshift",
    "irfft",
    "irfft2d",
    "irfft3d",
    "rfft",
    "rfft2d",
    "rfft3d",
]

Lengths = tuple[Dim, ...] | None


def fitted(x: Tensor, sizes: Sequence[Dim]) -> Tensor:
    """Return a tensor whose last axes are cut off, or filled up with zeros, to have these sizes."""
    rank = len(x.shape.dims) - len(sizes)
    kept = [dim_min(have, want) for have, want in zip(x.shape.dims[rank:], sizes, strict=True)]
    if tuple(kept) != tuple(x.shape.dims[rank:]):
        x = x[(..., *(slice(0, size) for size in kept))]
    missing = [want - have for have, want in zip(kept, sizes, strict=True)]
    return pad(x, [(0, 0)] * rank + [(0, size) for size in missing]) if any(one != 0 for one in missing) else x


def _checked(label: str, x: Tensor, rank: int, lengths: Lengths) -> None:
    if len(x.shape.dims) < rank:
        axes = f"{rank} axes" if rank > 1 else "one axis"
        raise ShapeError(f"{label}: the input is {x.type}; at least {axes} to transform are needed.")
    for length in lengths or ():
        if isinstance(length, int) and length < 1:
            raise InvalidArgumentError(f"{label}: fft_length holds {length}; lengths are at least 1.")


def _label(stem: str, rank: int) -> str:
    return f"{stem}{'' if rank == 1 else f'{rank}d'}"


def _rfft_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(2, 5)), {"rank": 1}
    yield rng.normal(size=(4,)), {"rank": 1, "lengths": (7,)}
    yield rng.normal(size=(2, 3, 4)), {"rank": 2, "lengths": (2, 6)}


@composite(name="RFFT", dtypes=lambda dtype: (complex64 if dtype is float32 else complex128,), samples=_rfft_samples)
def _rfft(x: Tensor, *, rank: int, lengths: tuple[Dim, ...] | None = None) -> Tensor:
    """Cut or fill up, then transform."""
    _checked(_label("rfft", rank), x, rank, lengths)
    sizes = x.shape.dims[-rank:] if lengths is None else lengths
    result: Tensor = HalfFft(rank, sizes[-1])(fitted(x, sizes))
    return result


def _irfft_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3)), {"rank": 1}
    yield rng.normal(size=(4,)) + 1j * rng.normal(size=(4,)), {"rank": 1, "lengths": (5,)}
    yield rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)), {"rank": 2, "lengths": (2, 6)}


@composite(name="IRFFT", dtypes=lambda dtype: (dtype.real_dtype,), samples=_irfft_samples)
def _irfft(x: Tensor, *, rank: int, lengths: tuple[Dim, ...] | None = None) -> Tensor:
    """Cut or fill up, then transform."""
    if not x.dtype.is_complex:
        raise DTypeError(f"{_label('irfft', rank)}: the input is {x.type}, where complex numbers are wanted.")
    _checked(_label("irfft", rank), x, rank, lengths)
    if lengths is None:
        lengths = (*x.shape.dims[-rank:-1], dim_max(2 * (x.shape.dims[-1] - 1), 0))
    if lengths[-1] == 0:
        raise ShapeError(f"{_label('irfft', rank)}: the input is {x.type}, which makes a signal of no elements.")
    result: Tensor = InverseHalfFft(rank, lengths[-1])(fitted(x, (*lengths[:-1], half_of(lengths[-1]))))
    return result


def _lengths(label: str, value: Any, rank: int) -> Lengths:
    if value is None:
        return None
    sizes = sizes_of(value, f"{label}: fft_length")
    if sizes is None or any(size is None for size in sizes):
        raise InvalidArgumentError(f"{label}: fft_length is {value!r}, which is not known while the graph is built.")
    if len(sizes) != rank:
        raise ShapeError(f"{label}: fft_length holds {len(sizes)} numbers; give {rank}, one for each axis.")
    return sizes  # type: ignore[return-value] # none of them is None


def fft(input: Any, name: str | None = None) -> Tensor:
    """Return the discrete Fourier transform over the last axis: ``sum(x[j] * exp(-2πi j k / n))`` for each k.

    Args:
        input: complex64 or complex128 of shape ``[..., n]``; ``rfft`` is for real signals.
        name: name of the node.

    Returns:
        A tensor of the same type.

    Raises:
        DTypeError: the tensor is not complex.
        ShapeError: it has too few axes.

    Source: J. Cooley and J. Tukey, "An algorithm for the machine calculation of complex Fourier series", 1965; computed
    by NumPy.

    Example:
        >>> dt.Session().run(dt.signal.fft([1 + 0j, 2, 3, 4])).round(4)
        array([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    """
    result: Tensor = Fft(1)(as_tensor(input), name=name or "FFT")
    return result


def ifft(input: Any, name: str | None = None) -> Tensor:
    """Return the inverse of ``fft``, whose arguments and errors it has.

    Example:
        >>> dt.Session().run(dt.signal.ifft(dt.signal.fft([1 + 0j, 2, 3]))).round(4)
        array([1.+0.j, 2.+0.j, 3.+0.j])
    """
    result: Tensor = Fft(1, True, True)(as_tensor(input), name=name or "IFFT")
    return result


def fft2d(input: Any, name: str | None = None) -> Tensor:
    """Return the discrete Fourier transform over the last two axes; see ``fft``.

    Example:
        >>> dt.Session().run(dt.signal.fft2d([[1 + 0j, 2], [3, 4]])).round(4)
        array([[10.+0.j, -2.+0.j],
               [-4.+0.j,  0.+0.j]])
    """
    result: Tensor = Fft(2)(as_tensor(input), name=name or "FFT2D")
    return result


def ifft2d(input: Any, name: str | None = None) -> Tensor:
    """Return the inverse of ``fft2d``; see ``fft``.

    Example:
        >>> dt.signal.ifft2d(dt.zeros([5, 4, 3], dt.complex64)).type
        complex64[5, 4, 3]
    """
    result: Tensor = Fft(2, True, True)(as_tensor(input), name=name or "IFFT2D")
    return result


def fft3d(input: Any, name: str | None = None) -> Tensor:
    """Return the discrete Fourier transform over the last three axes; see ``fft``.

    Example:
        >>> dt.signal.fft3d(dt.zeros([5, 4, 3], dt.complex64)).type
        complex64[5, 4, 3]
    """
    result: Tensor = Fft(3)(as_tensor(input), name=name or "FFT3D")
    return result


def ifft3d(input: Any, name: str | None = None) -> Tensor:
    """Return the inverse of ``fft3d``; see ``fft``.

    Example:
        >>> dt.signal.ifft3d(dt.zeros([5, 4, 3], dt.complex64)).type
        complex64[5, 4, 3]
    """
    result: Tensor = Fft(3, True, True)(as_tensor(input), name=name or "IFFT3D")
    return result


def rfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the first half of the Fourier transform of real signals; the rest are its conjugates.

    Args:
        input_tensor: float32 or float64 of shape ``[..., n]``.
        fft_length: ``[length]``, to which signals are cut, or filled up with zeros; ``[n]`` by default.
        name: name of the node.

    Returns:
        complex64 or complex128 of shape ``[..., length // 2 + 1]``.

    Raises:
        DTypeError: the tensor is neither float32 nor float64.
        ShapeError: it has too few axes, or ``fft_length`` holds more or fewer numbers than axes are transformed.
        InvalidArgumentError: a length is less than 1, or not known while the graph is built.

    Example:
        >>> dt.Session().run(dt.signal.rfft([1.0, 2.0, 3.0, 4.0])).round(4)
        array([10.+0.j, -2.+2.j, -2.+0.j], dtype=complex64)
    """
    return _half("rfft", _rfft, 1, input_tensor, fft_length, name)


def irfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return real signals from the first half of their Fourier transforms, the inverse of ``rfft``.

    Args:
        input_tensor: complex64 or complex128 of shape ``[..., n]``.
        fft_length: ``[length]``, the samples of a signal: spectra are cut, or filled up with zeros, to
            ``length // 2 + 1``. By default ``[2 * (n - 1)]``; give it where the signals were of odd length.
        name: name of the node.

    Returns:
        float32 or float64 of shape ``[..., length]``.

    Raises:
        DTypeError: the tensor is not complex.
        ShapeError: it has too few axes, or ``fft_length`` holds more or fewer numbers than axes are transformed.
        InvalidArgumentError: a length is less than 1, or not known while the graph is built.

    Example:
        >>> dt.Session().run(dt.signal.irfft(dt.signal.rfft([1.0, 2.0, 3.0]), [3])).round(4)
        array([1., 2., 3.], dtype=float32)
    """
    return _half("irfft", _irfft, 1, input_tensor, fft_length, name)


def rfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the Fourier transform of real signals over the last two axes, the first half along the last; see ``rfft``.

    Example:
        >>> dt.signal.rfft2d(dt.zeros([5, 4, 6])).type
        complex64[5, 4, 4]
    """
    return _half("rfft2d", _rfft, 2, input_tensor, fft_length, name)


def irfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the inverse of ``rfft2d``; see ``irfft``.

    Example:
        >>> dt.signal.irfft2d(dt.zeros([5, 4, 4], dt.complex64)).type
        float32[5, 4, 6]
    """
    return _half("irfft2d", _irfft, 2, input_tensor, fft_length, name)


def rfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the Fourier transform of real signals over the last three axes, half of it along the last; see ``rfft``.

    Example:
        >>> dt.signal.rfft3d(dt.zeros([5, 4, 6])).type
        complex64[5, 4, 4]
    """
    return _half("rfft3d", _rfft, 3, input_tensor, fft_length, name)


def irfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the inverse of ``rfft3d``; see ``irfft``.

    Example:
        >>> dt.signal.irfft3d(dt.zeros([5, 4, 4], dt.complex64)).type
        float32[5, 4, 6]
    """
    return _half("irfft3d", _irfft, 3, input_tensor, fft_length, name)


def _half(label: str, operation: Any, rank: int, value: Any, fft_length: Any, name: str | None) -> Tensor:
    lengths = _lengths(label, fft_length, rank)
    result: Tensor = operation(as_tensor(value), rank=rank, lengths=lengths, name=name or label.upper())
    return result


def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Return the tensor turned so that the frequency 0 is in the middle of each axis.

    Args:
        x: a tensor of any dtype.
        axes: an axis or several; all by default.
        name: name of the scope.

    Raises:
        ShapeError: an axis is out of range, or the rank is unknown.

    Example:
        >>> dt.Session().run(dt.signal.fftshift([0, 1, 2, -2, -1]))
        array([-2, -1,  0,  1,  2], dtype=int32)
    """
    return _turned("fftshift", x, axes, name, lambda size: floor_div(size, 2))


def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Return the inverse of ``fftshift``, whose arguments and errors it has.

    Example:
        >>> dt.Session().run(dt.signal.ifftshift([-2, -1, 0, 1, 2]))
        array([ 0,  1,  2, -2, -1], dtype=int32)
    """
    return _turned("ifftshift", x, axes, name, lambda size: -floor_div(size, 2))


def _turned(label: str, x: Any, axes: Any, name: str | None, shift: Any) -> Tensor:
    tensor = as_tensor(x)
    if tensor.shape.rank is None:
        raise ShapeError(f'{label}: the rank of "{tensor.name}" is unknown; use set_shape. {tensor.op.where()}')
    chosen = tuple(range(tensor.shape.rank)) if axes is None else as_axes(axes, f"{label}: axes")
    for axis in chosen:
        if not -tensor.shape.rank <= axis < tensor.shape.rank:
            raise ShapeError(f'{label}: axis {axis} is out of range for "{tensor.name}" of type {tensor.type}.')
    with get_default_graph().name_scope(name or label):
        return roll(tensor, [shift(tensor.shape.dims[axis]) for axis in chosen], chosen)
