"""Random tensors that depend on a seed given as a tensor alone: the same seed gives the same numbers."""

from __future__ import annotations

from typing import Any

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.casting import cast
from dovetail.ops.distributions import classes, floating, normal, uniform
from dovetail.ops.philox import bits_dtype
from dovetail.ops.random_bits import Draw, keyed
from dovetail.ops.variates import NormalFromBits, TruncatedNormalFromBits
from dovetail.types.dtypes import DTypeLike, float32, int64, uint64
from dovetail.types.shapes import unify

__all__ = [
    "stateless_multinomial",
    "stateless_random_normal",
    "stateless_random_uniform",
    "stateless_truncated_normal",
]


def _draw(what: str, seed: Any) -> Draw:
    """Return the source of bits: the first number is Philox's key, and the second counts."""
    x = as_tensor(seed)
    if not x.dtype.is_integer:
        raise DTypeError(f"{what}: the seed is {x.type}, where two integers are wanted. Use dt.cast.")
    message = f"{what}: the seed is {x.type}, where two integers are wanted, of shape [2]."
    if x.shape.rank is not None:
        if x.shape.rank != 1:
            raise ShapeError(message)
        unify(x.shape[0], 2, message)
    words = cast(x, uint64)
    return keyed(what, words[0], words[1])


def stateless_random_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: DTypeLike = float32,
    name: str | None = None,
) -> Tensor:
    """Return uniform random numbers that depend on the seed alone, from ``minval`` up to but without ``maxval``.

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector.
        seed: two integers, a constant or a tensor.
        minval: the least number; a number or a tensor that broadcasts to ``shape``.
        maxval: the bound that is not reached; 1 by default for floating types.
        dtype: a floating or integer type.
        name: name of the node.

    Returns:
        As of ``random_uniform``. The numbers are not those of TensorFlow.

    Raises:
        InvalidArgumentError: integers without ``maxval``; an empty range; or a bound that the type does not hold.
        ShapeError: the seed has another shape.
        DTypeError: the type is neither floating nor integer, or the seed is not of integers.

    Example:
        >>> x, y = dt.stateless_random_uniform([2], [1, 2]), dt.stateless_random_uniform([2], [1, 2])
        >>> bool((dt.Session().run(x) == dt.Session().run(y)).all())
        True
    """
    what = "stateless_random_uniform"
    with get_default_graph().name_scope(name or what) as scope:
        return uniform(what, _draw(what, seed), shape, minval, maxval, dtype, scope)


def stateless_random_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: DTypeLike = float32, name: str | None = None
) -> Tensor:
    """Return normally distributed random numbers that depend on the seed alone.

    Args:
        shape: ints, dimensions, scalar tensors, or an integer vector.
        seed: two integers, a constant or a tensor.
        mean: a number or a tensor that broadcasts to ``shape``.
        stddev: the standard deviation, likewise.
        dtype: a floating type.
        name: name of the node.

    Raises:
        ShapeError: the seed has another shape.
        DTypeError: the type is not floating, or the seed is not of integers.

    Example:
        >>> x, y = dt.stateless_random_normal([2], [1, 2]), dt.stateless_random_normal([2], [1, 3])
        >>> bool((dt.Session().run(x) == dt.Session().run(y)).any())
        False
    """
    what = "stateless_random_normal"
    wanted = floating(what, dtype)
    with get_default_graph().name_scope(name or what) as scope:
        bits = _draw(what, seed)(shape, bits_dtype(wanted))
        return normal(what, NormalFromBits(wanted), bits, mean, stddev, scope)


def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: DTypeLike = float32, name: str | None = None
) -> Tensor:
    """Return what ``truncated_normal`` does, but depending on the seed alone; see ``stateless_random_normal``.

    Raises:
        ShapeError: the seed has another shape.
        DTypeError: the type is not floating, or the seed is not of integers.

    Example:
        >>> x = dt.Session().run(dt.stateless_truncated_normal([1000], [1, 2]))
        >>> bool(abs(x).max() <= 2)
        True
    """
    what = "stateless_truncated_normal"
    wanted = floating(what, dtype)
    with get_default_graph().name_scope(name or what) as scope:
        bits = _draw(what, seed)(shape, bits_dtype(wanted))
        return normal(what, TruncatedNormalFromBits(wanted), bits, mean, stddev, scope)


def stateless_multinomial(
    logits: Any, num_samples: Any, seed: Any, output_dtype: DTypeLike = int64, name: str | None = None
) -> Tensor:
    """Return what ``multinomial`` does, but depending on the seed alone.

    Args:
        logits: floating, of shape ``[batch, classes]``: logarithms of unnormalised probabilities.
        num_samples: how many classes to draw for each row.
        seed: two integers, a constant or a tensor.
        output_dtype: int32 or int64.
        name: name of the node.

    Raises:
        ShapeError: ``logits`` is no matrix, or the seed has another shape.
        DTypeError: ``logits`` are not floating, or the seed is not of integers.

    Example:
        >>> dt.Session().run(dt.stateless_multinomial(dt.log([[0.0, 1.0, 0.0]]), 4, [1, 2]))
        array([[1, 1, 1, 1]])
    """
    what = "stateless_multinomial"
    with get_default_graph().name_scope(name or what) as scope:
        return classes(what, _draw(what, seed), logits, num_samples, output_dtype, scope)
