"""Record what TensorFlow computes for networks of sequences, in float64, for the tests to compare with.

TensorFlow is no dependency of the tests; they read `tests/data/tensorflow_sequences.npz` and
`tests/data/tensorflow_labels.npz`, which this script makes:

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

FOUND: dict[str, Any] = {}
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
        slopes = tf.gradients(
            outputs,
            list(wanted.values()),
            [tf.constant(one, y.dtype) for one, y in zip(cotangents, outputs, strict=True)],
        )
        values = session.run(outputs)
        reached = {name: one for name, one in zip(wanted, slopes, strict=True) if one is not None}
        gradients = session.run({name: tf.convert_to_tensor(one) for name, one in reached.items()})
    for name, array in inputs.items():
        FOUND[f"{case}/input:{name}"] = array
    for index, (value, cotangent) in enumerate(zip(values, cotangents, strict=True)):
        FOUND[f"{case}/output:{index}"] = value
        FOUND[f"{case}/cotangent:{index}"] = cotangent
    for name, gradient in gradients.items():
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

    def both() -> tuple[Any, Any]:
        return cells.GRUCell(3), cells.BasicLSTMCell(2)

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


def labels() -> None:
    """Losses over labels at unknown places and over many classes; decoders; rows of tables in parts."""
    logits, lengths = RNG.normal(size=(6, 4, 4)), np.array([6, 5, 2, 4], np.int32)
    wanted = np.array([[1, 1, 2], [0, 2, 0], [1, -1, -1], [2, 2, -1]], np.int32)
    counts = np.array([3, 3, 1, 2], np.int32)
    sparse = tf.SparseTensor
    places = np.argwhere(wanted >= 0)

    def ctc(logits: Any, lengths: Any, **options: bool) -> Any:
        target = sparse(places, wanted[wanted >= 0], [4, 3])
        return tf.nn.ctc_loss(target, tf.cast(logits, tf.float32), lengths, **options)

    for name, options in {
        "plain": {},
        "collapsed": {"preprocess_collapse_repeated": True},
        "unmerged": {"ctc_merge_repeated": False},
        "both": {"preprocess_collapse_repeated": True, "ctc_merge_repeated": False},
        "batch_major": {"time_major": False},
    }.items():
        array = logits.transpose(1, 0, 2) if "time_major" in options else logits

        def loss(logits: Any, lengths: Any, options: dict[str, bool] = options) -> Any:
            return ctc(logits, lengths, **options)

        record(f"ctc_loss/{name}", loss, logits=array, lengths=lengths)
    for blank in (0, 2, -1):
        shifted = np.where(wanted >= blank % 4, wanted + 1, wanted).astype(np.int32)

        def loss_v2(logits: Any, labels: Any, counts: Any, lengths: Any, blank: int = blank) -> Any:
            return tf.nn.ctc_loss_v2(labels, tf.cast(logits, tf.float32), counts, lengths, blank_index=blank)

        record(f"ctc_loss_v2/{blank}", loss_v2, logits=logits, labels=shifted, counts=counts, lengths=lengths)
    with tf.Graph().as_default(), tf.Session() as session:
        scores = RNG.normal(size=(7, 5, 3)).astype(np.float32) * 2.0
        steps = np.array([7, 4, 3, 2, 6], np.int32)
        FOUND.update({"decoders/scores": scores, "decoders/lengths": steps})
        for merged in (True, False):
            (best,), total = tf.nn.ctc_greedy_decoder(scores, steps, merge_repeated=merged)
            paths, chances = tf.nn.ctc_beam_search_decoder(scores, steps, 50, 3, merge_repeated=merged)
            found = session.run(
                [tf.sparse.to_dense(one, default_value=-1, validate_indices=False) for one in (best, *paths)]
                + [total, chances]
            )
            for label, value in zip(("greedy", "path0", "path1", "path2", "total", "chances"), found, strict=True):
                FOUND[f"decoders/{merged}/{label}"] = value
    ids = np.array([[3, 0, 5], [6, 6, 1]], np.int64)
    for strategy in ("mod", "div"):
        record(
            f"embedding_lookup/{strategy}",
            lambda a, b, c, strategy=strategy: tf.nn.embedding_lookup([a, b, c], ids, strategy),
            a=RNG.normal(size=(3, 2)),
            b=RNG.normal(size=(2, 2)),
            c=RNG.normal(size=(2, 2)),
        )
    record(
        "embedding_lookup/max_norm",
        lambda a: tf.nn.embedding_lookup(a, ids, max_norm=1.0),
        a=RNG.normal(size=(7, 2)),
    )
    for name in ("sampled_softmax_loss", "nce_loss"):
        for hits in (True, False):
            truths = np.array([[1, 4], [0, 2], [5, 5]], np.int64)
            sampled = np.array([2, 4, 6], np.int64)
            of_truths, of_sampled = RNG.uniform(0.1, 0.9, (3, 2)), RNG.uniform(0.1, 0.9, 3)

            def sampled_loss(
                weights: Any,
                biases: Any,
                inputs: Any,
                truths: Any,
                sampled: Any,
                of_truths: Any,
                of_sampled: Any,
                name: str = name,
                hits: bool = hits,
            ) -> Any:
                values = sampled, tf.cast(of_truths, tf.float32), tf.cast(of_sampled, tf.float32)
                options = {"num_true": 2, "sampled_values": values, "remove_accidental_hits": hits}
                table, shifts, x = (tf.cast(one, tf.float32) for one in (weights, biases, inputs))
                return getattr(tf.nn, name)(table, shifts, truths, x, 3, 7, **options)

            record(
                f"{name}/{hits}",
                sampled_loss,
                weights=RNG.normal(size=(7, 2)),
                biases=RNG.normal(size=7),
                inputs=RNG.normal(size=(3, 2)),
                truths=truths,
                sampled=sampled,
                of_truths=of_truths,
                of_sampled=of_sampled,
            )

    words, factors = np.array([3, 0, 5, 6, 1], np.int64), RNG.uniform(0.5, 2.0, 5)
    places = np.array([[0, 0], [0, 1], [2, 0], [2, 1], [2, 3]], np.int64)
    for combiner in ("sum", "mean", "sqrtn"):
        for weighted in (True, False):

            def combined(
                table: Any, factors: Any, places: Any = places, combiner: str = combiner, weighted: bool = weighted
            ) -> Any:
                weights = sparse(places, factors, [3, 4]) if weighted else None
                ids = sparse(places, words, [3, 4])
                return tf.ensure_shape(tf.nn.embedding_lookup_sparse(table, ids, weights, combiner=combiner), [3, 2])

            record(
                f"embedding_lookup_sparse/{combiner}/{weighted}",
                combined,
                table=RNG.normal(size=(7, 2)),
                factors=factors,
            )


def main() -> None:
    """Record everything."""
    for name, function in {"sequences": recurrent, "labels": labels}.items():
        FOUND.clear()
        function()
        path = Path(__file__).parents[1] / "tests" / "data" / f"tensorflow_{name}.npz"
        np.savez_compressed(path, **FOUND)
        print(f"{len(FOUND)} arrays, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
