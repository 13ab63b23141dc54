# Fourier and cosine transforms, frames, windows, the mel scale.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail.ops.signal.cosine import dct as dct
from dovetail.ops.signal.cosine import idct as idct
from dovetail.ops.signal.fourier import fft as fft
from dovetail.ops.signal.fourier import fft2d as fft2d
from dovetail.ops.signal.fourier import fft3d as fft3d
from dovetail.ops.signal.fourier import fftshift as fftshift
from dovetail.ops.signal.fourier import ifft as ifft
from dovetail.ops.signal.fourier import ifft2d as ifft2d
from dovetail.ops.signal.fourier import ifft3d as ifft3d
from dovetail.ops.signal.fourier import ifftshift as ifftshift
from dovetail.ops.signal.fourier import irfft as irfft
from dovetail.ops.signal.fourier import irfft2d as irfft2d
from dovetail.ops.signal.fourier import irfft3d as irfft3d
from dovetail.ops.signal.fourier import rfft as rfft
from dovetail.ops.signal.fourier import rfft2d as rfft2d
from dovetail.ops.signal.fourier import rfft3d as rfft3d
from dovetail.ops.signal.framing import frame as frame
from dovetail.ops.signal.framing import overlap_and_add as overlap_and_add
from dovetail.ops.signal.mel import linear_to_mel_weight_matrix as linear_to_mel_weight_matrix
from dovetail.ops.signal.mel import mfccs_from_log_mel_spectrograms as mfccs_from_log_mel_spectrograms
from dovetail.ops.signal.short_time import inverse_stft as inverse_stft
from dovetail.ops.signal.short_time import inverse_stft_window_fn as inverse_stft_window_fn
from dovetail.ops.signal.short_time import stft as stft
from dovetail.ops.signal.windows import hamming_window as hamming_window
from dovetail.ops.signal.windows import hann_window as hann_window

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
