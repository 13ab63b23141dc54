"""Record what TensorFlow computes for linear algebra, special functions and images, for tests to compare.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_mathematics.npz`, which this script makes:

    python -m venv /tmp/tensorflow && /tmp/tensorflow/bin/pip install tensorflow-cpu
    /tmp/tensorflow/bin/python tools/record_tensorflow_mathematics.py

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
            if one is not None:
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


def special() -> None:
    """Record special functions, at small and large arguments."""
    math = tf.math
    orders = np.array([[0.05], [0.7], [2.0], [30.0], [900.0]])
    positions = np.concatenate([orders.ravel() * factor for factor in (0.2, 0.9, 1.0, 1.1, 3.0)])
    record("igamma", math.igamma, orders, positions)
    record("igammac", math.igammac, orders, positions)
    record("betainc", math.betainc, *np.broadcast_arrays(orders, orders[:, 0] + 0.5, RNG.uniform(size=(5, 5))))
    record("zeta", math.zeta, np.array([[1.2], [2.0], [7.5]]), np.array([0.1, 1.0, 3.5, 40.0]))
    record("polygamma", math.polygamma, np.array([[0.0], [1.0], [2.0], [5.0]]), np.array([[0.1, 1.0, 3.5, 40.0]] * 4))
    wide = np.array([-40.0, -8.5, -7.5, -1.0, -1e-3, 0.0, 0.5, 7.9, 8.1, 100.0])
    record("bessel_i0e", math.bessel_i0e, wide)
    record("bessel_i1e", math.bessel_i1e, wide)
    record("bessel_i0", math.bessel_i0, wide)
    record("bessel_i1", math.bessel_i1, wide[wide != 0.0])  # at 0 TensorFlow says 1 for the slope, which is 1/2
    record("ndtri", math.ndtri, np.array([1e-12, 1e-3, 0.2, 0.5, 0.9, 0.999]))
    record("erfinv", math.erfinv, np.array([-0.999, -0.3, 0.0, 0.01, 0.5, 0.99999]))
    record("erfcinv", math.erfcinv, np.array([1e-9, 0.3, 1.0, 1.01, 1.9]))
    factors = np.array([0.0, 0.0, 1.5, -2.0]), np.array([0.0, 2.0, 0.5, 3.0])
    for name in ("xlogy", "xdivy", "xlog1py", "multiply_no_nan"):
        record(name, getattr(math, name), *factors)
    record("reciprocal_no_nan", math.reciprocal_no_nan, np.array([0.0, 2.0, -0.5]))
    variates = np.array([[0.1, 0.7, 3.0, 50.0], [1e-9, 0.2, 5.0, 40.0]])
    slopes = tf.raw_ops.RandomGammaGrad(alpha=np.broadcast_to(variates[0], (2, 4)), sample=variates)
    FOUND.update({"random_gamma/x0": variates, "random_gamma/y0": slopes.numpy()})
    record("lbeta", math.lbeta, RNG.uniform(0.1, 5.0, size=(3, 4)))


def images() -> None:
    """Record functions of images, of float32 and of bytes; those without gradients in TensorFlow by values alone."""
    one = tf.compat.v1.image
    floats = RNG.uniform(size=(2, 5, 4, 3)).astype(np.float32)
    floats[0, 0] = 0.5  # no colour at all
    bytes_ = RNG.integers(0, 256, size=(5, 4, 3)).astype(np.uint8)
    FOUND.update({"image/floats": floats, "image/bytes": bytes_})
    functions: dict[str, Callable[..., Any]] = {
        "adjust_brightness": lambda x: one.adjust_brightness(x, 0.3),
        "adjust_contrast": lambda x: one.adjust_contrast(x, 1.7),
        "adjust_gamma": lambda x: one.adjust_gamma(x, 2.0, 1.1),
        "adjust_hue": lambda x: one.adjust_hue(x, -0.3),
        "adjust_saturation": lambda x: one.adjust_saturation(x, 1.5),
        "central_crop": lambda x: one.central_crop(x, 0.5),
        "crop_or_pad": lambda x: one.resize_image_with_crop_or_pad(x, 3, 7),
        "crop_to_bounding_box": lambda x: one.crop_to_bounding_box(x, 1, 0, 3, 2),
        "flip_left_right": one.flip_left_right,
        "flip_up_down": one.flip_up_down,
        "pad_to_bounding_box": lambda x: one.pad_to_bounding_box(x, 1, 2, 8, 7),
        "per_image_standardization": one.per_image_standardization,
        "rgb_to_grayscale": one.rgb_to_grayscale,
        "rot90": one.rot90,
        "rot180": lambda x: one.rot90(x, 2),
        "rot270": lambda x: one.rot90(x, 3),
        "to_float32": lambda x: one.convert_image_dtype(x, tf.float32),
        "to_int16": lambda x: one.convert_image_dtype(x, tf.int16),
        "to_int8": lambda x: one.convert_image_dtype(x, tf.int8, saturate=True),
        "transpose": one.transpose,
    }
    for name, function in functions.items():
        FOUND[f"image/{name}/floats"] = function(floats).numpy()
        FOUND[f"image/{name}/bytes"] = function(bytes_).numpy()
    FOUND["image/rgb_to_hsv"] = one.rgb_to_hsv(floats).numpy()
    FOUND["image/hsv_to_rgb"] = one.hsv_to_rgb(floats).numpy()
    FOUND["image/total_variation"] = one.total_variation(tf.constant(floats)).numpy()
    left, right = (RNG.integers(0, 256, size=(2, 16, 14, 3)).astype(np.uint8) for _ in range(2))
    near = (0.9 * left + 0.1 * right).astype(np.uint8)
    FOUND.update({"image/left": left, "image/near": near})
    FOUND["image/psnr"] = one.psnr(left, near, 255).numpy()
    FOUND["image/ssim"] = one.ssim(left, near, 255).numpy()
    FOUND["image/ssim_small"] = one.ssim(left, near, 255, 5, 1.0, 0.02, 0.05).numpy()
    FOUND["image/ssim_multiscale"] = one.ssim_multiscale(left, near, 255, [0.4, 0.35, 0.25], 3).numpy()
    odd = floats[:, :5, :3]
    more: dict[str, Callable[..., Any]] = {
        "image_gradients": lambda x: tf.stack(one.image_gradients(x)),
        "sobel_edges": one.sobel_edges,
        "rgb_to_yiq": one.rgb_to_yiq,
        "yiq_to_rgb": one.yiq_to_rgb,
        "rgb_to_yuv": one.rgb_to_yuv,
        "yuv_to_rgb": one.yuv_to_rgb,
        "resize_image_with_pad": lambda x: one.resize_image_with_pad(x, 7, 9),
        "resize_image_with_pad_narrow": lambda x: one.resize_image_with_pad(x, 3, 7, 1),
        "patches_valid": lambda x: one.extract_patches(x, [1, 2, 2, 1], [1, 2, 1, 1], [1, 1, 2, 1], "VALID"),
        "patches_same": lambda x: one.extract_patches(x, [1, 3, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "SAME"),
    }
    for name, function in more.items():
        FOUND[f"image/more/{name}"] = function(tf.constant(floats)).numpy()
    places = np.array([[0.1, 0.2, 0.9, 0.7], [0.8, -0.3, 0.2, 1.4], [0.0, 0.0, 1.0, 1.0]], np.float32)
    for method in ("bilinear", "nearest"):
        found = one.crop_and_resize(odd, places, [1, 0, 1], [4, 3], method, 0.25)
        FOUND[f"image/crop_and_resize/{method}"] = found.numpy()
    FOUND["image/crop_and_resize/one"] = one.crop_and_resize(odd, places, [1, 0, 1], [1, 2]).numpy()
    boxes = np.sort(RNG.uniform(size=(40, 2, 2)), axis=1).reshape(40, 4).astype(np.float32)
    boxes[::3] = boxes[::3, [2, 1, 0, 3]]  # other corners
    scores = RNG.uniform(size=40).astype(np.float32)
    FOUND.update({"image/boxes": boxes, "image/scores": scores})
    FOUND["image/suppressed"] = one.non_max_suppression(boxes, scores, 30, 0.3).numpy()
    FOUND["image/suppressed_few"] = one.non_max_suppression(boxes, scores, 4, 0.5, 0.4).numpy()


def main() -> None:
    """Record all cases."""
    special()
    images()
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
    np.savez_compressed(Path(__file__).parents[1] / "tests" / "data" / "tensorflow_mathematics.npz", **FOUND)  # type: ignore[arg-type] # arrays only


if __name__ == "__main__":
    main()
