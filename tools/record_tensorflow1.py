"""Record what TensorFlow computes in the programs of `tests/together/tensorflow1/programs`, for the tests to compare.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow1_programs.npz`, which this script makes from
the programs themselves: only the line `import dovetail as tf` is another. `tf_keras` holds what TensorFlow 1 had in
`tf.layers` and `tf.nn.rnn_cell`, which Keras 3 has no more.

    python -m venv /tmp/tensorflow && /tmp/tensorflow/bin/pip install tensorflow-cpu tf_keras
    /tmp/tensorflow/bin/python tools/record_tensorflow1.py

A key is `program/name`, for each name of the program's dictionary `found`. Names of programs as arguments record these
anew and keep the others.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ROOT / "tests" / "together" / "tensorflow1" / "programs"
RECORDED = ROOT / "tests" / "data" / "tensorflow1_programs.npz"
OURS = "import dovetail as tf\n"
THEIRS = "import tensorflow.compat.v1 as tf; tf.disable_v2_behavior()\n"


def run(program: Path) -> dict[str, Any]:
    """Run a program with TensorFlow in a folder of its own; returns what it found."""
    text = program.read_text(encoding="utf-8")
    if text.count(OURS) != 1:
        raise ValueError(f"{program.name} must have the line {OURS!r} once")
    names: dict[str, Any] = {"__name__": "__main__"}
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            exec(compile(text.replace(OURS, THEIRS), str(program), "exec"), names)
        finally:
            os.chdir(before)
    found: dict[str, Any] = names["found"]
    return found


def main() -> None:
    """Run the programs and write what they found."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    tf: Any = import_module("tensorflow.compat.v1")  # not installed where the types are checked
    wanted = sys.argv[1:]
    known: dict[str, np.ndarray] = {}
    if wanted and RECORDED.is_file():
        kept = {program.stem for program in PROGRAMS.glob("*.py")}.difference(wanted)
        known = {key: value for key, value in np.load(RECORDED).items() if key.partition("/")[0] in kept}
    for program in sorted(PROGRAMS.glob("*.py")):
        if not wanted or program.stem in wanted:
            tf.reset_default_graph()
            for name, value in run(program).items():
                known[f"{program.stem}/{name}"] = np.asarray(value)
            print(program.stem)
    known["tensorflow_version"] = np.array(tf.__version__)
    arrays: Any = dict(sorted(known.items()))
    np.savez_compressed(RECORDED, **arrays)
    print(f"{len(known)} arrays, {RECORDED.stat().st_size} bytes in {RECORDED}")


if __name__ == "__main__":
    main()
