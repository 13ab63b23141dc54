"""pandas' frames and series, which are known without importing pandas."""

from __future__ import annotations

import sys
from typing import Any

from dovetail.errors import InvalidArgumentError
from dovetail.extend import Array

__all__ = ["columns_of", "is_frame", "is_series", "values_of"]


def is_frame(value: Any) -> bool:
    """Whether it is a pandas frame."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_series(value: Any) -> bool:
    """Whether it is a pandas series."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Series)


def columns_of(frame: Any, who: str) -> dict[str, Array]:
    """Return the columns of a frame as arrays by name.

    Raises:
        InvalidArgumentError: one holds other than numbers and text.
    """
    return {str(name): values_of(frame[name], str(name), who) for name in frame.columns}


def values_of(series: Any, name: str, who: str) -> Array:
    """Return a column as an array of numbers or text.

    Raises:
        InvalidArgumentError: it holds something else, such as missing text.
    """
    array: Array = series.to_numpy()
    if array.dtype == object:
        for row, one in enumerate(array):
            if not isinstance(one, str | bytes):
                raise InvalidArgumentError(
                    f"{who}: the column {name!r} holds {one!r} in row {row}; give numbers or text, with fillna() for "
                    "what is missing."
                )
    return array
