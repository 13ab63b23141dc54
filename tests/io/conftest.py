"""A small model with every kind of dtype, and checkpoints of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import dovetail as dt

Build = Callable[[], dict[str, dt.Variable]]


@pytest.fixture
def build() -> Build:
    """A function that makes the model in the default graph, and gives its variables by name."""

    def build() -> dict[str, dt.Variable]:
        values = {
            "dense/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
            "dense/bias": np.zeros(3, np.float32),
            "flag": np.array(True),
            "flags": np.array([True, False, True]),
            "half": np.array([1.5, -2.0], np.float16),
            "double": np.array(0.1),
            "empty": np.zeros((0, 3)),
            "words": np.array([b"a", b"", b"caf\xc3\xa9\x00"], object),
            "word": np.array(b"alone", object),
            "phasors": np.array([1 + 2j, -0.5j], np.complex64),
            "spectrum": np.array([[1 + 2j], [0.1j]]),
            "count": np.array(2**62 + 1, np.int64),
            **{name: np.array([1, 2, 127], name) for name in ("int8", "int16", "int32", "uint8", "uint16", "uint32")},
            "uint64": np.array([2**64 - 1], np.uint64),
        }
        variables = {name: dt.Variable(value, name=name, trainable=False) for name, value in values.items()}
        brain = dt.cast(dt.constant([1.0, 3.140625]), dt.bfloat16)
        variables["brain"] = dt.Variable(brain, name="brain", trainable=False)
        x = dt.placeholder(dt.float32, [None, 2], name="x")
        table = dt.constant(np.linspace(0.0, 1.0, 900, dtype=np.float32).reshape(3, 300), name="table")
        noise = dt.random_normal([3], name="noise")
        y = dt.matmul(x, variables["dense/kernel"]) + variables["dense/bias"] + noise
        dt.matmul(y, table, name="y")
        return variables

    return build


@pytest.fixture
def model(build: Build) -> dict[str, dt.Variable]:
    """The model's variables, in the default graph."""
    return build()


@pytest.fixture
def session(model: dict[str, dt.Variable]) -> dt.Session:
    """A session with the model, initialized."""
    session = dt.Session()
    session.run(dt.global_variables_initializer())
    return session


@pytest.fixture
def saved(session: dt.Session, tmp_path: Path) -> Path:
    """A checkpoint of the model."""
    return Path(dt.train.Saver().save(session, tmp_path / "model", global_step=3))
