"""What features are like, told fast: single predictions look up by it what was prepared for features like these."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dovetail.extend import Array

__all__ = ["KnownFeatures", "known_features"]


class KnownFeatures(NamedTuple):
    """Features, and what they are like.

    Attributes:
        kind: equal for features of equal names, dtypes and shapes but for the first axis.
        arrays: in the order of their names.
    """

    kind: Any
    arrays: list[Array]


def known_features(features: Any) -> KnownFeatures | None:
    """Look at an array, or a dict of arrays with equally many rows; ``None`` for anything else."""
    if type(features) is tuple and features:
        features = features[0]  # labels are left out
    if type(features) is np.ndarray:
        return KnownFeatures((features.dtype, features.ndim, features.shape[1:]), [features]) if features.ndim else None
    if type(features) is not dict or not features:
        return None
    names = sorted(features)
    arrays = [features[name] for name in names]
    kind: list[Any] = [*names]
    rows = None
    for array in arrays:
        if type(array) is not np.ndarray or not array.ndim or (rows is not None and len(array) != rows):
            return None
        rows = len(array)
        kind += [array.dtype, array.ndim, array.shape[1:]]
    return KnownFeatures(tuple(kind), arrays)
