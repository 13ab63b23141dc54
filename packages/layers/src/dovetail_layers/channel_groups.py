"""Normalisation by the moments of groups of channels, or of each channel, within one example."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor
from dovetail.errors import ShapeError
from dovetail.extend import composite
from dovetail_layers.normalization import layer_normalization, of_dtype

__all__ = ["group_normalization", "instance_normalization"]


def _group_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Vectors, and images with channels last and first."""
    for shape, axis, groups in (((3, 8), 1, 2), ((2, 2, 3, 4), 3, 2), ((2, 6, 2, 2), 1, 3)):
        channels = [rng.uniform(0.5, 2.0, shape[axis]), rng.normal(size=shape[axis])]
        yield rng.normal(size=shape), *channels, {"groups": groups, "axis": axis, "epsilon": 1e-3}


def _along_channels(part: Tensor, x: Tensor, axis: int) -> Tensor:
    result: Tensor = dt.reshape(part, [-1, *[1] * (len(x.shape) - 1 - axis)])
    return result


def _positions(x: Tensor, axis: int) -> list[int]:
    return [one for one in range(1, len(x.shape)) if one != axis]


def _over_groups(means: Tensor, groups: int, axis: int) -> Tensor:
    """Return for each channel the mean over its group, from means over positions."""
    shape = [dt.shape(means)[0], groups, means.shape[axis] // groups]
    result: Tensor = dt.reduce_mean(dt.reshape(means, shape), 2, keepdims=True)
    return dt.reshape(dt.broadcast_to(result, shape), dt.shape(means))


def _normal_groups(x: Tensor, groups: int, axis: int, epsilon: float) -> tuple[Tensor, Tensor]:
    """Return the distances from the mean and the inverse of the deviation, which has size 1 along the positions.

    Groups are formed of what is left of the channels, so that no loop over all elements has one in it.
    """
    positions = _positions(x, axis)
    centred = x - _over_groups(dt.reduce_mean(x, positions, keepdims=True), groups, axis)
    variance = _over_groups(dt.reduce_mean(dt.square(centred), positions, keepdims=True), groups, axis)
    return centred, dt.rsqrt(variance + epsilon)


def _group_gradient(op: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Any) -> Sequence[Tensor]:
    """As of batch normalisation: two means give all that comes through the moments."""
    x, axis, grad = inputs[0], op.axis, grads[0]
    scale, positions = _along_channels(inputs[1], x, axis), _positions(x, axis)
    centred, root = _normal_groups(x, op.groups, axis, op.epsilon)
    normal = centred * root
    through_mean = _over_groups(dt.reduce_mean(grad, positions, keepdims=True) * scale, op.groups, axis)
    through_root = _over_groups(dt.reduce_mean(grad * normal, positions, keepdims=True) * scale, op.groups, axis)
    return [
        root * (grad * scale - through_mean - normal * through_root),
        dt.reduce_sum(grad * normal, [0, *positions]),
        dt.reduce_sum(grad, [0, *positions]),
    ]


@composite(name="GroupNormalization", samples=_group_samples, gradient=_group_gradient)
def _group_normalization(x: Tensor, scale: Tensor, offset: Tensor, *, groups: int, axis: int, epsilon: float) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``, the moments those of groups along ``axis``."""
    centred, root = _normal_groups(x, groups, axis, epsilon)
    return centred * (root * _along_channels(scale, x, axis)) + _along_channels(offset, x, axis)


def group_normalization(
    x: Any,
    groups: int,
    scale: Any = None,
    offset: Any = None,
    axis: int = -1,
    epsilon: float = 1e-3,
    name: str | None = None,
) -> Tensor:
    """Return ``(x - mean) / sqrt(variance + epsilon) * scale + offset``, the moments those of a group of channels.

    They are taken within one example, over all positions (Wu and He, 2018).

    Args:
        x: a floating tensor whose first axis is that of the batch.
        groups: the number of groups, which divides that of the channels.
        scale: what is multiplied, a number for each channel, or ``None``.
        offset: what is added, a number for each channel, or ``None``.
        axis: the axis of the channels.
        epsilon: keeps the root from zero.
        name: name of the node.

    Returns:
        A tensor of the type of ``x``.

    Raises:
        ShapeError: the axis is that of the batch or not there, or its size is not known or no multiple of ``groups``.
        DTypeError: the dtypes differ or are not floating.

    Example:
        >>> dt.Session().run(dt.nn.group_normalization([[1.0, 3.0, 5.0, 5.0]], 2, epsilon=0.01)).round(2)
        array([[-1.,  1.,  0.,  0.]], dtype=float32)
    """
    tensor = dt.convert_to_tensor(x)
    place, channels = _channels("group_normalization", tensor, axis)
    if not isinstance(channels, int) or groups < 1 or channels % groups:
        raise ShapeError(
            f"group_normalization: the input is {tensor.type}, whose axis {axis} has the size {channels}; {groups} "
            f"groups want a size that is known and a multiple of theirs. {tensor.op.where()}"
        )
    scale, offset = (
        dt.fill([channels], dt.constant(default, tensor.dtype)) if part is None else of_dtype(part, tensor.dtype)
        for part, default in ((scale, 1.0), (offset, 0.0))
    )
    result: Tensor = _group_normalization(
        tensor, scale, offset, groups=int(groups), axis=place, epsilon=float(epsilon), name=name
    )
    return result


def instance_normalization(
    x: Any,
    scale: Any = None,
    offset: Any = None,
    axis: int = -1,
    epsilon: float = 1e-3,
    name: str | None = None,
) -> Tensor:
    """Return ``(x - mean) / sqrt(variance + epsilon) * scale + offset``, the moments those of a channel of one example.

    (Ulyanov, Vedaldi and Lempitsky, 2016.)

    Args:
        x: a floating tensor whose first axis is that of the batch, of rank 3 or more.
        scale: what is multiplied, a number for each channel, or ``None``.
        offset: what is added, a number for each channel, or ``None``.
        axis: the axis of the channels.
        epsilon: keeps the root from zero.
        name: name of the node.

    Returns:
        A tensor of the type of ``x``.

    Raises:
        ShapeError: the rank is less than 3, or the axis is that of the batch or not there.
        DTypeError: the dtypes differ or are not floating.

    Example:
        >>> dt.Session().run(dt.nn.instance_normalization([[[1.0, 2.0], [3.0, 2.0]]], epsilon=0.01)).round(2)
        array([[[-1.,  0.],
                [ 1.,  0.]]], dtype=float32)
    """
    tensor = dt.convert_to_tensor(x)
    place, _ = _channels("instance_normalization", tensor, axis)
    rank = len(tensor.shape)
    if rank < 3:
        raise ShapeError(
            f"instance_normalization: the input is {tensor.type}; rank 3 or more is wanted, as moments are taken over "
            f"positions. {tensor.op.where()}"
        )
    shape = [-1, *[1] * (rank - 1 - place)]
    factor, summand = (
        None if part is None else dt.reshape(of_dtype(part, tensor.dtype), shape) for part in (scale, offset)
    )
    positions = [one for one in range(1, rank) if one != place]
    return layer_normalization(tensor, factor, summand, positions, epsilon, name)


def _channels(operation: str, x: Tensor, axis: int) -> tuple[int, Any]:
    """Return the axis of the channels, counted from the first, and its size."""
    rank = x.shape.rank
    if rank is None or not -rank <= axis < rank or axis % rank == 0:
        raise ShapeError(
            f"{operation}: the input is {x.type}, axis {axis}; a known rank is wanted, and an axis of it that is not "
            f"that of the batch. {x.op.where()}"
        )
    return axis % rank, x.shape[axis]
