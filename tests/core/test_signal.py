"""``dt.signal`` and ``dt.spectral`` beside NumPy and SciPy, with open sizes; what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DovetailError, DTypeError, InvalidArgumentError, ShapeError
from tests.core.values import run

X = np.random.default_rng(0).normal(size=(2, 7))


@pytest.mark.parametrize("shape", [None, [None, None], [2, 7]], ids=str)
def test_sizes_may_be_open(shape: Any) -> None:
    import scipy.fft

    x = dt.placeholder(dt.float64, shape)
    spectrum = dt.signal.rfft(x)
    pairs: list[tuple[dt.Tensor, Any]] = [
        (spectrum, np.fft.rfft(X)),
        (dt.signal.rfft(x, [10]), np.fft.rfft(X, 10)),
        (dt.signal.rfft(x, [4]), np.fft.rfft(X, 4)),
        (dt.signal.irfft(spectrum, [7]), X),
        (dt.signal.irfft(spectrum), np.fft.irfft(np.fft.rfft(X))),
        (dt.signal.rfft2d(x), np.fft.rfft2(X)),
        (dt.signal.fft2d(dt.cast(x, dt.complex128)), np.fft.fft2(X)),
        (dt.signal.dct(x), scipy.fft.dct(X)),
        (dt.signal.frame(x, 3, 2), np.lib.stride_tricks.sliding_window_view(X, 3, 1)[:, ::2]),
        (dt.signal.overlap_and_add(dt.signal.frame(x, 3, 3), 3), X[:, :6]),
    ]
    for number, (found, expected) in enumerate(pairs):
        np.testing.assert_allclose(run(found, {x: X}), expected, atol=1e-12, err_msg=str(number))
    (gradient,) = dt.gradients(dt.reduce_sum(dt.square(dt.abs(spectrum))), x)
    weights = np.array([1.0, *[2.0] * 3])  # what is left out is the conjugate of what is there
    expected = run(gradient, {x: X})
    norm = np.sum(np.abs(np.fft.rfft(X)) ** 2 * weights)
    np.testing.assert_allclose(np.sum(expected * X), 2 * np.sum(np.abs(np.fft.rfft(X)) ** 2))
    np.testing.assert_allclose(norm, 7 * np.sum(X**2))


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("norm", [None, "ortho"])
def test_cosine_transforms_are_those_of_scipy(kind: int, norm: Any) -> None:
    import scipy.fft

    if kind == 1 and norm:
        return
    y = dt.signal.dct(dt.constant(X), kind, norm=norm)
    np.testing.assert_allclose(run(y), scipy.fft.dct(X, kind, norm=norm), atol=1e-12)
    scale = 1 if norm else 2 * (7 - (kind == 1))
    np.testing.assert_allclose(run(dt.spectral.idct(y, kind, norm=norm)), scale * X, atol=1e-12)
    assert run(dt.signal.dct(dt.constant(X), kind, n=4)).shape == (2, 4)


def test_a_signal_comes_back_from_its_spectra() -> None:
    signal = np.random.default_rng(1).normal(size=(2, 300)).astype(np.float32)
    x = dt.placeholder(dt.float32, [None, None])
    spectra = dt.signal.stft(x, frame_length=64, frame_step=16)
    back = dt.signal.inverse_stft(spectra, 64, 16, window_fn=dt.signal.inverse_stft_window_fn(16))
    found = run(back, {x: signal})
    np.testing.assert_allclose(found[:, 64:-64], signal[:, 64 : found.shape[1] - 64], atol=1e-5)


def test_shifts_undo_each_other() -> None:
    for shape in ((5,), (4,), (3, 4)):
        x = np.arange(np.prod(shape)).reshape(shape)
        shifted = dt.signal.fftshift(x)
        np.testing.assert_array_equal(run(shifted), np.fft.fftshift(x))
        np.testing.assert_array_equal(run(dt.signal.ifftshift(shifted)), x)


def test_nothing_is_transformed_to_nothing() -> None:
    empty = np.zeros((0, 4))
    assert run(dt.signal.rfft(empty)).shape == (0, 3)
    assert run(dt.signal.irfft(np.zeros((0, 3), complex))).shape == (0, 4)
    assert run(dt.signal.frame(np.zeros((2, 3)), 4, 1)).shape == (2, 0, 4)
    assert run(dt.signal.overlap_and_add(np.zeros((2, 0, 4)), 2)).shape == (2, 2)


def test_precision_is_that_of_the_input() -> None:
    for dtype, wide in ((np.float32, np.complex64), (np.float64, np.complex128)):
        assert run(dt.signal.rfft(X.astype(dtype))).dtype == wide
        assert run(dt.signal.irfft(X.astype(wide))).dtype == dtype
        assert run(dt.signal.fft(X.astype(wide))).dtype == wide
        assert run(dt.signal.hann_window(5, dtype=dt.as_dtype(dtype))).dtype == dtype


S = dt.signal
REFUSED: list[tuple[Callable[[], Any], type[DovetailError], str]] = [
    (lambda: S.fft([1.0, 2.0]), DTypeError, "^fft: the input is float32, where complex64 or complex128 is wanted"),
    (lambda: S.ifft2d([[1.0]]), DTypeError, "^ifft2d: the input is float32.* or rfft2d of dt.signal for real signals"),
    (lambda: S.fft2d([1j]), ShapeError, r"^fft2d: the input is complex128\[1\]; at least 2 axes to transform"),
    (lambda: S.rfft([1j]), DTypeError, "^rfft: the input is complex128, where float32 or float64 is wanted"),
    (lambda: S.rfft([1, 2]), DTypeError, "^rfft: the input is int32"),
    (lambda: S.rfft(1.0), ShapeError, r"^rfft: the input is float32\[\]; at least one axis to transform"),
    (lambda: S.rfft([1.0], [0]), InvalidArgumentError, "^rfft: fft_length holds 0; lengths are at least 1"),
    (lambda: S.rfft([1.0], [2, 3]), ShapeError, "^rfft: fft_length holds 2 numbers; give 1, one for each axis"),
    (lambda: S.rfft([1.0], dt.placeholder(dt.int32, [1])), InvalidArgumentError, "not known while the graph is built"),
    (lambda: S.irfft([1.0]), DTypeError, "^irfft: the input is float32.1., where complex numbers are wanted"),
    (lambda: S.irfft([1j]), ShapeError, r"^irfft: the input is complex128\[1\], which makes a signal of no elements"),
    (lambda: S.fftshift([1.0], 1), ShapeError, "^fftshift: axis 1 is out of range"),
    (lambda: S.dct([1.0], 5), InvalidArgumentError, "^dct: type is 5; use 1, 2, 3 or 4"),
    (lambda: S.dct([1.0], 1), ShapeError, "^dct: .* type 1 needs at least two elements"),
    (lambda: S.dct([1.0, 2.0], 1, norm="ortho"), InvalidArgumentError, "^dct: type 1 has no orthonormal form"),
    (lambda: S.dct([1.0], norm="other"), InvalidArgumentError, "^dct: norm is 'other'; use 'ortho' or None"),
    (lambda: S.dct([1.0], axis=0), InvalidArgumentError, "^dct: axis is 0; use -1, and dt.transpose"),
    (lambda: S.dct([1]), DTypeError, r'^dct: "Const:0" is int32\[1\], where float32 or float64 is wanted'),
    (lambda: S.idct([1.0], n=0), InvalidArgumentError, "^idct: n is 0; give a number of samples, at least 1"),
    (lambda: S.frame([1.0], 0, 1), InvalidArgumentError, "^frame: frame_length is 0; it must be at least 1"),
    (lambda: S.frame([1.0], 1, 1, axis=2), ShapeError, "axis 2"),
    (lambda: S.overlap_and_add([1.0], 1), ShapeError, "^overlap_and_add: .* two axes, frames and their samples"),
    (lambda: S.hann_window(0), InvalidArgumentError, "^hann_window: window_length is 0; give a number of samples"),
    (lambda: S.hamming_window(3, dtype=dt.int32), DTypeError, "^hamming_window: dtype is int32; use a floating dtype"),
    (lambda: S.stft([1], 1, 1), DTypeError, "^stft: .* where float32 or float64 is wanted"),
    (lambda: S.inverse_stft([[1.0]], 1, 1), DTypeError, "^inverse_stft: .* where complex numbers are wanted"),
    (lambda: S.linear_to_mel_weight_matrix(upper_edge_hertz=9e3), InvalidArgumentError, "are from 125.0 to 9000.0"),
    (lambda: S.linear_to_mel_weight_matrix(0), InvalidArgumentError, "num_mel_bins is 0"),
    (lambda: S.mfccs_from_log_mel_spectrograms(1.0), ShapeError, "a last axis of bands is needed"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_mistakes_are_named(number: int) -> None:
    function, error, message = REFUSED[number]
    with pytest.raises(error, match=message):
        function()


def test_older_names_stand_for_the_same() -> None:
    assert dt.fft is dt.signal.fft is dt.spectral.fft
    assert dt.ifft is dt.signal.ifft is dt.spectral.ifft
    assert dt.fft2d is dt.signal.fft2d is dt.spectral.fft2d
    assert dt.ifft2d is dt.signal.ifft2d is dt.spectral.ifft2d
    assert dt.fft3d is dt.signal.fft3d is dt.spectral.fft3d
    assert dt.ifft3d is dt.signal.ifft3d is dt.spectral.ifft3d
    assert dt.spectral.rfft is dt.signal.rfft
    assert dt.spectral.irfft is dt.signal.irfft
    assert dt.spectral.rfft2d is dt.signal.rfft2d
    assert dt.spectral.irfft2d is dt.signal.irfft2d
    assert dt.spectral.rfft3d is dt.signal.rfft3d
    assert dt.spectral.irfft3d is dt.signal.irfft3d
    assert dt.spectral.dct is dt.signal.dct
    assert dt.spectral.idct is dt.signal.idct
    assert dt.math.angle is dt.angle
    assert dt.math.conj is dt.conj
    assert dt.math.imag is dt.imag
    assert dt.math.real is dt.real
