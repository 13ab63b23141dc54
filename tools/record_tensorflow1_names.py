"""Record the names of TensorFlow 1's Python API, by subject, for docs/tensorflow1.md and its test.

They are those that TensorFlow 2 keeps as `tensorflow.compat.v1`, without what TensorFlow 1.15 did not have, and with
names that only TensorFlow 1 had. `tools/make_tensorflow1.py` reads `tools/tensorflow1_names.json`, which this script
makes, in the environment that tools/record_tensorflow1.py describes:

    /tmp/tensorflow/bin/python tools/record_tensorflow1_names.py
"""

from __future__ import annotations

import inspect
import json
import os
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

NAMES = Path(__file__).with_name("tensorflow1_names.json")

# Subjects of names at the root: the first whose pattern fits the module that defines a name.
SUBJECTS = {
    "Random numbers": r"random",
    "Strings": r"string|strings|unicode",
    "Sparse tensors": r"sparse|ragged|sets",
    "Files, records and queues": r"parsing|io_ops|data_flow|reader|decode|input|saver|lookup|proto_ops",
    "Control flow and checks": r"control_flow|\bcond|while|functional|map_fn|tensor_array|check_ops|logging_ops"
    r"|script_ops|pfor|case|switch|numerics|critical_section|py_func|autograph",
    "Gradients": r"gradient|hessian|backprop|unconnected",
    "Initializers": r"init_ops",
    "Graphs, sessions and variables": r"client|framework|variable|state_ops|template|protobuf|device|eager|session"
    r"|compat|regularizer|tf_export|resource|core\.|module|platform|util",
    "Mathematics": r"math|linalg|clip|bitwise|confusion|histogram|spectral|signal|fft|segment|special|bincount|numeric"
    r"|nn|quant",
    "Arrays": r"array|sort|manip|image|embedding|parallel|batch|set_ops|gather|shape",
}
SPACES = (
    "nn", "nn.rnn_cell", "layers", "losses", "metrics", "train", "initializers", "random", "image", "strings",
    "logging", "gfile", "math", "linalg", "bitwise", "app", "summary", "saved_model", "data", "signal",
    "spectral",
)  # fmt: skip

# What TensorFlow 1.15 had not, by its later names, and what Python's own machinery leaves in modules.
LATER = re.compile(
    r"approx_|.*_v2$|experimental|is_symbolic_tensor|.*fftnd$|ragged_fill|random_index_shuffle|mlir|types|xla|lite|tpu"
    r"|(Ragged|Sparse|Indexed)?\w*TensorSpec|\w+Spec|type_spec|get_static_value|repeat$|nondifferentiable|check_pinned"
    r"|conv$|fingerprint|dtypes|mixed_precision|sobol|create_rng|fold_in|Algorithm|Generator|split$|.*global_generator"
    r"|stateless_(binomial|gamma|poisson|parameterized)|.*jxl|.*webp|raise_exception|exception_type|error_code|[A-Z_]+$"
    r"|CheckpointOptions|TaskLevel|CXX11|Asset$|SaveOptions|tridiagonal_matmul|lu_|logm|eigh_tri|collapse_repeated|compute_average|scale_regular|isotonic|NumpyIterator|ThreadingOptions"
    r"|.*mdct|(kaiser|vorbis)_\w+|.*backprop.*|safe_embedding|unsorted_segment_join|batch_scatter|tensor_scatter_(nd_)?(max|min)|bessel_\w+(j|y|k)"
)
ONLY_THEN = {
    "Graphs, sessions and variables": ["contrib"],
    "Mathematics": ["mul", "sub", "neg", "complex_abs", "batch_matmul"],
    "Arrays": ["pack", "unpack", "select"],
}
KEPT = {"Graphs, sessions and variables": ["AUTO_REUSE", "VERSION"], "random": [], "strings": ["split"]}


def subject_of(name: str, value: Any) -> str:
    """Tell what a name at the root is about."""
    if isinstance(value, ModuleType):
        return "Namespaces"
    where = getattr(inspect.unwrap(value) if callable(value) else value, "__module__", None) or "framework"
    return next((title for title, pattern in SUBJECTS.items() if re.search(pattern, where)), "Arrays")


def main() -> None:
    """Write the names."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    tf: Any = import_module("tensorflow.compat.v1")
    found: dict[str, set[str]] = {title: set(names) for title, names in ONLY_THEN.items()}
    for name in dir(tf):
        if not name.startswith("_") and (not LATER.match(name) or name in KEPT["Graphs, sessions and variables"]):
            found.setdefault(subject_of(name, getattr(tf, name)), set()).add(name)
    for space in SPACES:
        module = tf
        for part in space.split("."):
            module = getattr(module, part)
        names = {name for name in dir(module) if not name.startswith("_")}
        later = {name for name in names if LATER.match(name) and name not in KEPT.get(space, [])}
        constants = {"DEBUG", "ERROR", "FATAL", "INFO", "WARN"} if space == "logging" else set()
        found[space] = {f"{space}.{name}" for name in (names - later) | constants}
    tf.disable_v2_behavior()
    for title, target in (("Graph", tf.Graph()), ("Session", tf.Session())):
        hidden = {"Dismantle", "get", "new_operations", "num_operations", "op_def_for_type", "operations"}
        found[title] = {f"{title}.{name}" for name in dir(target) if not name.startswith("_") and name not in hidden}
    NAMES.write_text(json.dumps({title: sorted(names) for title, names in found.items()}, indent=1) + "\n")
    print(sum(map(len, found.values())), "names in", NAMES)


if __name__ == "__main__":
    main()
