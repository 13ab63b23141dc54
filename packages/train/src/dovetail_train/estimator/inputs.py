"""``dt.estimator.inputs``: functions that give arrays and frames in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail_train.estimator.frames import columns_of, is_frame, values_of

__all__ = ["numpy_input_fn", "pandas_input_fn"]


def numpy_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int = 1000,
    num_threads: int = 1,
    *,
    seed: int | None = None,
) -> Callable[[], Any]:
    """Return an ``input_fn`` that gives arrays in batches, which may reach from one epoch into the next.

    Args:
        x: an array, or a dict of arrays, with a row for each example.
        y: labels, likewise; none by default.
        batch_size: how many rows a batch has; the last may have fewer.
        num_epochs: how often the rows are given; without end where ``None``.
        shuffle: whether they are given in another random order each time; must be said.
        queue_capacity: has no effect: all rows are mixed; here for TensorFlow 1 programs.
        num_threads: has no effect; here for TensorFlow 1 programs.
        seed: of the order; that of the estimator, or one drawn by chance, unless given.

    Raises:
        InvalidArgumentError: ``shuffle`` is not said, a number is not positive, or ``y`` has a key of ``x``.
        DataError: the arrays have not equally many rows.

    Example:
        >>> x, y = {"a": np.arange(5)}, np.arange(5) * 10
        >>> input_fn = dt.estimator.inputs.numpy_input_fn(x, y, batch_size=2, shuffle=False)
        >>> [(batch["a"].tolist(), labels.tolist()) for batch, labels in input_fn()]
        [([0, 1], [0, 10]), ([2, 3], [20, 30]), ([4], [40])]
    """
    return _input_fn("numpy_input_fn", _arrays(x, "x"), _arrays(y, "y"), batch_size, num_epochs, shuffle, seed)


def pandas_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int = 1000,
    num_threads: int = 1,
    target_column: str = "target",
    *,
    seed: int | None = None,
) -> Callable[[], Any]:
    """Return an ``input_fn`` that gives the columns of a pandas frame in batches, a dict of arrays.

    Args:
        x: a frame.
        y: labels, a series, or a frame for a dict of labels; none by default.
        batch_size: how many rows a batch has; the last may have fewer.
        num_epochs: how often the rows are given; without end where ``None``.
        shuffle: whether they are given in another random order each time; must be said.
        queue_capacity: has no effect: all rows are mixed; here for TensorFlow 1 programs.
        num_threads: has no effect; here for TensorFlow 1 programs.
        target_column: has no effect: labels stand beside the features; here for TensorFlow 1 programs.
        seed: of the order; that of the estimator, or one drawn by chance, unless given.

    Raises:
        DTypeError: ``x`` is no frame.
        InvalidArgumentError: ``shuffle`` is not said, a number is not positive, the indices of ``x`` and ``y`` differ,
            or a column holds other than numbers and text.
    """
    who = "pandas_input_fn"
    if not is_frame(x):
        raise DTypeError(f"{who}: x is a {type(x).__name__}; give a pandas.DataFrame, or use numpy_input_fn.")
    if y is not None and not np.array_equal(x.index, y.index):
        raise InvalidArgumentError(
            f"{who}: the index of x, of {len(x)} rows, is not that of y, of {len(y)}; rows must belong together. Use "
            "reset_index(drop=True) on both."
        )
    labels = None if y is None else columns_of(y, who) if is_frame(y) else values_of(y, "y", who)
    return _input_fn(who, columns_of(x, who), labels, batch_size, num_epochs, shuffle, seed)


def _input_fn(
    who: str, x: Any, y: Any, batch_size: int, num_epochs: int | None, shuffle: bool | None, seed: int | None
) -> Callable[[], Any]:
    if not isinstance(shuffle, bool):
        raise InvalidArgumentError(
            f"{who}: shuffle is {shuffle!r}; say True, as for training, or False, as for evaluation and prediction."
        )
    for name, number in (("batch_size", batch_size), ("num_epochs", num_epochs)):
        if number is not None and number < 1:
            raise InvalidArgumentError(f"{who}: {name} is {number}; it must be positive.")
    if isinstance(x, dict) and not x:
        raise InvalidArgumentError(f"{who}: x has no columns; give one feature at least.")
    rows = dt.data.from_arrays((x,) if y is None else (x, y))

    def input_fn() -> Any:
        data = rows.shuffle(seed=seed) if shuffle else rows
        return data.repeat(num_epochs).batch(batch_size)

    return input_fn


def _arrays(value: Any, what: str) -> Any:
    if value is None and what == "y":
        return None
    if isinstance(value, Mapping):
        return {name: np.asarray(one) for name, one in value.items()}
    if is_frame(value):
        raise DTypeError(f"numpy_input_fn: {what} is a frame; use pandas_input_fn.")
    if value is None:
        raise DTypeError(f"numpy_input_fn: {what} is None; give an array, or a dict of arrays.")
    return np.asarray(value)
