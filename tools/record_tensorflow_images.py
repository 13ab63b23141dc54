"""Record what TensorFlow computes for operations on images, for the tests to compare with.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_images.npz`, which this script makes from the
cases of `tests/layers/image_cases.py`, where a program is written once for both:

    python -m venv /tmp/tensorflow && /tmp/tensorflow/bin/pip install tensorflow
    /tmp/tensorflow/bin/python tools/record_tensorflow_images.py

A key is `case/name`; `grad_0` is the gradient of `sum(y_0 * cotangent)` with respect to the first input.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

tensorflow: Any = import_module("tensorflow")  # not installed where the types are checked
tf: Any = tensorflow.compat.v1


def record(name: str, case: Any, inputs: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Return the values of a case and its gradients."""
    with tf.Graph().as_default(), tf.Session() as session:
        tensors = [tf.constant(array) for array in inputs]
        result = case.function(tf, *tensors)
        outputs = list(result) if isinstance(result, (tuple, list)) else [result]
        found = {f"{name}/y_{i}": value for i, value in enumerate(session.run(outputs))}
        if case.gradients:
            cotangent = np.random.default_rng(1).normal(size=found[f"{name}/y_0"].shape)
            weighed = tf.reduce_sum(outputs[0] * tf.constant(cotangent, outputs[0].dtype))
            gradients = session.run(tf.gradients(weighed, tensors))
            found |= {f"{name}/grad_{i}": value for i, value in enumerate(gradients)}
    return found


def main() -> None:
    """Compute every case and write it."""
    from tests.layers.image_cases import CASES, inputs_of

    tf.disable_eager_execution()
    found: Any = {}
    for name, case in CASES.items():
        found |= record(name, case, inputs_of(name))
    found["tensorflow_version"] = np.array(tensorflow.__version__)
    path = ROOT / "tests" / "data" / "tensorflow_images.npz"
    np.savez_compressed(path, **found)
    print(f"{len(found)} arrays, {path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
