"""Predictions: which are wanted, and the rows of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dovetail.errors import InvalidArgumentError, NotFoundError, ShapeError

__all__ = ["chosen_predictions", "rows"]


def chosen_predictions(predictions: Any, keys: Sequence[str] | None) -> Any:
    """Return those of the predictions that are wanted.

    Raises:
        InvalidArgumentError: the predictions are one tensor, and have no keys.
        NotFoundError: there is none of that name.
    """
    if keys is None:
        return predictions
    if not isinstance(predictions, Mapping):
        raise InvalidArgumentError(
            f"predict: predict_keys is {list(keys)}, but the model's predictions are one tensor; leave it out."
        )
    for key in keys:
        if key not in predictions:
            near = difflib.get_close_matches(key, predictions, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise NotFoundError(
                f"predict: the model makes no prediction {key!r}; it makes {', '.join(map(repr, predictions))}.{hint}"
            )
    return {key: predictions[key] for key in keys}


def rows(batches: Iterator[Any], single: bool) -> Iterator[Any]:
    """Return the rows of batches of predictions, or the batches."""
    return (row for batch in batches for row in _rows(batch)) if single else batches


def _rows(batch: Any) -> Iterator[Any]:
    """Return the rows of one batch.

    Raises:
        ShapeError: predictions have no rows, or not equally many.
    """
    if not isinstance(batch, dict):
        if not np.ndim(batch):
            raise ShapeError(
                f"predict: the prediction is a single value, {batch!r}, without a row for each example; use "
                "yield_single_examples=False."
            )
        return iter(batch)
    first: tuple[str, int] | None = None
    for key, array in batch.items():
        size = len(array) if np.ndim(array) else None
        if size is None or (first is not None and size != first[1]):
            other = "" if first is None else f", {first[0]!r} has {first[1]}"
            what = "is a single value" if size is None else f"has {size} rows"
            raise ShapeError(
                f"predict: the prediction {key!r} {what}{other}; each must have a row for each example. Leave it out "
                "by predict_keys, or use yield_single_examples=False."
            )
        first = first or (key, size)
    return ({key: array[row] for key, array in batch.items()} for row in range(first[1] if first else 0))
