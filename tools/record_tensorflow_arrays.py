"""Record what TensorFlow computes for the programs of `tests/core/array_cases.py`, for the tests to compare with.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_arrays.npz`, which this script makes:

    python -m venv /tmp/tensorflow && /tmp/tensorflow/bin/pip install tensorflow
    /tmp/tensorflow/bin/python tools/record_tensorflow_arrays.py

A key is `case/out0`, and `case/grad0` for the gradient by the first array that is differentiated by, and so on.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

cases: Any = import_module("tests.core.array_cases")
tf: Any = import_module("tensorflow.compat.v1")  # not installed where the types are checked


def record(name: str, case: Any) -> dict[str, np.ndarray]:
    """Run a program, and its gradients."""
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = [tf.placeholder(one.dtype, one.shape) for one in case.arrays]
        result = case.program(tf, *inputs)
        outputs = list(result) if isinstance(result, (list, tuple)) else [result]
        feeds = dict(zip(inputs, case.arrays, strict=True))
        session.run(tf.global_variables_initializer())
        values = session.run(outputs, feeds)
        found = {f"{name}/out{i}": cases.plain(value) for i, value in enumerate(values)}
        wrt = [one for one in inputs if one.dtype.is_floating]
        if case.gradients and wrt:
            chosen = [i for i, one in enumerate(outputs) if one.dtype.is_floating]
            weights = cases.cotangents([np.shape(values[i]) for i in chosen])
            grads = tf.gradients([outputs[i] for i in chosen], wrt, [tf.constant(one) for one in weights])
            for i, grad in enumerate(grads):
                found[f"{name}/grad{i}"] = session.run(tf.convert_to_tensor(grad), feeds)
        return found


def main() -> None:
    """Write the file."""
    tf.disable_eager_execution()
    tf.experimental.output_all_intermediates(True)  # of loops, which are differentiated after they ran
    found: dict[str, Any] = {}
    for name, case in cases.CASES.items():
        found.update(record(name, case))
    path = ROOT / "tests" / "data" / "tensorflow_arrays.npz"
    np.savez_compressed(path, **found)
    print(f"{path.relative_to(ROOT)}: {len(cases.CASES)} cases, {path.stat().st_size} bytes, {tf.__version__}")


if __name__ == "__main__":
    main()
