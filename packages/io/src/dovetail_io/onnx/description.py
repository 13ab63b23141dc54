"""What a model says of itself: class labels, preprocessing, and whatever else it is given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail_io.onnx.options import Options

__all__ = ["CLASS_LABELS", "PREPROCESSING", "description"]

CLASS_LABELS: Final = "class_labels"
PREPROCESSING: Final = "preprocessing"


def description(options: Options, given: Mapping[dt.Tensor, str]) -> dict[str, str]:
    """Return the metadata as texts; what is no text is JSON.

    Args:
        options: what was asked for.
        given: the outputs, with their names in the model.

    Raises:
        InvalidArgumentError: the labels fit no output, or a key is given twice.
        DTypeError: a key is no text, or JSON does not hold a value.
    """
    entries: dict[Any, Any] = dict(options.metadata or {})
    extra = {CLASS_LABELS: _labels(options.class_labels, given), PREPROCESSING: options.preprocessing}
    for key, value in extra.items():
        if value is None:
            continue
        if key in entries:
            raise InvalidArgumentError(f"export_onnx: {key!r} is an argument and in metadata; leave it out of one.")
        entries[key] = value
    return {_key(key): value if isinstance(value, str) else _as_json(key, value) for key, value in entries.items()}


def _labels(labels: Any, given: Mapping[dt.Tensor, str]) -> list[str] | None:
    if labels is None:
        return None
    names = [str(one) for one in ([labels] if isinstance(labels, str) else labels)]
    sizes = [tensor.shape.dims[-1] for tensor in given if tensor.shape.rank]
    if len(names) not in sizes:
        listed = ", ".join(f"{label} {tensor.type}" for tensor, label in given.items())
        raise InvalidArgumentError(
            f"export_onnx: there are {len(names)} class_labels, and no output's last axis has that size: {listed}. "
            f"Give one label for each class."
        )
    return names


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise DTypeError(f"export_onnx: metadata has the key {key!r}; keys are strings.")
    return key


def _as_json(key: str, value: Any) -> str:
    def plain(one: Any) -> Any:
        if isinstance(one, np.ndarray | np.generic):
            return one.tolist()
        raise TypeError(f"{one!r} is a {type(one).__name__}")

    try:
        return json.dumps(value, default=plain, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise DTypeError(
            f"export_onnx: metadata {key!r} cannot be kept: {error}; give texts, numbers, lists and dicts of them."
        ) from error
