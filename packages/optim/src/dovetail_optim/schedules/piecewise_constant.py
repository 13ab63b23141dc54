"""A rate that is constant between boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import InvalidArgumentError

__all__ = ["piecewise_constant"]


def piecewise_constant(x: Any, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = None) -> Tensor:
    """Return ``values[i]`` for the first ``i`` with ``x <= boundaries[i]``, and the last value above all boundaries.

    Args:
        x: a scalar, such as the global step.
        boundaries: rising numbers, of the type of ``x``.
        values: one more than there are boundaries.
        name: scope of the nodes.

    Raises:
        InvalidArgumentError: the numbers of boundaries and values do not fit, or boundaries do not rise.

    Example:
        >>> step = dt.train.get_or_create_global_step()
        >>> rate = dt.train.piecewise_constant(step, [1000, 2000], [0.1, 0.01, 0.001])
    """
    if len(values) != len(boundaries) + 1:
        raise InvalidArgumentError(
            f"piecewise_constant: {len(boundaries)} boundaries need {len(boundaries) + 1} values; {len(values)} were "
            "given."
        )
    plain = [one for one in boundaries if isinstance(one, (int, float))]
    if any(low >= high for low, high in pairwise(plain)):
        raise InvalidArgumentError(f"piecewise_constant: the boundaries {list(boundaries)} must rise.")
    with dt.name_scope(name or "PiecewiseConstant"):
        position = dt.convert_to_tensor(x)
        kinds = [dt.convert_to_tensor(value) for value in values]
        result = kinds[-1]
        for boundary, value in zip(reversed(boundaries), reversed(kinds[:-1]), strict=True):
            result = dt.where(position <= dt.cast(boundary, position.dtype), value, result)
        return result
