"""Fourier transforms of the frames of a signal, and signals from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.arithmetic import div_no_nan, square
from dovetail.ops.broadcasting import tile
from dovetail.ops.padding import pad
from dovetail.ops.reductions import reduce_sum
from dovetail.ops.reshaping import reshape
from dovetail.ops.signal.fourier import fitted, irfft, rfft
from dovetail.ops.signal.framing import frame, overlap_and_add, positive_dim
from dovetail.ops.signal.windows import hann_window
from dovetail.types.dims import Dim, ceil_div
from dovetail.types.dtypes import DType, float32, float64

__all__ = ["inverse_stft", "inverse_stft_window_fn", "stft"]

Window = Callable[..., Any]


def _transform_length(label: str, value: Any, frame_length: Dim) -> Dim:
    if value is not None:
        return positive_dim(value, f"{label}: fft_length")
    if not isinstance(frame_length, int):
        raise InvalidArgumentError(f"{label}: frame_length is {frame_length}, a symbol; give fft_length.")
    return 1 << (frame_length - 1).bit_length()


def stft(
    signals: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Window | None = hann_window,
    pad_end: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return short-time Fourier transforms: the half spectra of overlapping frames, each weighted by a window.

    Args:
        signals: float32 or float64 of shape ``[..., samples]``.
        frame_length: how many samples a frame has.
        frame_step: how many samples after the one before a frame begins.
        fft_length: the length of a transform; by default the least power of 2 that holds a frame.
        window_fn: makes the window of its length and ``dtype``; ``None`` for no window.
        pad_end: whether zeros are put after the signals, so that no sample is left out.
        name: name of the scope.

    Returns:
        complex64 or complex128 of shape ``[..., frames, fft_length // 2 + 1]``.

    Raises:
        DTypeError: the signals are neither float32 nor float64.
        InvalidArgumentError: a length is less than 1, or not known while the graph is built.

    Source: J. Allen, "Short term spectral analysis, synthesis, and modification by discrete Fourier transform", 1977.

    Example:
        >>> dt.signal.stft(dt.zeros([2, 1000]), frame_length=256, frame_step=128).type
        complex64[2, 6, 129]
    """
    x = as_tensor(signals)
    if x.dtype not in (float32, float64):
        raise DTypeError(
            f'stft: "{x.name}" is {x.type}, where float32 or float64 is wanted. Use dt.cast. {x.op.where()}'
        )
    with get_default_graph().name_scope(name or "stft"):
        length = positive_dim(frame_length, "stft: frame_length")
        size = _transform_length("stft", fft_length, length)
        frames = frame(x, length, frame_step, pad_end=pad_end)
        if window_fn is not None:
            frames = frames * window_fn(length, dtype=x.dtype)
        return rfft(frames, [size])


def inverse_stft(
    stfts: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Window | None = hann_window,
    name: str | None = None,
) -> Tensor:
    """Return signals from short-time Fourier transforms: the frames, each weighted by a window, added up.

    The signal that ``stft`` took comes back, but for its ends, with ``inverse_stft_window_fn(frame_step)`` for a
    window.

    Args:
        stfts: complex64 or complex128 of shape ``[..., frames, fft_length // 2 + 1]``.
        frame_length: how many samples a frame has.
        frame_step: how many samples after the one before a frame begins.
        fft_length: the length of a transform; by default the least power of 2 that holds a frame.
        window_fn: makes the window of its length and ``dtype``; ``None`` for no window.
        name: name of the scope.

    Returns:
        float32 or float64 of shape ``[..., (frames - 1) * frame_step + frame_length]``.

    Raises:
        DTypeError: the transforms are not complex.
        InvalidArgumentError: a length is less than 1, or not known while the graph is built.

    Example:
        >>> spectra = dt.signal.stft(dt.zeros([2, 1000]), 256, 128)
        >>> dt.signal.inverse_stft(spectra, 256, 128, window_fn=dt.signal.inverse_stft_window_fn(128)).type
        float32[2, 896]
    """
    x = as_tensor(stfts)
    if not x.dtype.is_complex:
        raise DTypeError(f'inverse_stft: "{x.name}" is {x.type}, where complex numbers are wanted. {x.op.where()}')
    with get_default_graph().name_scope(name or "inverse_stft"):
        length = positive_dim(frame_length, "inverse_stft: frame_length")
        size = _transform_length("inverse_stft", fft_length, length)
        frames = irfft(x, [size])
        if size != length:
            frames = fitted(frames, (length,))
        if window_fn is not None:
            frames = frames * window_fn(length, dtype=x.dtype.real_dtype)
        return overlap_and_add(frames, frame_step)


def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Window = hann_window, name: str | None = None
) -> Callable[..., Tensor]:
    """Return the ``window_fn`` with which ``inverse_stft`` undoes ``stft``.

    Args:
        frame_step: that of both.
        forward_window_fn: the window of ``stft``.
        name: name of the scope of the window.

    Returns:
        A function of a length and ``dtype`` that gives a window.

    Raises:
        InvalidArgumentError: the step is less than 1, or not known while the graph is built.

    Source: D. Griffin and J. Lim, "Signal estimation from modified short-time Fourier transform", 1984, equation 7.

    Example:
        >>> dt.Session().run(dt.signal.inverse_stft_window_fn(2)(4, dtype=dt.float32))
        array([0., 1., 1., 1.], dtype=float32)
    """
    step = positive_dim(frame_step, "inverse_stft_window_fn: frame_step")

    def window(frame_length: Any, dtype: DType) -> Tensor:
        length = positive_dim(frame_length, "inverse_stft_window_fn: frame_length")
        with get_default_graph().name_scope(name or "inverse_stft_window_fn"):
            forward = as_tensor(forward_window_fn(length, dtype=dtype))
            overlaps = ceil_div(length, step)
            squares = reshape(pad(square(forward), [(0, overlaps * step - length)]), (overlaps, step))
            total = tile(reduce_sum(squares, 0), [overlaps])[:length]
            result: Tensor = div_no_nan(forward, total)
            return result

    return window
