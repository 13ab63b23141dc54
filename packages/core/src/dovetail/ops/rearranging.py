"""Moving blocks and sequences about: ``space_to_depth``, ``depth_to_space``, ``reverse_sequence``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.operation import Tensor
from dovetail.ops.composites import composite
from dovetail.ops.fills import range
from dovetail.ops.gather import gather
from dovetail.ops.reshaping import expand_dims, reshape, transpose
from dovetail.ops.sizes import as_axis
from dovetail.types.dims import floor_div
from dovetail.types.shapes import demand, normalize_axis

__all__ = ["depth_to_space", "reverse_sequence", "space_to_depth"]


def _images(operation: str, x: Tensor) -> None:
    if len(x.shape) != 4:
        raise ShapeError(
            f"{operation}: the input is {x.type}; images of shape [batch, height, width, channels] are needed."
        )


def _space_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(2, 4, 6, 3)), {"block_size": 2}
    yield np.arange(9, dtype=np.int32).reshape(1, 3, 3, 1), {"block_size": 3}


@composite(name="SpaceToDepth", samples=_space_samples)
def _space_to_depth(x: Tensor, *, block_size: int) -> Tensor:
    """Blocks of an image as channels."""
    _images("space_to_depth", x)
    batch, height, width, channels = x.shape.dims
    for axis in (1, 2):
        demand(
            "divisible",
            x.shape[axis],
            block_size,
            (f"space_to_depth: axis {axis} of {x.type} is no multiple of the block size {block_size}. Pad or crop."),
        )
    rows, columns = floor_div(height, block_size), floor_div(width, block_size)
    blocks = transpose(reshape(x, (batch, rows, block_size, columns, block_size, channels)), (0, 1, 3, 2, 4, 5))
    return reshape(blocks, (batch, rows, columns, block_size * block_size * channels))


def _depth_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(2, 2, 3, 8)), {"block_size": 2}
    yield np.arange(9, dtype=np.int32).reshape(1, 1, 1, 9), {"block_size": 3}


@composite(name="DepthToSpace", samples=_depth_samples)
def _depth_to_space(x: Tensor, *, block_size: int) -> Tensor:
    """Channels of an image as blocks."""
    _images("depth_to_space", x)
    batch, rows, columns, channels = x.shape.dims
    square = block_size * block_size
    demand(
        "divisible",
        channels,
        square,
        (
            f"depth_to_space: the channels of {x.type} are no multiple of {square}, the square of the block size. "
            "Use another block size."
        ),
    )
    depth = floor_div(channels, square)
    blocks = transpose(reshape(x, (batch, rows, columns, block_size, block_size, depth)), (0, 1, 3, 2, 4, 5))
    return reshape(blocks, (batch, rows * block_size, columns * block_size, depth))


def _moved_layout(
    operation: str, function: Any, input: Any, block_size: Any, name: str | None, data_format: str
) -> Tensor:
    if not isinstance(block_size, int) or block_size < 1:
        raise InvalidArgumentError(f"{operation}: block_size is {block_size!r}; use an int of at least 1.")
    result: Tensor
    if data_format == "NHWC":
        result = function(input, block_size=block_size, name=name)
        return result
    if data_format != "NCHW":
        raise InvalidArgumentError(f"{operation}: data_format is {data_format!r}; use 'NHWC' or 'NCHW'.")
    return transpose(function(transpose(input, (0, 2, 3, 1)), block_size=block_size), (0, 3, 1, 2), name=name)


def space_to_depth(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:
    """Return images with each block of pixels as the channels of one.

    Args:
        input: images of shape ``[batch, height, width, channels]``.
        block_size: height and width of a block.
        name: name of the node.
        data_format: ``"NHWC"``, or ``"NCHW"`` for channels first.

    Returns:
        A tensor of shape ``[batch, height / b, width / b, b * b * channels]``.

    Raises:
        ShapeError: the input holds no images, or the blocks do not fill them.

    Example:
        >>> dt.space_to_depth(dt.zeros([1, 4, 6, 3]), 2).shape
        Shape([1, 2, 3, 12])
    """
    return _moved_layout("space_to_depth", _space_to_depth, input, block_size, name, data_format)


def depth_to_space(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:
    """Return images with the channels of each pixel as a block of pixels; undoes ``space_to_depth``.

    Args:
        input: images of shape ``[batch, height, width, channels]``.
        block_size: height and width of a block.
        name: name of the node.
        data_format: ``"NHWC"``, or ``"NCHW"`` for channels first.

    Returns:
        A tensor of shape ``[batch, height * b, width * b, channels / (b * b)]``.

    Raises:
        ShapeError: the input holds no images, or its channels do not fill blocks.

    Example:
        >>> dt.depth_to_space(dt.zeros([1, 2, 3, 12]), 2).shape
        Shape([1, 4, 6, 3])
    """
    return _moved_layout("depth_to_space", _depth_to_space, input, block_size, name, data_format)


def _sequence_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(3, 4, 2)), np.array([2, 0, 4], np.int32), {"seq_axis": 1, "batch_axis": 0}
    yield rng.normal(size=(4, 2)), np.array([3, 1], np.int64), {"seq_axis": 0, "batch_axis": 1}
    yield rng.normal(size=(2, 2, 3)), np.array([3, 2], np.int32), {"seq_axis": -1, "batch_axis": 1}


@composite(name="ReverseSequence", samples=_sequence_samples)
def _reverse_sequence(x: Tensor, lengths: Tensor, *, seq_axis: int, batch_axis: int) -> Tensor:
    """The first ``lengths[b]`` elements along an axis in reverse order."""
    from dovetail.ops.math import less, subtract, where

    rank = len(x.shape)
    along, batch = (normalize_axis(axis, rank, "reverse_sequence") for axis in (seq_axis, batch_axis))
    if along == batch:
        raise ShapeError(f"reverse_sequence: seq_axis and batch_axis are both {along}; they must differ.")
    if not lengths.dtype.is_integer:
        raise DTypeError(f"reverse_sequence: the lengths are {lengths.type}; use integers.")
    message = (
        f"reverse_sequence: the lengths are {lengths.type}; one for each place of axis {batch} of {x.type} is needed."
    )
    if len(lengths.shape) != 1:
        raise ShapeError(message)
    demand("equal", lengths.shape[0], x.shape[batch], message)
    places, ends = expand_dims(range(x.shape[along], dtype=lengths.dtype), 0), expand_dims(lengths, 1)
    picks = where(less(places, ends), subtract(subtract(ends, 1), places), places)
    order = [batch, along, *(axis for axis in np.arange(rank).tolist() if axis not in (batch, along))]
    picked = gather(transpose(x, order), picks, axis=1, batch_dims=1)
    return transpose(picked, np.argsort(order).tolist())


def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: Any = None,
    batch_axis: Any = None,
    name: str | None = None,
    seq_dim: Any = None,
    batch_dim: Any = None,
) -> Tensor:
    """Return the tensor with the first elements of each sequence in reverse order.

    Args:
        input: the tensor.
        seq_lengths: how many elements of each sequence to reverse, of shape ``[input.shape[batch_axis]]``.
        seq_axis: the axis along which sequences run.
        batch_axis: the axis along which they are counted, 0 by default.
        name: name of the node.
        seq_dim: an older name of ``seq_axis``.
        batch_dim: an older name of ``batch_axis``.

    Raises:
        ShapeError: there is no such axis, or the number of lengths is another.
        InvalidArgumentError: no axis of sequences is given.
        OperationError: when run, a length is greater than the axis.

    Example:
        >>> dt.Session().run(dt.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], 1))
        array([[2, 1, 3],
               [6, 5, 4]], dtype=int32)
    """
    along = seq_dim if seq_axis is None else seq_axis
    batch = (0 if batch_dim is None else batch_dim) if batch_axis is None else batch_axis
    if along is None:
        raise InvalidArgumentError("reverse_sequence: give seq_axis, the axis along which the sequences run.")
    result: Tensor = _reverse_sequence(
        input,
        as_tensor(seq_lengths),
        seq_axis=as_axis(along, "reverse_sequence: seq_axis"),
        batch_axis=as_axis(batch, "reverse_sequence: batch_axis"),
        name=name,
    )
    return result
