"""Blocks of space as batches, and patches of images as channels: ``space_to_batch_nd`` and its relatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.operation import Tensor
from dovetail.ops.composites import composite
from dovetail.ops.fills import range
from dovetail.ops.gather import gather
from dovetail.ops.padding import Pad
from dovetail.ops.reshaping import expand_dims, reshape, transpose
from dovetail.ops.sizes import known_elements
from dovetail.ops.slicing import StridedSlice
from dovetail.types.dims import Dim, dim_max, floor_div, product
from dovetail.types.dtypes import int32
from dovetail.types.shapes import demand

__all__ = [
    "batch_to_space",
    "batch_to_space_nd",
    "extract_image_patches",
    "required_space_to_batch_paddings",
    "space_to_batch",
    "space_to_batch_nd",
]

Pairs = tuple[tuple[Dim, Dim], ...]


def _space_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(1, 4, 4, 2)), {"block": (2, 2), "paddings": ((0, 0), (0, 0))}
    yield rng.normal(size=(2, 3, 5)), {"block": (2, 3), "paddings": ((1, 0), (0, 1))}
    yield np.arange(6, dtype=np.int32).reshape(1, 6), {"block": (3,), "paddings": ((2, 1),)}


@composite(name="SpaceToBatchNd", samples=_space_samples)
def _space_to_batch(x: Tensor, *, block: tuple[int, ...], paddings: Pairs) -> Tensor:
    """Pad, divide into blocks, and make the place in a block the first part of the batch."""
    count = len(block)
    _check_rank("space_to_batch_nd", x, block)
    lead, tail = x.shape.dims[0], x.shape.dims[1 + count :]
    padded = Pad(((0, 0), *paddings, *((0, 0),) * len(tail)), False if x.dtype.is_bool else 0)(x)
    parts: list[Dim] = []
    for axis, size in enumerate(block, 1):
        demand(
            "divisible",
            padded.shape[axis],
            size,
            f"space_to_batch_nd: axis {axis} of {x.type}, with its padding, is no multiple of the block size {size}. "
            f"See required_space_to_batch_paddings.",
        )
        parts += [floor_div(padded.shape[axis], size), size]
    blocks = reshape(padded, (lead, *parts, *tail))
    order = [*_span(2, 2 * count + 2, 2), 0, *_span(1, 2 * count + 1, 2), *_span(2 * count + 1, len(blocks.shape))]
    return reshape(transpose(blocks, order), (lead * product(block), *parts[::2], *tail))


def _batch_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(4, 2, 2, 3)), {"block": (2, 2), "crops": ((0, 0), (0, 0))}
    yield rng.normal(size=(12, 2, 2)), {"block": (2, 3), "crops": ((1, 0), (0, 2))}
    yield np.arange(6, dtype=np.int32).reshape(3, 2), {"block": (3,), "crops": ((2, 1),)}


@composite(name="BatchToSpaceNd", samples=_batch_samples)
def _batch_to_space(x: Tensor, *, block: tuple[int, ...], crops: Pairs) -> Tensor:
    """Make the first part of the batch the place in a block, and cut off."""
    count = len(block)
    _check_rank("batch_to_space_nd", x, block)
    demand(
        "divisible",
        x.shape[0],
        product(block),
        f"batch_to_space_nd: the batch of {x.type} is no multiple of {product(block)}, the size of a block.",
    )
    lead, sizes, tail = floor_div(x.shape[0], product(block)), x.shape.dims[1 : 1 + count], x.shape.dims[1 + count :]
    blocks = reshape(x, (*block, lead, *sizes, *tail))
    order = [count]
    for axis in _span(0, count):
        order += [count + 1 + axis, axis]
    order += _span(2 * count + 1, len(blocks.shape))
    whole = [size * factor for size, factor in zip(sizes, block, strict=True)]
    result = reshape(transpose(blocks, order), (lead, *whole, *tail))
    for axis, (size, (before, after)) in enumerate(zip(whole, crops, strict=True), 1):
        demand(
            "nonnegative",
            size - before - after,
            0,
            f"batch_to_space_nd: crops of {before} and {after} are more than axis {axis} has, which is {size}.",
        )
    items = [("size", before, size - before - after) for size, (before, after) in zip(whole, crops, strict=True)]
    cut: Tensor = StridedSlice((("slice", None, None, None), *items, "..."))(result)
    return cut


def _span(start: int, stop: int, step: int = 1) -> list[int]:
    return np.arange(start, stop, step).tolist()


def _check_rank(operation: str, x: Tensor, block: Sequence[int]) -> None:
    if len(x.shape) < len(block) + 1:
        raise ShapeError(
            f"{operation}: the input is {x.type}; a block of {len(block)} sizes needs a batch and as many axes."
        )


def _block(operation: str, block_shape: Any) -> tuple[int, ...]:
    known = known_elements(block_shape, f"{operation}: block_shape")
    sizes = None if known is None else known.reshape(-1).tolist()
    if sizes is None or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise InvalidArgumentError(f"{operation}: block_shape is {block_shape!r}; give positive ints.")
    return tuple(sizes)


def _pairs(operation: str, what: str, value: Any, count: int) -> Pairs:
    known = known_elements(value, f"{operation}: {what}")
    if known is None or known.shape != (count, 2):
        shown = "not known while the graph is built" if known is None else f"of shape {list(known.shape)}"
        raise InvalidArgumentError(f"{operation}: {what} are {shown}; give two ints for each of {count} axes.")
    return tuple([(before, after) for before, after in known.tolist()])


def space_to_batch_nd(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """Return a tensor with the axes after the batch cut into blocks, whose places become part of the batch.

    Args:
        input: of shape ``[batch, …]``.
        block_shape: the size of a block along each of the axes after the batch, ints.
        paddings: how many zeros before and after each of these axes.
        name: name of the node.

    Returns:
        A tensor of ``product of block_shape`` times the batch, its axes shorter by as much.

    Raises:
        ShapeError: a padded axis is no multiple of its block, or there are too few axes.
        InvalidArgumentError: blocks or paddings are not known while the graph is built.

    Example:
        >>> dt.Session().run(dt.space_to_batch_nd([[1, 2, 3]], [2], [[0, 1]]))
        array([[1, 3],
               [2, 0]], dtype=int32)
    """
    block = _block("space_to_batch_nd", block_shape)
    pairs = _pairs("space_to_batch_nd", "paddings", paddings, len(block))
    result: Tensor = _space_to_batch(as_tensor(input), block=block, paddings=pairs, name=name)
    return result


def space_to_batch(
    input: Any, paddings: Any, block_size: int | None = None, name: str | None = None, block_shape: Any = None
) -> Tensor:
    """Return images cut into square blocks; the rest is as for ``space_to_batch_nd``.

    Example:
        >>> dt.space_to_batch(dt.zeros([1, 4, 4, 1]), [[0, 0], [0, 0]], 2).shape
        Shape([4, 2, 2, 1])
    """
    block = [block_size, block_size] if block_shape is None else block_shape
    return space_to_batch_nd(input, block, paddings, name=name)


def batch_to_space_nd(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """Undo ``space_to_batch_nd``: places in blocks move from the batch back to the axes after it.

    Args:
        input: of shape ``[batch, …]``.
        block_shape: the size of a block along each of the axes after the batch, ints.
        crops: how many elements to cut off before and after each of these axes.
        name: name of the node.

    Raises:
        ShapeError: the batch is no multiple of a block's size, or more is cut off than there is.
        InvalidArgumentError: blocks or crops are not known while the graph is built.

    Example:
        >>> dt.Session().run(dt.batch_to_space_nd([[1, 3], [2, 0]], [2], [[0, 1]]))
        array([[1, 2, 3]], dtype=int32)
    """
    block = _block("batch_to_space_nd", block_shape)
    pairs = _pairs("batch_to_space_nd", "crops", crops, len(block))
    result: Tensor = _batch_to_space(as_tensor(input), block=block, crops=pairs, name=name)
    return result


def batch_to_space(
    input: Any, crops: Any, block_size: int | None = None, name: str | None = None, block_shape: Any = None
) -> Tensor:
    """Return images put together of square blocks; the rest is as for ``batch_to_space_nd``.

    Example:
        >>> dt.batch_to_space(dt.zeros([4, 2, 2, 1]), [[0, 0], [0, 0]], 2).shape
        Shape([1, 4, 4, 1])
    """
    block = [block_size, block_size] if block_shape is None else block_shape
    return batch_to_space_nd(input, block, crops, name=name)


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Return the paddings that make sizes multiples of blocks, and the crops that undo them.

    Args:
        input_shape: sizes, known while the graph is built.
        block_shape: the block along each axis.
        base_paddings: what is padded at least, before and after; nothing by default.
        name: has no effect; the results are constants.

    Example:
        >>> dt.Session().run(dt.required_space_to_batch_paddings([10], [4]))
        (array([[0, 2]], dtype=int32), array([[0, 2]], dtype=int32))
    """
    block = _block("required_space_to_batch_paddings", block_shape)
    sizes = known_elements(input_shape, "required_space_to_batch_paddings: input_shape")
    if sizes is None:
        raise InvalidArgumentError(
            "required_space_to_batch_paddings: the shape is not known while the graph is built; use ints or dimensions."
        )
    base = ((0, 0),) * len(block) if base_paddings is None else base_paddings
    pairs = _pairs("required_space_to_batch_paddings", "base_paddings", base, len(block))
    paddings, crops = [], []
    for size, factor, (before, after) in zip(sizes.tolist(), block, pairs, strict=True):
        whole = size + before + after
        more = floor_div(whole + factor - 1, factor) * factor - whole
        paddings.append([before, after + more])
        crops.append([0, more])
    return as_tensor(paddings), as_tensor(crops)


# Patches. ------------------------------------------------------------------------------------------------------------


def _patch_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    x = rng.normal(size=(2, 5, 6, 2))
    yield x, {"sizes": (2, 3), "strides": (1, 2), "rates": (1, 1), "same": False}
    yield x, {"sizes": (3, 2), "strides": (2, 1), "rates": (1, 2), "same": True}
    yield np.arange(16, dtype=np.int32).reshape(1, 4, 4, 1), {
        "sizes": (2, 2), "strides": (2, 2), "rates": (2, 2), "same": False
    }  # fmt: skip


@composite(name="ExtractImagePatches", samples=_patch_samples)
def _patches(
    x: Tensor, *, sizes: tuple[int, int], strides: tuple[int, int], rates: tuple[int, int], same: bool
) -> Tensor:
    """Pick the rows of each patch, then the columns."""
    if len(x.shape) != 4:
        raise ShapeError(f"extract_image_patches: the images are {x.type}; [batch, height, width, channels] is needed.")
    batch, *space, channels = x.shape.dims
    counts: list[Dim] = []
    pairs: list[tuple[Dim, Dim]] = []
    for dim, size, stride, rate in zip(space, sizes, strides, rates, strict=True):
        reach = (size - 1) * rate + 1
        if same:
            count = floor_div(dim + stride - 1, stride)
            total = dim_max((count - 1) * stride + reach - dim, 0)
            pairs.append((floor_div(total, 2), total - floor_div(total, 2)))
        else:
            demand(
                "nonnegative",
                dim - reach,
                0,
                f"extract_image_patches: patches of {size} elements, {rate} apart, do not fit {x.type}. Pad, or use "
                f"padding SAME.",
            )
            count = floor_div(dim - reach, stride) + 1
            pairs.append((0, 0))
        counts.append(count)
    padded = Pad(((0, 0), *pairs, (0, 0)), 0)(x)
    for axis, (count, size, stride, rate) in enumerate(zip(counts, sizes, strides, rates, strict=True)):
        starts = range(count, dtype=int32) * stride
        places = expand_dims(starts, 1) + expand_dims(range(size, dtype=int32) * rate, 0)
        padded = gather(padded, places, axis=1 + 2 * axis)
    patches = transpose(padded, (0, 1, 3, 2, 4, 5))
    return reshape(patches, (batch, *counts, sizes[0] * sizes[1] * channels))


def extract_image_patches(
    images: Any,
    ksizes: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
    rates: Sequence[int] | None = None,
    padding: str | None = None,
    name: str | None = None,
    sizes: Sequence[int] | None = None,
) -> Tensor:
    """Return the patches that a window sees as it moves over images, laid out as channels.

    Args:
        images: of shape ``[batch, height, width, channels]``.
        ksizes: ``[1, rows, columns, 1]``, the size of a patch.
        strides: ``[1, rows, columns, 1]``, how far it is from one patch to the next.
        rates: ``[1, rows, columns, 1]``, how far it is from one element of a patch to the next.
        padding: ``"VALID"`` or ``"SAME"``, with zeros around.
        name: name of the node.
        sizes: the later name of ``ksizes``.

    Returns:
        A tensor of shape ``[batch, rows of patches, columns of patches, size of a patch * channels]``.

    Raises:
        InvalidArgumentError: an argument is not of that form, or the padding is unknown.
        ShapeError: these are no images, or a patch does not fit.

    Example:
        >>> image = dt.reshape(dt.range(9), [1, 3, 3, 1])
        >>> patches = dt.extract_image_patches(image, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID")
        >>> dt.Session().run(patches)[0, 0]
        array([[0, 1, 3, 4],
               [1, 2, 4, 5]], dtype=int32)
    """
    chosen = ksizes if sizes is None else sizes
    if padding is None or padding.upper() not in ("VALID", "SAME"):
        raise InvalidArgumentError(f"extract_image_patches: padding is {padding!r}; use 'VALID' or 'SAME'.")
    result: Tensor = _patches(
        as_tensor(images),
        sizes=_inner("ksizes", chosen),
        strides=_inner("strides", strides),
        rates=_inner("rates", rates),
        same=padding.upper() == "SAME",
        name=name,
    )
    return result


def _inner(what: str, value: Any) -> tuple[int, int]:
    items = list(value) if isinstance(value, (list, tuple)) else []
    if len(items) != 4 or items[0] != 1 or items[3] != 1 or not all(isinstance(one, int) and one > 0 for one in items):
        raise InvalidArgumentError(
            f"extract_image_patches: {what} is {value!r}; give [1, rows, columns, 1] in positive ints."
        )
    return items[1], items[2]
