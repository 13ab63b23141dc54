"""Summaries as one program for TensorFlow and Dovetail: each case makes a summary from arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

RNG = np.random.default_rng(5)
SPREAD = np.concatenate([RNG.normal(size=200) * 10.0 ** RNG.integers(-14, 6, 200), [0.0, 1.0, -1.0, 1e-12, 1e25]])


def scoped(tf: Any, x: Any) -> Any:
    with tf.name_scope("outer"):
        tf.summary.scalar("loss", x)
        return tf.summary.scalar("loss", x)


def in_a_family(tf: Any, x: Any) -> Any:
    with tf.name_scope("outer"):
        return tf.summary.scalar("loss", x, family="fam")


def merged(tf: Any, x: Any) -> Any:
    tf.summary.scalar("one", x)
    tf.summary.scalar("other", x, collections=["elsewhere"])
    with tf.name_scope("scope"):
        tf.summary.histogram("two", x)
    return tf.summary.merge_all()


def scope_merged(tf: Any, x: Any) -> Any:
    with tf.name_scope("a"):
        tf.summary.scalar("one", x)
    with tf.name_scope("b"):
        tf.summary.scalar("two", x)
    return tf.summary.merge_all(scope="b")


CASES: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "scalar": (lambda tf, x: tf.summary.scalar("loss", x), [np.float32(0.3)]),
    "scalar_int": (lambda tf, x: tf.summary.scalar("n", x), [np.int64(7)]),
    "scalar_name": (lambda tf, x: tf.summary.scalar("/my loss: 1", x), [np.float64(np.pi)]),
    "scoped": (scoped, [np.float32(1.0)]),
    "family": (in_a_family, [np.float32(1.0)]),
    "merged": (merged, [np.float32(2.0)]),
    "scope_merged": (scope_merged, [np.float32(2.0)]),
    "histogram": (lambda tf, x: tf.summary.histogram("w", x), [SPREAD]),
    "histogram_float": (lambda tf, x: tf.summary.histogram("w", x), [SPREAD.astype(np.float32).reshape(5, -1)]),
    "histogram_int": (lambda tf, x: tf.summary.histogram("w", x), [np.arange(-30, 50)]),
    "histogram_one": (lambda tf, x: tf.summary.histogram("w", x), [np.full(4, 3.0, np.float32)]),
    "histogram_empty": (lambda tf, x: tf.summary.histogram("w", x), [np.zeros(0, np.float32)]),
    "image_positive": (lambda tf, x: tf.summary.image("i", x), [RNG.random((5, 4, 3, 1)).astype(np.float32)]),
    "image_signed": (lambda tf, x: tf.summary.image("i", x, 2), [RNG.normal(size=(3, 4, 5, 3)).astype(np.float32)]),
    "image_bad": (
        lambda tf, x: tf.summary.image("i", x, max_outputs=1),
        [np.array([[[[0.5, 0.1, 0.2], [np.nan, 0.1, 0.2]], [[0.4, np.inf, 0.2], [0.3, 0.2, 0.1]]]], np.float32)],
    ),
    "image_bad_grey": (lambda tf, x: tf.summary.image("i", x, 1), [np.array([[[[np.nan], [-2.0]]]], np.float32)]),
    "image_black": (lambda tf, x: tf.summary.image("i", x, 1), [np.full((1, 2, 2, 4), 1e-7, np.float32)]),
    "image_bytes": (
        lambda tf, x: tf.summary.image("i", x, 1),
        [RNG.integers(0, 256, (1, 6, 5, 4)).astype(np.uint8)],
    ),
    "audio": (
        lambda tf, x: tf.summary.audio("s", x, 8000.0, max_outputs=2),
        [(RNG.normal(size=(3, 20)) * 0.6).astype(np.float32)],
    ),
    "audio_two": (
        lambda tf, x: tf.summary.audio("s", x, 44100, max_outputs=1),
        [(RNG.normal(size=(1, 20, 2)) * 0.6).astype(np.float32)],
    ),
    "text": (lambda tf, x: tf.summary.text("t", tf.as_string(x)), [np.array([1, 2])]),
    "tensor": (lambda tf, x: tf.summary.tensor_summary("t", x), [np.arange(6, dtype=np.float32).reshape(2, 3)]),
}
