"""Signals: Fourier and cosine transforms, frames and windows; the names of the modules that hold them, in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dovetail.ops.signal.cosine import dct, idct
from dovetail.ops.signal.fourier import (
    fft,
    fft2d,
    fft3d,
    fftshift,
    ifft,
    ifft2d,
    ifft3d,
    ifftshift,
    irfft,
    irfft2d,
    irfft3d,
    rfft,
    rfft2d,
    rfft3d,
)
from dovetail.ops.signal.framing import frame, overlap_and_add
from dovetail.ops.signal.mel import linear_to_mel_weight_matrix, mfccs_from_log_mel_spectrograms
from dovetail.ops.signal.short_time import inverse_stft, inverse_stft_window_fn, stft
from dovetail.ops.signal.windows import hamming_window, hann_window

__all__ = ["fft", "fft2d", "fft3d", "ifft", "ifft2d", "ifft3d"]

SPECTRAL: Final[dict[str, Callable[..., Any]]] = {
    "dct": dct,
    "fft": fft,
    "fft2d": fft2d,
    "fft3d": fft3d,
    "idct": idct,
    "ifft": ifft,
    "ifft2d": ifft2d,
    "ifft3d": ifft3d,
    "irfft": irfft,
    "irfft2d": irfft2d,
    "irfft3d": irfft3d,
    "rfft": rfft,
    "rfft2d": rfft2d,
    "rfft3d": rfft3d,
}
"""What core contributes to ``dt.spectral``."""

SIGNAL: Final[dict[str, Callable[..., Any]]] = {
    **SPECTRAL,
    "fftshift": fftshift,
    "frame": frame,
    "hamming_window": hamming_window,
    "hann_window": hann_window,
    "ifftshift": ifftshift,
    "inverse_stft": inverse_stft,
    "inverse_stft_window_fn": inverse_stft_window_fn,
    "linear_to_mel_weight_matrix": linear_to_mel_weight_matrix,
    "mfccs_from_log_mel_spectrograms": mfccs_from_log_mel_spectrograms,
    "overlap_and_add": overlap_and_add,
    "stft": stft,
}
"""What core contributes to ``dt.signal``."""
