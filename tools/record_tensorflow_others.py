"""Record what TensorFlow computes for `raw_rnn`, edit distances, bit casts and gradients of convolutions.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_others.npz`, which this script makes:

    python -m venv /tmp/tf && /tmp/tf/bin/pip install tensorflow-cpu tf_keras
    TF_USE_LEGACY_KERAS=1 PYTHONPATH=. /tmp/tf/bin/python tools/record_tensorflow_others.py

A key is `case/name`: inputs `x…`, outputs `y…`, variables `v:NAME`, and gradients `g:NAME` of the sum of the floating
outputs with respect to variables and `g:x` with respect to the input.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tests.layers.raw_rnn_cases import PROGRAMS

tf: Any = import_module("tensorflow.compat.v1")  # not installed where the types are checked

PATH = Path(__file__).parents[1] / "tests" / "data" / "tensorflow_others.npz"
RNG = np.random.default_rng(20261127)
FOUND: dict[str, Any] = {}


def loops() -> None:
    """Record the programs of `raw_rnn`."""
    for case, program in PROGRAMS.items():
        with tf.Graph().as_default(), tf.Session() as session:
            array, lengths = RNG.normal(size=(6, 3, 4)), np.array([6, 2, 4], np.int32)
            x = tf.constant(array)
            outputs = tf.nest.flatten(program(tf, tf.nn.rnn_cell.BasicLSTMCell(5), x, tf.constant(lengths)))
            variables = tf.global_variables()
            session.run(tf.global_variables_initializer())
            FOUND[f"{case}/x"], FOUND[f"{case}/lengths"] = array, lengths
            for one in variables:
                value = RNG.normal(size=one.shape.as_list(), scale=0.7)
                one.load(value, session)
                FOUND[f"{case}/v:{one.op.name}"] = value
            for number, value in enumerate(session.run(outputs)):
                FOUND[f"{case}/y{number}"] = value
            total = tf.add_n([tf.reduce_sum(one) for one in outputs if one.dtype == tf.float64])
            for name, gradient in zip(
                ["x", *(one.op.name for one in variables)], tf.gradients(total, [x, *variables]), strict=True
            ):
                FOUND[f"{case}/g:{name}"] = session.run(tf.convert_to_tensor(gradient))


def others() -> None:
    """Record edit distances, bit casts, gradients of convolutions."""
    with tf.Graph().as_default(), tf.Session() as session:
        said = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 0, 1], [1, 0, 2]])
        true = np.array([[0, 0, 0], [0, 0, 2], [1, 0, 0], [1, 0, 1], [1, 1, 0]])
        left, right = np.array([1, 2, 3, 4, 5, 6]), np.array([1, 3, 5, 4, 7])
        FOUND.update({"edit/x0": said, "edit/x1": left, "edit/x2": true, "edit/x3": right})
        for number, normalize in enumerate((True, False)):
            pair = tf.SparseTensor(said, left, [2, 2, 3]), tf.SparseTensor(true, right, [2, 2, 3])
            FOUND[f"edit/y{number}"] = session.run(tf.edit_distance(*pair, normalize=normalize))
        bits = RNG.normal(size=(2, 4)).astype(np.float32)
        FOUND["bits/x"] = bits
        for number, dtype in enumerate((tf.int32, tf.uint8, tf.int16)):
            FOUND[f"bits/y{number}"] = session.run(tf.bitcast(bits, dtype))
        FOUND["bits/y3"] = session.run(tf.bitcast(tf.reshape(bits, [2, 2, 2]), tf.float64))
        x, grad = RNG.normal(size=(2, 5, 6, 3)), RNG.normal(size=(2, 3, 3, 6))
        kernel, steps = RNG.normal(size=(3, 2, 3, 2)), [1, 2, 2, 1]
        FOUND.update({"depthwise/x": x, "depthwise/grad": grad, "depthwise/kernel": kernel})
        native = tf.nn.depthwise_conv2d_native_backprop_filter, tf.nn.depthwise_conv2d_native_backprop_input
        FOUND["depthwise/filter"] = session.run(native[0](x, kernel.shape, grad, steps, "SAME"))
        FOUND["depthwise/input"] = session.run(native[1](x.shape, kernel, grad, steps, "SAME"))
        x, grad = RNG.normal(size=(1, 4, 4, 4, 2)), RNG.normal(size=(1, 3, 3, 3, 2))
        FOUND.update({"volumes/x": x, "volumes/grad": grad})
        found = tf.nn.conv3d_backprop_filter_v2(x, [2, 2, 2, 2, 2], grad, [1] * 5, "VALID")
        FOUND["volumes/filter"] = session.run(found)
        hits = tf.nn.compute_accidental_hits([[1, 5], [7, 2]], [7, 1, 9, 5], 2)
        for number, value in enumerate(session.run(hits)):
            FOUND[f"hits/y{number}"] = value


def main() -> None:
    """Write the values."""
    tf.disable_v2_behavior()
    loops()
    others()
    np.savez_compressed(PATH, **FOUND)
    print(len(FOUND), "arrays in", PATH, PATH.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
