"""Record what TensorFlow computes for linear algebra and its gradients, in float64, for the tests to compare with.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_linalg.npz`, which this script makes:

    python -m venv /tmp/tensorflow && /tmp/tensorflow/bin/pip install tensorflow-cpu
    /tmp/tensorflow/bin/python tools/record_tensorflow_linalg.py

A key is `case/name`: inputs `x0`, `x1`, …, outputs `y0`, `y1`, …, a cotangent `c0`, … for each, and gradients `g0`, …
of `sum(y * c)` with respect to each input. Outputs whose sign is free are multiplied into a form in which it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

tf: Any = import_module("tensorflow")  # not installed where the types are checked

FOUND: dict[str, np.ndarray] = {}
RNG = np.random.default_rng(20240607)


def record(case: str, function: Callable[..., Any], *inputs: np.ndarray) -> None:
    """Record a function of arrays, its values, cotangents and gradients."""
    leaves = [tf.constant(one) for one in inputs]
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        found = function(*leaves)
        outputs: Sequence[Any] = found if isinstance(found, (list, tuple)) else [found]
        cotangents = [RNG.normal(size=one.shape) for one in outputs]
        total = tf.add_n([tf.reduce_sum(one * other) for one, other in zip(outputs, cotangents, strict=True)])
    gradients = tape.gradient(total, leaves)
    for letter, arrays in zip("xycg", (inputs, outputs, cotangents, gradients), strict=True):
        for number, one in enumerate(arrays):
            FOUND[f"{case}/{letter}{number}"] = np.asarray(one)


def regular(*shape: int) -> np.ndarray:
    """Make square matrices far from singular ones."""
    return RNG.normal(size=shape) * 0.5 + 2.0 * np.eye(shape[-1])


def positive(*shape: int) -> np.ndarray:
    """Make symmetric positive definite matrices."""
    root = regular(*shape)
    return np.asarray(np.matmul(root, root.swapaxes(-1, -2)))


def eigen_form(a: Any) -> Any:
    """Give what signs of eigenvectors do not change."""
    values, vectors = tf.linalg.eigh(a)
    return values, vectors * tf.stop_gradient(tf.sign(vectors[..., :1, :]))


def singular_form(a: Any) -> Any:
    """Give what signs of singular vectors do not change."""
    s, u, v = tf.linalg.svd(a)
    sign = tf.stop_gradient(tf.sign(u[..., :1, :]))
    return s, u * sign, v * sign


def qr_form(a: Any) -> Any:
    """Give what signs of the factors do not change."""
    q, r = tf.linalg.qr(a)
    sign = tf.stop_gradient(tf.sign(tf.linalg.diag_part(r[..., : r.shape[-2]])))
    return q * sign[..., None, :], r * sign[..., :, None]


def main() -> None:
    """Record all cases."""
    linalg = tf.linalg
    record("inverse", linalg.inv, regular(2, 3, 3))
    record("solve", linalg.solve, regular(2, 3, 3), RNG.normal(size=(2, 3, 2)))
    record("solve_adjoint", lambda a, b: linalg.solve(a, b, adjoint=True), regular(3, 3), RNG.normal(size=(3, 2)))
    record("triangular_solve", linalg.triangular_solve, regular(2, 3, 3), RNG.normal(size=(2, 3, 2)))
    upper = {"lower": False, "adjoint": True}
    record(
        "triangular_solve_upper",
        lambda a, b: linalg.triangular_solve(a, b, **upper),
        regular(3, 3),
        RNG.normal(size=(3, 1)),
    )
    record("cholesky", linalg.cholesky, positive(2, 3, 3))
    record("cholesky_solve", linalg.cholesky_solve, np.linalg.cholesky(positive(3, 3)), RNG.normal(size=(3, 2)))
    record("determinant", linalg.det, regular(2, 3, 3))
    record("logdet", linalg.logdet, positive(2, 3, 3))
    record("slogdet", lambda a: linalg.slogdet(a)[1], -regular(2, 3, 3))
    record("qr", qr_form, RNG.normal(size=(2, 4, 3)))
    record("qr_wide", qr_form, RNG.normal(size=(2, 4)))
    record("eigh", eigen_form, positive(2, 3, 3))
    record("svd", singular_form, RNG.normal(size=(2, 3, 3)))
    record("svd_tall", singular_form, RNG.normal(size=(4, 3)))
    record("lstsq", lambda a, b: linalg.lstsq(a, b, 0.1), RNG.normal(size=(2, 4, 2)), RNG.normal(size=(2, 4, 1)))
    record("lstsq_wide", lambda a, b: linalg.lstsq(a, b, 0.1), RNG.normal(size=(2, 4)), RNG.normal(size=(2, 1)))
    record("expm", linalg.expm, RNG.normal(size=(2, 3, 3)))
    record("pinv", linalg.pinv, RNG.normal(size=(2, 4, 3)))
    record("cross", linalg.cross, RNG.normal(size=(2, 3)), RNG.normal(size=(2, 3)))
    record("set_diag", linalg.set_diag, RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 3)))
    record("trace", linalg.trace, RNG.normal(size=(2, 3, 3)))
    record("normalize", lambda x: linalg.normalize(x, axis=1), RNG.normal(size=(2, 3)))
    np.savez_compressed(Path(__file__).parents[1] / "tests" / "data" / "tensorflow_linalg.npz", **FOUND)  # type: ignore[arg-type] # arrays only


if __name__ == "__main__":
    main()
