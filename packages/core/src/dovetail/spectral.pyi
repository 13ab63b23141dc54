# Fourier and cosine transforms, under their older name.
# Written by tools/make_stubs.py from the entry points of the first-party plugins.

from typing import Any as _Any

from dovetail.ops.signal.cosine import dct as dct
from dovetail.ops.signal.cosine import idct as idct
from dovetail.ops.signal.fourier import fft as fft
from dovetail.ops.signal.fourier import fft2d as fft2d
from dovetail.ops.signal.fourier import fft3d as fft3d
from dovetail.ops.signal.fourier import ifft as ifft
from dovetail.ops.signal.fourier import ifft2d as ifft2d
from dovetail.ops.signal.fourier import ifft3d as ifft3d
from dovetail.ops.signal.fourier import irfft as irfft
from dovetail.ops.signal.fourier import irfft2d as irfft2d
from dovetail.ops.signal.fourier import irfft3d as irfft3d
from dovetail.ops.signal.fourier import rfft as rfft
from dovetail.ops.signal.fourier import rfft2d as rfft2d
from dovetail.ops.signal.fourier import rfft3d as rfft3d

def __getattr__(name: str) -> _Any: ...  # what other plugins provide
