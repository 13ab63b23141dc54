"""Programs of ``raw_rnn``, as TensorFlow 1's tutorials have them, for recording and for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def along(tf: Any, cell: Any, x: Any, lengths: Any) -> Any:
    """Walk along given inputs up to each sequence's length, as ``dynamic_rnn`` does."""
    array = tf.TensorArray(dtype=tf.float64, size=6).unstack(x)

    def loop_fn(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        following = cell.zero_state(3, tf.float64) if output is None else state
        finished = time >= lengths
        inputs = tf.cond(tf.reduce_all(finished), lambda: tf.zeros([3, 4], dtype=tf.float64), lambda: array.read(time))
        return finished, inputs, following, output, None

    emitted, state, _ = tf.nn.raw_rnn(cell, loop_fn)
    return emitted.stack(), state


def decoding(tf: Any, cell: Any, x: Any, lengths: Any) -> Any:
    """Feed outputs back, emit parts of them, count in a loop state."""
    first = x[0]

    def loop_fn(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        if output is None:
            pattern = (tf.zeros([2], dtype=tf.float64), tf.zeros([], dtype=tf.int32))
            return lengths <= 0, first, cell.zero_state(3, tf.float64), pattern, tf.constant(0, tf.int32)
        inputs = tf.concat([output[:, :3], output[:, 2:3] * 0.5], 1)
        emit = (output[:, :2] * 2.0, tf.cast(tf.argmax(output, 1), tf.int32))
        return time >= lengths, inputs, state, emit, loop_state + time

    (numbers, classes), state, total = tf.nn.raw_rnn(cell, loop_fn)
    return numbers.stack(), state, classes.stack(), total


PROGRAMS: dict[str, Callable[..., Any]] = {"along": along, "decoding": decoding}
