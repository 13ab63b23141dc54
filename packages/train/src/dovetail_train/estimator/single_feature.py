"""The one feature that networks of images and sequences take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail_train.feature_column.columns import Features

__all__ = ["as_numbers", "one_feature"]


def one_feature(features: Any, key: str | None, who: str) -> Tensor:
    """Return the feature that a network takes alone: the one of that name, or the only one.

    Raises:
        NotFoundError: there is none of that name.
        InvalidArgumentError: there are several, and no name is given.
    """
    if not isinstance(features, Mapping):
        found: Tensor = dt.convert_to_tensor(features)
        return found
    if key is None and len(features) != 1:
        raise InvalidArgumentError(
            f"{who}: there are {len(features)} features, {', '.join(map(repr, features))}; name one as feature_key."
        )
    return Features(features).raw(key if key is not None else next(iter(features)), who)


def as_numbers(x: Tensor, who: str) -> Tensor:
    """Return a feature as float32; unsigned bytes, as of images, are scaled to lie between 0 and 1.

    Raises:
        DTypeError: it is text.
    """
    if x.dtype.is_string:
        raise DTypeError(f"{who}: the feature is text; give numbers.")
    found: Tensor = dt.cast(x, dt.float32)
    return found / 255.0 if x.dtype is dt.uint8 else found
