"""Cutting signals into frames that overlap, and adding such frames up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.operation import Tensor
from dovetail.ops.composites import composite
from dovetail.ops.fills import range
from dovetail.ops.gather import gather
from dovetail.ops.padding import pad
from dovetail.ops.reductions import reduce_sum
from dovetail.ops.reshaping import reshape, transpose
from dovetail.ops.sizes import as_axis, as_dim
from dovetail.types.dims import Dim, ceil_div, dim_max, floor_div
from dovetail.types.shapes import normalize_axis

__all__ = ["frame", "overlap_and_add", "positive_dim"]


def positive_dim(value: Any, what: str) -> Dim:
    """Return a scalar argument as a dimension that is at least 1.

    Raises:
        InvalidArgumentError: it is less, or not known while the graph is built.
        DTypeError: it is no integer.
    """
    found = as_dim(value, what)
    if found is None:
        raise InvalidArgumentError(f"{what} is {value!r}, which is not known while the graph is built.")
    if isinstance(found, int) and found < 1:
        raise InvalidArgumentError(f"{what} is {found}; it must be at least 1.")
    return found


def _frame_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(2, 9)), {"length": 4, "step": 2}
    yield rng.normal(size=(2, 9)), {"length": 2, "step": 3}
    yield rng.normal(size=(7, 2)), {"length": 3, "step": 2, "axis": 0}
    yield rng.normal(size=(3,)), {"length": 4, "step": 2}


@composite(name="Frame", samples=_frame_samples)
def _frame(x: Tensor, *, length: Dim, step: Dim, axis: int = -1) -> Tensor:
    """Gather the samples of each frame."""
    at = normalize_axis(axis, len(x.shape.dims), "frame")
    count = dim_max(floor_div(x.shape.dims[at] - length, step) + 1, 0)
    return gather(x, (range(count) * step)[:, None] + range(length), axis=at)


def frame(
    signal: Any,
    frame_length: Any,
    frame_step: Any,
    pad_end: bool = False,
    pad_value: Any = 0,
    axis: int = -1,
    name: str | None = None,
) -> Tensor:
    """Return frames of signals: ``frame_length`` samples each, which begin ``frame_step`` samples apart.

    Args:
        signal: a tensor with ``samples`` along ``axis``.
        frame_length: how many samples a frame has.
        frame_step: how many samples after the one before a frame begins.
        pad_end: whether values are put after the signal, so that every sample begins or is in a frame; otherwise
            samples at the end that do not fill a frame are left out.
        pad_value: what is put there.
        axis: along which to cut.
        name: name of the node.

    Returns:
        A tensor with two axes, ``[frames, frame_length]``, in place of one.

    Raises:
        InvalidArgumentError: a length is less than 1, or not known while the graph is built.
        ShapeError: the axis is out of range.

    Example:
        >>> dt.Session().run(dt.signal.frame([1, 2, 3, 4, 5], 3, 2))
        array([[1, 2, 3],
               [3, 4, 5]], dtype=int32)
    """
    x, at = as_tensor(signal), as_axis(axis, "frame: axis")
    length = positive_dim(frame_length, "frame: frame_length")
    step = positive_dim(frame_step, "frame: frame_step")
    if pad_end:
        if x.shape.rank is None:
            raise ShapeError(f'frame: the rank of "{x.name}" is unknown, so it is not padded; use set_shape.')
        at = normalize_axis(at, x.shape.rank, "frame")
        samples = x.shape.dims[at]
        missing = dim_max(length + step * (ceil_div(samples, step) - 1) - samples, 0)
        borders = [(0, missing if one == at else 0) for one in np.arange(x.shape.rank)]
        x = pad(x, borders, constant_values=pad_value)
    result: Tensor = _frame(x, length=length, step=step, axis=at, name=name or "frame")
    return result


def _overlap_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(2, 3, 5)), {"step": 2}
    yield rng.normal(size=(3, 2)), {"step": 2}
    yield rng.normal(size=(3, 2)), {"step": 3}


@composite(name="OverlapAndAdd", samples=_overlap_samples)
def _overlap_and_add(x: Tensor, *, step: Dim) -> Tensor:
    """Cut frames into pieces of a step; the pieces of one number are a signal, moved on by that many steps."""
    if len(x.shape.dims) < 2:
        raise ShapeError(f"overlap_and_add: the input is {x.type}; two axes, frames and their samples, are needed.")
    *outer, frames, length = x.shape.dims
    pieces = ceil_div(length, step)
    rank = len(outer)
    before = [(0, 0)] * rank
    # [frames + pieces, pieces, step]: after the pieces come first, leaving out the last row of zeros for each moves
    # the next by one place.
    cut = reshape(pad(x, [*before, (0, pieces), (0, pieces * step - length)]), (*outer, frames + pieces, pieces, step))
    rows = transpose(cut, [*np.arange(rank).tolist(), rank + 1, rank, rank + 2])
    flat = reshape(rows, (*outer, (frames + pieces) * pieces, step))[..., : (frames + pieces - 1) * pieces, :]
    total = reduce_sum(reshape(flat, (*outer, pieces, frames + pieces - 1, step)), -3)
    result: Tensor = reshape(total, (*outer, (frames + pieces - 1) * step))[
        ..., : dim_max(length + step * (frames - 1), 0)
    ]
    return result


def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """Return signals from frames, each ``frame_step`` samples after the one before; where frames overlap, they add up.

    Args:
        signal: numbers of shape ``[..., frames, frame_length]``.
        frame_step: how many samples after the one before a frame begins.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., (frames - 1) * frame_step + frame_length]``.

    Raises:
        InvalidArgumentError: the step is less than 1, or not known while the graph is built.
        ShapeError: there are fewer than two axes.

    Example:
        >>> dt.Session().run(dt.signal.overlap_and_add([[1, 1, 1], [1, 1, 1]], 2))
        array([1, 1, 2, 1, 1], dtype=int32)
    """
    step = positive_dim(frame_step, "overlap_and_add: frame_step")
    result: Tensor = _overlap_and_add(as_tensor(signal), step=step, name=name or "overlap_and_add")
    return result
