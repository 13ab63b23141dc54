"""Record the summaries that TensorFlow makes, for the tests to compare with.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_summaries.npz`, which this script makes from
the cases of `tests/train/summary_cases.py`, where a program is written once for both:

    python -m venv /tmp/tensorflow && /tmp/tensorflow/bin/pip install tensorflow
    /tmp/tensorflow/bin/python tools/record_tensorflow_summaries.py

Each array holds the bytes of a message `Summary`.
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


def main() -> None:
    """Compute every case and write it."""
    from tests.train.summary_cases import CASES

    tf.disable_eager_execution()
    found: Any = {}
    for name, (function, arrays) in CASES.items():
        with tf.Graph().as_default(), tf.Session() as session:
            summary = function(tf, *[tf.constant(array) for array in arrays])
            found[name] = np.frombuffer(session.run(summary), np.uint8)
    found["tensorflow_version"] = np.array(tensorflow.__version__)
    path = ROOT / "tests" / "data" / "tensorflow_summaries.npz"
    np.savez_compressed(path, **found)
    print(f"{len(found)} arrays, {path.stat().st_size} bytes in {path}")


if __name__ == "__main__":
    main()
