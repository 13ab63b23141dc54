"""Record what TensorFlow computes of complex numbers, spectra and signals, for tests to compare.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_complex.npz`, which this script makes:

    python -m venv /tmp/tensorflow && /tmp/tensorflow/bin/pip install tensorflow-cpu
    /tmp/tensorflow/bin/python tools/record_tensorflow_complex.py

A key is `case/name`: inputs `x0`, `x1`, …, the output `y`, a cotangent `c` of it, and gradients `g0`, … with respect to
each input. Each case is a Python expression of `tf` and the inputs, which is recorded as `case/expression`, so that the
test evaluates the same one.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

tf: Any = import_module("tensorflow.compat.v1")  # not installed where the types are checked

PATH = Path(__file__).parents[1] / "tests" / "data" / "tensorflow_complex.npz"
RNG = np.random.default_rng(20261126)
FOUND: dict[str, Any] = {}


def drawn(*shape: int, dtype: str = "c16") -> np.ndarray:
    """Draw numbers, complex ones unless another dtype is asked for."""
    real = RNG.normal(size=shape)
    return np.asarray(real + 1j * RNG.normal(size=shape) if dtype[0] == "c" else real).astype(dtype)


def record(case: str, expression: str, *inputs: np.ndarray) -> None:
    """Record an expression of `tf`, `x0`, `x1`, …: its value, and gradients."""
    with tf.Graph().as_default(), tf.Session() as session:
        tensors = [tf.constant(one) for one in inputs]
        y = eval(expression, {"tf": tf, **{f"x{number}": one for number, one in enumerate(tensors)}})
        FOUND[f"{case}/expression"] = np.asarray(expression)
        FOUND[f"{case}/y"] = value = session.run(y)
        for number, one in enumerate(inputs):
            FOUND[f"{case}/x{number}"] = one
        if value.dtype.kind not in "fc":
            return
        cotangent = drawn(*value.shape, dtype=value.dtype.str[1:])
        FOUND[f"{case}/c"] = cotangent
        try:
            gradients = tf.gradients(y, tensors, [tf.constant(cotangent)])
        except (LookupError, ValueError):  # some transforms have none, or none with another length
            return
        for number, gradient in enumerate(gradients):
            if gradient is not None:
                FOUND[f"{case}/g{number}"] = session.run(tf.convert_to_tensor(gradient))


def mathematics() -> None:
    """Record arithmetic, parts, functions and reductions."""
    x, y = drawn(2, 3), drawn(3)
    for name in ("add", "subtract", "multiply", "divide", "div_no_nan", "pow", "squared_difference"):
        record(name, f"tf.{name}(x0, x1)", x, y)
    for name in (
        "negative", "square", "reciprocal", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tan",
        "sinh", "cosh", "tanh", "asinh", "atanh", "asin", "acos", "atan", "sigmoid", "abs", "real", "imag", "conj",
        "angle",
    ):  # fmt: skip
        record(name, f"tf.{name}(x0)", x)
    record("sign", "tf.sign(x0) * tf.constant(1.0, tf.complex128)", x)
    record("complex", "tf.complex(x0, x1)", drawn(2, 3, dtype="f4"), drawn(2, 3, dtype="f4"))
    record("equal", "tf.equal(x0, x1)", x, np.where(RNG.random((2, 3)) < 0.5, x, 1.0))
    record("to_real", "tf.cast(x0, tf.float32)", x)
    record("to_complex", "tf.cast(x0, tf.complex64)", drawn(4, dtype="f8"))
    record("narrower", "tf.cast(x0, tf.complex64)", x)
    for name in ("reduce_sum", "reduce_mean", "reduce_prod"):
        record(name, f"tf.{name}(x0, 1)", x)
    record("cumsum", "tf.cumsum(x0, 1, reverse=True)", x)
    record("cumprod", "tf.cumprod(x0, 1, exclusive=True)", x)
    record("matmul", "tf.matmul(x0, x1)", drawn(2, 3), drawn(3, 2))
    record("matmul_adjoint_a", "tf.matmul(x0, x1, adjoint_a=True)", drawn(3, 2), drawn(3, 4))
    record("matmul_adjoint_b", "tf.matmul(x0, x1, adjoint_b=True)", drawn(2, 2, 3), drawn(2, 4, 3))
    record("tensordot", "tf.tensordot(x0, x1, [[1], [0]])", drawn(2, 3), drawn(3, 2))
    record("einsum", "tf.einsum('ij,kj->ik', x0, x1)", drawn(2, 3), drawn(4, 3))
    record("inverse", "tf.linalg.inv(x0)", drawn(2, 2, 2))
    record("inverse_adjoint", "tf.linalg.inv(x0, adjoint=True)", drawn(2, 2))
    record("solve", "tf.linalg.solve(x0, x1)", drawn(2, 2), drawn(2, 3))
    record("solve_adjoint", "tf.linalg.solve(x0, x1, adjoint=True)", drawn(2, 2), drawn(2, 3))
    record("triangular", "tf.linalg.triangular_solve(x0, x1, lower=False, adjoint=True)", drawn(2, 2), drawn(2, 3))
    record("determinant", "tf.linalg.det(x0)", drawn(2, 3, 3))
    record("eigenvalues", "tf.linalg.eigvalsh(x0 + tf.linalg.adjoint(x0))", drawn(3, 3))
    record("spectrum", "tf.abs(tf.linalg.eigh(x0 + tf.linalg.adjoint(x0))[1])", drawn(3, 3))
    record("adjoint", "tf.linalg.adjoint(x0)", drawn(2, 3))
    record("transpose", "tf.transpose(x0, [1, 0], conjugate=True)", drawn(2, 3))
    record("moved", "tf.concat([tf.reshape(x0, [3, 2]), x1[1:4]], 0)", x, drawn(5, 2))
    record("gather", "tf.gather(x0, [1, 0, 1])", x)
    record("where", "tf.where(tf.constant([[True, False, True]] * 2), x0, tf.square(x0))", x)
    record("pad", "tf.pad(x0, [[1, 0], [0, 2]])", x)
    record("segments", "tf.segment_sum(x0, [0, 0, 2])", drawn(3, 2))
    record("loop", "tf.foldl(lambda a, b: a * b + b, x0)", drawn(4))


def spectra() -> None:
    """Record Fourier and cosine transforms."""
    for rank, suffix in ((1, ""), (2, "2d"), (3, "3d")):
        shape = (2, 3, 2, 4)[4 - rank - 1 :]
        record(f"fft{suffix}", f"tf.signal.fft{suffix}(x0)", drawn(*shape))
        record(f"ifft{suffix}", f"tf.signal.ifft{suffix}(x0)", drawn(*shape))
        record(f"rfft{suffix}", f"tf.spectral.rfft{suffix}(x0)", drawn(*shape, dtype="f4"))
        record(f"irfft{suffix}", f"tf.spectral.irfft{suffix}(x0)", drawn(*shape, dtype="c8"))
    record("rfft_shorter", "tf.signal.rfft(x0, [5])", drawn(2, 8, dtype="f4"))
    record("rfft_longer", "tf.signal.rfft(x0, [9])", drawn(2, 6, dtype="f4"))
    record("irfft_odd", "tf.signal.irfft(x0, [5])", drawn(2, 3, dtype="c8"))
    record("irfft_longer", "tf.signal.irfft(x0, [8])", drawn(2, 3, dtype="c8"))
    record("fftshift", "tf.signal.fftshift(x0)", drawn(3, 4))
    record("ifftshift", "tf.signal.ifftshift(x0, [-1])", drawn(3, 5))
    for kind in (1, 2, 3):
        record(f"dct{kind}", f"tf.signal.dct(x0, {kind})", drawn(2, 5, dtype="f4"))
        record(f"idct{kind}", f"tf.signal.idct(x0, {kind})", drawn(2, 5, dtype="f4"))
    for kind in (2, 3):
        record(f"dct{kind}_ortho", f"tf.signal.dct(x0, {kind}, norm='ortho')", drawn(2, 5, dtype="f4"))
        record(f"idct{kind}_ortho", f"tf.signal.idct(x0, {kind}, norm='ortho')", drawn(2, 5, dtype="f4"))
    record("dct_longer", "tf.signal.dct(x0, n=7)", drawn(2, 5, dtype="f4"))


def signals() -> None:
    """Record windows, frames and what is made of them."""
    for length in (1, 2, 7, 8):
        for periodic in (True, False):
            for name in ("hann", "hamming"):
                record(f"{name}_{length}_{periodic}", f"tf.signal.{name}_window({length}, {periodic})")
    record("frame", "tf.signal.frame(x0, 4, 3)", drawn(2, 11, dtype="f4"))
    record("frame_padded", "tf.signal.frame(x0, 4, 3, True, 2.0)", drawn(2, 11, dtype="f4"))
    record("frame_axis", "tf.signal.frame(x0, 3, 2, axis=0)", drawn(8, 2, dtype="f4"))
    record("overlap_and_add", "tf.signal.overlap_and_add(x0, 2)", drawn(2, 4, 5, dtype="f4"))
    record("stft", "tf.signal.stft(x0, 6, 3)", drawn(2, 20, dtype="f4"))
    record("stft_padded", "tf.signal.stft(x0, 6, 4, 8, tf.signal.hamming_window, True)", drawn(15, dtype="f4"))
    record("stft_plain", "tf.signal.stft(x0, 8, 3, window_fn=None)", drawn(15, dtype="f4"))
    record("inverse_stft", "tf.signal.inverse_stft(x0, 6, 3)", drawn(2, 4, 5, dtype="c8"))
    record(
        "there_and_back",
        "tf.signal.inverse_stft(tf.signal.stft(x0, 8, 2), 8, 2, window_fn=tf.signal.inverse_stft_window_fn(2))",
        drawn(30, dtype="f4"),
    )
    record("mel", "tf.signal.linear_to_mel_weight_matrix(12, 65, 16000, 80.0, 7600.0)")
    record("mfcc", "tf.signal.mfccs_from_log_mel_spectrograms(x0)", drawn(2, 3, 13, dtype="f4"))


def main() -> None:
    """Write the values."""
    tf.disable_control_flow_v2()
    mathematics()
    spectra()
    signals()
    np.savez_compressed(PATH, **FOUND)
    print(sum(key.endswith("/y") for key in FOUND), "cases in", PATH, PATH.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
