"""The mel scale of pitch: weights that turn spectra into its bands, and cepstral coefficients of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.casting import cast
from dovetail.ops.constants import constant
from dovetail.ops.elementary import rsqrt
from dovetail.ops.signal.cosine import dct
from dovetail.types.dtypes import DTypeLike, as_dtype, float32

__all__ = ["linear_to_mel_weight_matrix", "mfccs_from_log_mel_spectrograms"]

_BREAK_HERTZ = 700.0
_HIGH_Q = 1127.0


def _mel(hertz: Any) -> Any:
    """Return pitches of frequencies (O'Shaughnessy, "Speech communication", 1987)."""
    return _HIGH_Q * np.log1p(np.asarray(hertz) / _BREAK_HERTZ)


def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20,
    num_spectrogram_bins: int = 129,
    sample_rate: float = 8000,
    lower_edge_hertz: float = 125.0,
    upper_edge_hertz: float = 3800.0,
    dtype: DTypeLike = float32,
    name: str | None = None,
) -> Tensor:
    """Return the matrix that spectra are multiplied with from the right for bands of equal width on the mel scale.

    A band is a triangle on the mel scale, from the centre of the one before to that of the next. The frequency 0 is in
    none, as in HTK.

    Args:
        num_mel_bins: how many bands there are.
        num_spectrogram_bins: how many frequencies a spectrum has, evenly from 0 to half the sample rate.
        sample_rate: samples in a second.
        lower_edge_hertz: where the first band begins.
        upper_edge_hertz: where the last band ends.
        dtype: a floating dtype.
        name: name of the node.

    Returns:
        A tensor of shape ``[num_spectrogram_bins, num_mel_bins]``.

    Raises:
        InvalidArgumentError: a number is out of its range.
        DTypeError: the dtype is not floating.

    Example:
        >>> spectra = dt.abs(dt.signal.stft(dt.zeros([2, 1000]), 256, 128))
        >>> dt.matmul(spectra, dt.signal.linear_to_mel_weight_matrix()).shape
        Shape([2, 6, 20])
    """
    label, wanted = "linear_to_mel_weight_matrix", as_dtype(dtype)
    if not wanted.is_floating:
        raise DTypeError(f"{label}: dtype is {wanted.name}; use a floating dtype.")
    if num_mel_bins < 1 or num_spectrogram_bins < 1:
        raise InvalidArgumentError(
            f"{label}: num_mel_bins is {num_mel_bins} and num_spectrogram_bins {num_spectrogram_bins}; both must be at "
            f"least 1."
        )
    if not 0.0 <= lower_edge_hertz < upper_edge_hertz <= sample_rate / 2:
        raise InvalidArgumentError(
            f"{label}: the bands are from {lower_edge_hertz} to {upper_edge_hertz} Hz; they must rise, and be from 0 "
            f"to half the sample rate, {sample_rate / 2} Hz."
        )
    pitches = _mel(np.linspace(0.0, sample_rate / 2, num_spectrogram_bins)[1:])[:, None]
    edges = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), num_mel_bins + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    weights = np.minimum((pitches - lower) / (centre - lower), (upper - pitches) / (upper - centre))
    matrix = np.concatenate([np.zeros((1, num_mel_bins)), np.maximum(weights, 0.0)])
    return constant(matrix.astype(wanted.numpy), name=name or label)


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """Return mel-frequency cepstral coefficients, as many as there are bands; the first 13 or so are what is used.

    Args:
        log_mel_spectrograms: float32 or float64 of shape ``[..., bands]``: logarithms of what is in a band.
        name: name of the scope.

    Returns:
        A tensor of the same type: cosine transforms of type 2, times ``sqrt(1 / (2 * bands))`` as in HTK.

    Raises:
        DTypeError: the tensor is neither float32 nor float64.
        ShapeError: it has no axis, or no bands, or a rank that is not known while the graph is built.

    Source: S. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition in
    continuously spoken sentences", 1980.

    Example:
        >>> dt.Session().run(dt.signal.mfccs_from_log_mel_spectrograms([1.0, 2.0, 4.0])).round(3)
        array([ 5.715, -2.121,  0.408], dtype=float32)
    """
    x = as_tensor(log_mel_spectrograms)
    if x.shape.rank in (0, None) or x.shape.dims[-1] == 0:
        raise ShapeError(f'mfccs_from_log_mel_spectrograms: "{x.name}" is {x.type}; a last axis of bands is needed.')
    with get_default_graph().name_scope(name or "mfccs_from_log_mel_spectrograms"):
        result: Tensor = dct(x) * rsqrt(cast(2 * x.shape.dims[-1], x.dtype))
        return result
