"""Record what TensorFlow computes for networks of sequences, in float64, for the tests to compare with.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_sequences.npz`, which this script makes:

    python -m venv /tmp/tf && /tmp/tf/bin/pip install tensorflow-cpu tf_keras
    TF_USE_LEGACY_KERAS=1 /tmp/tf/bin/python tools/record_tensorflow_sequences.py

A key is `case/name`; `case/variable:NAME` is the value of a variable, `case/gradient:NAME` the gradient of
`sum(y * cotangent)` with respect to it, over all outputs `y`, which are numbered.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

tf: Any = import_module("tensorflow").compat.v1  # not installed where the types are checked
tf.disable_v2_behavior()
cells: Any = tf.nn.rnn_cell

FOUND: dict[str, np.ndarray] = {}
RNG = np.random.default_rng(20240301)


def record(case: str, function: Callable[..., Any], **inputs: np.ndarray) -> None:
    """Record a function of tensors that makes variables: inputs, variables, outputs, gradients."""
    with tf.Graph().as_default(), tf.Session() as session:
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        outputs = tf.nest.flatten(function(**tensors))
        variables = tf.global_variables()
        session.run(tf.global_variables_initializer())
        for variable in variables:
            value = RNG.normal(size=variable.shape.as_list(), scale=0.7)
            variable.load(value, session)
            FOUND[f"{case}/variable:{variable.op.name}"] = value
        cotangents = [RNG.normal(size=one.shape.as_list()) for one in outputs]
        wanted = {name: one for name, one in tensors.items() if one.dtype.is_floating}
        wanted |= {variable.op.name: variable for variable in variables}
        slopes = tf.gradients(outputs, list(wanted.values()), [tf.constant(one) for one in cotangents])
        values = session.run(outputs)
        gradients = session.run([tf.convert_to_tensor(one) for one in slopes])
    for name, array in inputs.items():
        FOUND[f"{case}/input:{name}"] = array
    for index, (value, cotangent) in enumerate(zip(values, cotangents, strict=True)):
        FOUND[f"{case}/output:{index}"] = value
        FOUND[f"{case}/cotangent:{index}"] = cotangent
    for name, gradient in zip(wanted, gradients, strict=True):
        FOUND[f"{case}/gradient:{name}"] = gradient


def recurrent() -> None:
    """Cells along sequences of several lengths."""
    lengths = np.array([4, 0, 2], np.int32)
    makers: dict[str, Callable[[], Any]] = {
        "basic_rnn": lambda: cells.BasicRNNCell(3),
        "basic_rnn_relu": lambda: cells.BasicRNNCell(3, activation=tf.nn.relu),
        "basic_rnn_sigmoid": lambda: cells.BasicRNNCell(3, activation=tf.nn.sigmoid),
        "gru": lambda: cells.GRUCell(3),
        "gru_softsign": lambda: cells.GRUCell(3, activation=tf.nn.softsign),
        "basic_lstm": lambda: cells.BasicLSTMCell(3),
        "basic_lstm_joined": lambda: cells.BasicLSTMCell(3, forget_bias=0.3, state_is_tuple=False),
        "basic_lstm_relu": lambda: cells.BasicLSTMCell(3, activation=tf.nn.relu),
        "lstm": lambda: cells.LSTMCell(3, forget_bias=0.5),
        "lstm_peepholes": lambda: cells.LSTMCell(3, use_peepholes=True),
        "lstm_everything": lambda: cells.LSTMCell(
            4, use_peepholes=True, cell_clip=0.4, num_proj=3, proj_clip=0.3, forget_bias=0.2
        ),
        "stacked": lambda: cells.MultiRNNCell([cells.GRUCell(3), cells.BasicLSTMCell(2)]),
        "stacked_joined": lambda: cells.MultiRNNCell(
            [cells.GRUCell(3), cells.BasicLSTMCell(2, state_is_tuple=False)], state_is_tuple=False
        ),
        "residual": lambda: cells.ResidualWrapper(cells.GRUCell(2)),
    }
    for name, make in makers.items():
        x = RNG.normal(size=(3, 4, 2))

        def plain(x: Any, make: Callable[[], Any] = make) -> Any:
            return tf.nn.dynamic_rnn(make(), x, dtype=tf.float64)

        def ragged(x: Any, lengths: Any, make: Callable[[], Any] = make) -> Any:
            return tf.nn.dynamic_rnn(make(), x, lengths, dtype=tf.float64)

        record(f"dynamic_rnn/{name}", plain, x=x)
        record(f"dynamic_rnn_lengths/{name}", ragged, x=x, lengths=lengths)
    both = lambda: (cells.GRUCell(3), cells.BasicLSTMCell(2))  # noqa: E731
    record(
        "bidirectional_dynamic_rnn",
        lambda x, lengths: tf.nn.bidirectional_dynamic_rnn(*both(), x, lengths, dtype=tf.float64),
        x=RNG.normal(size=(3, 4, 2)),
        lengths=lengths,
    )
    record(
        "bidirectional_dynamic_rnn_whole",
        lambda x: tf.nn.bidirectional_dynamic_rnn(*both(), x, dtype=tf.float64, time_major=True),
        x=RNG.normal(size=(4, 3, 2)),
    )
    record(
        "static_rnn",
        lambda x, lengths: tf.nn.static_rnn(cells.GRUCell(3), tf.unstack(x, axis=1), None, tf.float64, lengths),
        x=RNG.normal(size=(3, 4, 2)),
        lengths=lengths,
    )
    record(
        "static_bidirectional_rnn",
        lambda x, lengths: tf.nn.static_bidirectional_rnn(
            *both(), tf.unstack(x, axis=1), dtype=tf.float64, sequence_length=lengths
        ),
        x=RNG.normal(size=(3, 4, 2)),
        lengths=lengths,
    )


def main() -> None:
    """Record everything."""
    recurrent()
    path = Path(__file__).parents[1] / "tests" / "data" / "tensorflow_sequences.npz"
    np.savez_compressed(path, **FOUND)
    print(f"{len(FOUND)} arrays, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
