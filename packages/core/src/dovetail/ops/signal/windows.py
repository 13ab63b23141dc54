"""Windows: weights of the samples of a frame, which fall off to its ends."""

from __future__ import annotations

import math
from typing import Any

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.casting import cast
from dovetail.ops.elementary import cos
from dovetail.ops.fills import ones, range
from dovetail.ops.sizes import as_dim
from dovetail.types.dims import floor_div
from dovetail.types.dtypes import DTypeLike, as_dtype, float32

__all__ = ["hamming_window", "hann_window"]


def hann_window(
    window_length: Any, periodic: bool = True, dtype: DTypeLike = float32, name: str | None = None
) -> Tensor:
    """Return a Hann window, ``0.5 - 0.5 * cos(2π j / n)``.

    Args:
        window_length: how many samples it has.
        periodic: whether ``n`` is the length, as for spectra, or one less, which makes it symmetric; as in TensorFlow,
            windows of odd length are symmetric in any case.
        dtype: a floating dtype.
        name: name of the scope.

    Raises:
        DTypeError: the dtype is not floating.
        InvalidArgumentError: the length is less than 1, or not known while the graph is built.

    Source: R. Blackman and J. Tukey, "The measurement of power spectra", 1958.

    Example:
        >>> dt.Session().run(dt.signal.hann_window(4)).round(4)
        array([0. , 0.5, 1. , 0.5], dtype=float32)
    """
    return _raised_cosine("hann_window", window_length, periodic, dtype, name, 0.5, 0.5)


def hamming_window(
    window_length: Any, periodic: bool = True, dtype: DTypeLike = float32, name: str | None = None
) -> Tensor:
    """Return a Hamming window, ``0.54 - 0.46 * cos(2π j / n)``; the arguments and errors are those of ``hann_window``.

    Example:
        >>> dt.Session().run(dt.signal.hamming_window(4)).round(4)
        array([0.08, 0.54, 1.  , 0.54], dtype=float32)
    """
    return _raised_cosine("hamming_window", window_length, periodic, dtype, name, 0.54, 0.46)


def _raised_cosine(
    label: str, window_length: Any, periodic: bool, dtype: DTypeLike, name: str | None, mean: float, swing: float
) -> Tensor:
    wanted, length = as_dtype(dtype), as_dim(window_length, f"{label}: window_length")
    if not wanted.is_floating:
        raise DTypeError(f"{label}: dtype is {wanted.name}; use a floating dtype.")
    if length is None or (isinstance(length, int) and length < 1):
        raise InvalidArgumentError(
            f"{label}: window_length is {window_length!r}; give a number of samples, at least 1."
        )
    with get_default_graph().name_scope(name or label):
        if length == 1:
            return ones([1], wanted)
        period = 2 * floor_div(length, 2) if periodic else length - 1
        angles = cast(range(length), wanted) * (2.0 * math.pi) / cast(period, wanted)
        result: Tensor = mean - swing * cos(angles)
        return result
