"""Record what TensorFlow computes for batch normalisation, regularizers and constraints, for the tests to compare with.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_normalization.npz`, which this script makes:

    /tmp/tensorflow/bin/python tools/record_tensorflow_normalization.py

`record_tensorflow_losses.py` says how to install it.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

tf: Any = import_module("tensorflow")  # not installed where the types are checked

RNG = np.random.default_rng(20240302)


def main() -> None:
    """Compute everything and write it."""
    images, weight = RNG.normal(1.0, 2.0, (3, 4, 2, 5)), RNG.normal(0.0, 2.0, (4, 3))
    channels = {name: RNG.uniform(0.5, 2.0, 5) for name in ("scale", "offset", "mean", "variance")}
    found: dict[str, Any] = {"images": images, "weight": weight, **channels}
    parts = {name: tf.constant(value, tf.float32) for name, value in channels.items()}
    x, normalise = tf.constant(images, tf.float32), tf.compat.v1.nn.fused_batch_norm
    found["trained/y"], found["trained/mean"], found["trained/variance"] = normalise(
        x, parts["scale"], parts["offset"], epsilon=0.01
    )
    found["evaluated/y"], found["evaluated/mean"], found["evaluated/variance"] = normalise(
        x, **parts, is_training=False
    )
    matrix, keras = tf.constant(weight, tf.float32), tf.keras
    for axis in (0, 1):
        found[f"max_norm/{axis}"] = keras.constraints.MaxNorm(1.5, axis)(matrix)
        found[f"unit_norm/{axis}"] = keras.constraints.UnitNorm(axis)(matrix)
        found[f"min_max_norm/{axis}"] = keras.constraints.MinMaxNorm(2.0, 3.0, 0.7, axis)(matrix)
    found["non_neg"] = keras.constraints.NonNeg()(matrix)
    found["l1_l2"] = keras.regularizers.L1L2(0.3, 0.1)(matrix)
    for mode in ("rows", "columns"):
        found[f"orthogonal/{mode}"] = keras.regularizers.OrthogonalRegularizer(0.3, mode)(matrix)
    for name, layer in {
        "group": keras.layers.GroupNormalization(5),
        "rms": keras.layers.RMSNormalization(),
        "prelu": keras.layers.PReLU("ones", shared_axes=[1, 2]),
    }.items():
        found[f"layer/{name}"] = layer(x)
    arrays: Any = {key: np.asarray(value) for key, value in found.items()}
    arrays["tensorflow_version"] = np.array(tf.__version__)
    path = Path(__file__).parents[1] / "tests" / "data" / "tensorflow_normalization.npz"
    np.savez_compressed(path, **arrays)
    print(f"{len(arrays)} arrays, {path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
