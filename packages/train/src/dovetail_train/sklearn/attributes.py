"""Fitted attributes as JSON-able data and arrays, and back: numbers, strings, lists and arrays of them, no objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dovetail.errors import DTypeError, FormatError
from dovetail.extend import Array

__all__ = ["attributes_from_data", "attributes_to_data"]

_PLAIN = (str, bool, int, float, type(None))


def attributes_to_data(attributes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return attributes as JSON-able data and arrays of numbers.

    Raises:
        DTypeError: one is, or holds, something else, as labels that are dates.
    """
    data: dict[str, Any] = {}
    arrays: dict[str, Array] = {}
    for name, value in attributes.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            arrays[name] = value
            continue
        items = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 else value
        if not all(isinstance(item, _PLAIN) for item in (items if isinstance(items, list) else [items])):
            raise DTypeError(
                f"{name} is {value!r}, which cannot be saved: labels and names must be strings, whole numbers, floats "
                "or truth values. Encode them first, as by sklearn.preprocessing.LabelEncoder."
            )
        kind = value.dtype.str if isinstance(value, np.ndarray) else None
        data[name] = {"value": items, "dtype": kind}
    return data, arrays


def attributes_from_data(data: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Return the attributes of which ``attributes_to_data`` told.

    Raises:
        FormatError: the data have another form.
    """
    found: dict[str, Any] = dict(arrays)
    for name, entry in data.items():
        try:
            value, kind = entry["value"], entry["dtype"]
            found[name] = value if kind is None else np.array(value, dtype=kind)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"the attribute {name!r} is described by {entry!r}. Save the estimator anew.") from error
    return found
