"""pandas' frames and series, which are known without importing pandas."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["is_frame", "is_series"]


def is_frame(value: Any) -> bool:
    """Whether it is a pandas frame."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_series(value: Any) -> bool:
    """Whether it is a pandas series."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Series)
