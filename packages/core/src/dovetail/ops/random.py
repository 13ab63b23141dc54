"""Random tensors, new ones in every run: the functions that users call."""

from __future__ import annotations

from typing import Any

from dovetail.errors import ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.constants import constant, dims_to_tensor
from dovetail.ops.distributions import classes, floating, normal, uniform
from dovetail.ops.gather import gather
from dovetail.ops.indexing import slice
from dovetail.ops.philox import bits_dtype
from dovetail.ops.random_bits import checked_seed, counted
from dovetail.ops.shapes import shape as shape_of
from dovetail.ops.sizes import sizes_of
from dovetail.ops.sorting import ArgSort
from dovetail.ops.variates import IntegersFromBits, NormalFromBits, TruncatedNormalFromBits
from dovetail.types.dtypes import DTypeLike, float32, int32, uint64
from dovetail.types.shapes import Shape, demand

__all__ = [
    "multinomial",
    "random_crop",
    "random_normal",
    "random_shuffle",
    "random_uniform",
    "set_random_seed",
    "truncated_normal",
]


def set_random_seed(seed: int | None) -> None:
    """Set the seed of the default graph; two graphs built alike then give the same numbers, in every session.

    A random operation with a seed of its own combines both. Without any seed, a session draws one.

    Args:
        seed: an int; ``None`` takes the seed back.

    Raises:
        DTypeError: the seed is no int.

    Example:
        >>> dt.set_random_seed(1234)
        >>> x = dt.random_uniform([])
        >>> dt.Session().run(x) == dt.Session().run(x)
        np.True_
    """
    get_default_graph().seed = checked_seed("set_random_seed", seed)


def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: DTypeLike = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return uniform random numbers from ``minval`` up to but without ``maxval``, new ones in every run.

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector.
        minval: the least number; a number or a tensor that broadcasts to ``shape``.
        maxval: the bound that is not reached; 1 by default for floating types.
        dtype: a floating or integer type.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Returns:
        A tensor of multiples of 2**-24 (2**-53 for float64), scaled; or of integers, each with a probability that is
        off by less than 2**-32 (2**-64 for types of 64 bits). All backends give the same bits.

    Raises:
        InvalidArgumentError: integers without ``maxval``; an empty range; or a bound that the type does not hold.
        DTypeError: the type is neither floating nor integer.

    Example:
        >>> x = dt.Session().run(dt.random_uniform([1000], -1, 1))
        >>> bool(x.min() >= -1 and x.max() < 1)
        True
    """
    with get_default_graph().name_scope(name or "random_uniform") as scope:
        return uniform("random_uniform", counted("random_uniform", seed), shape, minval, maxval, dtype, scope)


def random_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: DTypeLike = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return normally distributed random numbers, new ones in every run.

    Each is made of one random word, by a rational approximation of the inverse distribution function (Wichura, 1988).

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector.
        mean: a number or a tensor that broadcasts to ``shape``.
        stddev: the standard deviation, likewise.
        dtype: a floating type.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Raises:
        DTypeError: the type is not floating.

    Example:
        >>> x = dt.Session().run(dt.random_normal([10000], mean=3.0, stddev=2.0))
        >>> bool(abs(x.mean() - 3) < 0.1 and abs(x.std() - 2) < 0.1)
        True
    """
    wanted = floating("random_normal", dtype)
    with get_default_graph().name_scope(name or "random_normal") as scope:
        bits = counted("random_normal", seed)(shape, bits_dtype(wanted))
        return normal("random_normal", NormalFromBits(wanted), bits, mean, stddev, scope)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: DTypeLike = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return normally distributed random numbers no further than two standard deviations from the mean.

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector.
        mean: a number or a tensor that broadcasts to ``shape``.
        stddev: the standard deviation before truncation, likewise.
        dtype: a floating type.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Raises:
        DTypeError: the type is not floating.

    Example:
        >>> x = dt.Session().run(dt.truncated_normal([1000], stddev=0.1))
        >>> bool(abs(x).max() <= 0.2)
        True
    """
    wanted = floating("truncated_normal", dtype)
    with get_default_graph().name_scope(name or "truncated_normal") as scope:
        bits = counted("truncated_normal", seed)(shape, bits_dtype(wanted))
        return normal("truncated_normal", TruncatedNormalFromBits(wanted), bits, mean, stddev, scope)


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Return the slices of a tensor along its first axis in random order, another one in every run.

    Args:
        value: a tensor of rank 1 or more.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Raises:
        ShapeError: the tensor is a scalar.

    Example:
        >>> sorted(dt.Session().run(dt.random_shuffle([3, 1, 2])).tolist())
        [1, 2, 3]
    """
    x = as_tensor(value)
    if x.shape.rank == 0:
        raise ShapeError(f"random_shuffle: the value is {x.type}, a scalar, which has no axis to shuffle.")
    with get_default_graph().name_scope(name or "random_shuffle") as scope:
        length = shape_of(x)[:1] if x.shape.rank is None else x.shape.dims[:1]
        order = ArgSort()(counted("random_shuffle", seed)(length, uint64))
        return gather(x, order, name=scope)


def multinomial(
    logits: Any,
    num_samples: Any,
    seed: int | None = None,
    name: str | None = None,
    output_dtype: DTypeLike | None = None,
) -> Tensor:
    """Return random classes, each drawn with probability ``softmax(logits)``, new ones in every run.

    Args:
        logits: floating, of shape ``[batch, classes]``: logarithms of unnormalised probabilities.
        num_samples: how many classes to draw for each row.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.
        output_dtype: int32 or int64, int64 by default.

    Returns:
        An integer tensor of shape ``[batch, num_samples]``.

    Raises:
        ShapeError: ``logits`` is no matrix.
        DTypeError: ``logits`` are not floating.

    Example:
        >>> dt.Session().run(dt.multinomial(dt.log([[0.0, 1.0, 0.0]]), 4))
        array([[1, 1, 1, 1]])
    """
    with get_default_graph().name_scope(name or "multinomial") as scope:
        return classes("multinomial", counted("multinomial", seed), logits, num_samples, output_dtype, scope)


def categorical(
    logits: Any, num_samples: Any, dtype: DTypeLike | None = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Return random classes, as ``multinomial`` does, under the name of later TensorFlow.

    Args:
        logits: floating, of shape ``[batch, classes]``: logarithms of unnormalised probabilities.
        num_samples: how many classes to draw for each row.
        dtype: int32 or int64, int64 by default.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Raises:
        ShapeError: ``logits`` is no matrix.
        DTypeError: ``logits`` are not floating.

    Example:
        >>> dt.Session().run(dt.random.categorical(dt.log([[0.0, 1.0, 0.0]]), 4))
        array([[1, 1, 1, 1]])
    """
    with get_default_graph().name_scope(name or "categorical") as scope:
        return classes("categorical", counted("categorical", seed), logits, num_samples, dtype, scope)


def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Return a part of a tensor, of a given size at a random place, another one in every run.

    Args:
        value: a tensor of known rank.
        size: as many sizes as ``value`` has axes, each at most its size. Where a size of ``value`` is taken whole, as
            that of the channels, name it here too.
        seed: gives the operation a seed of its own; see ``set_random_seed``.
        name: name of the node.

    Raises:
        ShapeError: the number of sizes is another, or one is too large.

    Example:
        >>> dt.random_crop(dt.zeros([32, 32, 3]), [24, 24, 3]).shape
        Shape([24, 24, 3])
    """
    x = as_tensor(value)
    sizes = sizes_of(size, "random_crop: size")
    if x.shape.rank is None or sizes is None or len(sizes) != x.shape.rank or None in sizes:
        raise ShapeError(f"random_crop: the value is {x.type} and the size {size}; give a known size for each axis.")
    known = Shape([one for one in sizes if one is not None])
    for axis, (whole, part) in enumerate(zip(x.shape, known, strict=True)):
        demand(
            "nonnegative",
            whole - part,
            0,
            f"random_crop: the value is {x.type} and the size {known}; axis {axis} is too short for it.",
        )
    with get_default_graph().name_scope(name or "random_crop") as scope:
        room = shape_of(x) - dims_to_tensor(known.dims)
        offsets = IntegersFromBits(int32)(
            counted("random_crop", seed)((x.shape.rank,), bits_dtype(int32)), constant(0, int32), room
        )
        return slice(x, offsets, known.dims, name=scope)
