"""Clipping tensors to a norm: each on its own, or several by the norm of all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Sample
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import register
from dovetail.ops.arithmetic import divide, maximum, minimum, multiply, square
from dovetail.ops.casting import cast
from dovetail.ops.comparison import greater, is_finite
from dovetail.ops.composites import CompositeOp, composite
from dovetail.ops.constants import constant
from dovetail.ops.elementary import rsqrt, sqrt
from dovetail.ops.fills import ones_like
from dovetail.ops.indexed_slices import IndexedSlices
from dovetail.ops.reducing import axes_and_keepdims, reduce_sum
from dovetail.ops.selection import select
from dovetail.types.dtypes import DType
from dovetail.types.shapes import normalize_axes

__all__ = ["clip_by_average_norm", "clip_by_global_norm", "clip_by_norm", "global_norm"]

Axes = tuple[int, ...] | None


def _floating(label: str, x: Any) -> None:
    if not x.dtype.is_floating:
        raise DTypeError(f'{label}: "{x.name}" is {x.dtype.name}, where a floating dtype is wanted. Use dt.cast.')


def _norm_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Above the limit and below it, along axes, zeros, none."""
    x = rng.normal(size=(3, 4))
    yield x, np.float64(1.5)
    yield x, np.float64(100.0)
    yield x, np.float64(1.0), {"axes": (1,)}
    yield x, rng.uniform(0.5, 1.0, (3, 1)), {"axes": (1,)}
    yield np.zeros((2, 2)), np.float64(1.0)
    yield np.zeros((0, 2)), np.float64(1.0)


@composite(name="ClipByNorm", samples=_norm_samples)
def _clip_by_norm(x: Tensor, limit: Tensor, *, axes: Axes = None) -> Tensor:
    """TensorFlow's formula: ``x * limit / max(norm, limit)``, where the root of 0 has the derivative 0."""
    total = reduce_sum(square(x), normalize_axes(axes, len(x.shape.dims), "clip_by_norm"), True)
    some = greater(total, cast(0, x.dtype))
    norm = select(some, sqrt(select(some, total, ones_like(total))), total)
    return divide(multiply(x, limit), maximum(norm, limit))


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """Return a tensor scaled down so that its L2 norm is at most ``clip_norm``.

    Args:
        t: a floating tensor, or ``IndexedSlices``, whose rows are clipped.
        clip_norm: the greatest norm, a positive scalar, or a tensor that broadcasts to the norms.
        axes: axes to compute norms over, each of them clipped on its own; ``None`` is one norm over all.
        name: name of the node.

    Returns:
        What ``t`` is: a tensor, or ``IndexedSlices``.

    Raises:
        DTypeError: the tensor is not floating.
        ShapeError: an axis is out of range.

    Example:
        >>> dt.Session().run(dt.clip_by_norm([3.0, 4.0], 1.0))
        array([0.6, 0.8], dtype=float32)
    """
    if isinstance(t, IndexedSlices):
        return t.with_values(clip_by_norm(t.values, clip_norm, axes, name))
    x = as_tensor(t)
    _floating("clip_by_norm", x)
    chosen, _ = axes_and_keepdims("clip_by_norm", x, axes, True, None, None)
    return _clip_by_norm(x, as_tensor(clip_norm, x.dtype), axes=chosen, name=name or "clip_by_norm")


def _average_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """Above the limit and below it."""
    x = rng.normal(size=(3, 4))
    yield x, np.float64(0.1)
    yield x, np.float64(100.0)


@composite(name="ClipByAverageNorm", samples=_average_samples)
def _clip_by_average_norm(x: Tensor, limit: Tensor) -> Tensor:
    """TensorFlow's formula: ``x * limit * min(size / norm, 1 / limit)``."""
    inverse = multiply(rsqrt(reduce_sum(square(x))), x.shape.size)
    return multiply(multiply(x, limit), minimum(inverse, divide(ones_like(limit), limit)))


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Tensor:
    """Return a tensor scaled down so that its L2 norm, divided by its number of elements, is at most ``clip_norm``.

    Args:
        t: a floating tensor.
        clip_norm: the greatest average norm, a positive scalar.
        name: name of the node.

    Raises:
        DTypeError: the tensor is not floating.

    Example:
        >>> dt.Session().run(dt.clip_by_average_norm([3.0, 4.0], 0.5))
        array([0.6, 0.8], dtype=float32)
    """
    x = as_tensor(t)
    _floating("clip_by_average_norm", x)
    limit = as_tensor(clip_norm, x.dtype)
    result: Tensor = _clip_by_average_norm(x, limit, name=name or "clip_by_average_norm")
    return result


@register
@final
class GlobalNorm(CompositeOp):
    """The root of the sum of the squares of all elements of all inputs."""

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """That of the inputs, which have one."""
        for index, dtype in enumerate(dtypes):
            if dtype is not dtypes[0]:
                raise DTypeError(
                    f"global_norm: input 0 is {dtypes[0].name}, input {index} is {dtype.name}. Make the dtypes equal "
                    f"by dt.cast."
                )
        return dtypes[:1]

    def decomposition(self, *tensors: Tensor) -> Tensor:
        """One sum for each input."""
        self.dtypes(*(one.dtype for one in tensors))
        total = reduce_sum(square(tensors[0]))
        for one in tensors[1:]:
            total = total + reduce_sum(square(one))
        return sqrt(total)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """One tensor, several of different ranks, an empty one among them."""
        yield Sample(cls(), rng.normal(size=(2, 3)))
        yield Sample(cls(), rng.normal(size=(2, 3)), np.float64(1.5), rng.normal(size=(4,)))
        yield Sample(cls(), rng.normal(size=(3,)), np.zeros((0, 2)))


def _gradients_of(label: str, t_list: Any) -> list[Tensor | IndexedSlices | None]:
    """Return the list with what are no slices and not ``None`` as floating tensors."""
    if isinstance(t_list, Tensor | IndexedSlices) or not isinstance(t_list, Sequence):
        raise DTypeError(f"{label}: t_list is a {type(t_list).__name__}; give a list of tensors.")
    found = [one if one is None or isinstance(one, IndexedSlices) else as_tensor(one) for one in t_list]
    for one in found:
        if one is not None:
            _floating(label, one)
    return found


def global_norm(t_list: Any, name: str | None = None) -> Tensor | None:
    """Return the L2 norm of several tensors taken together: the root of the sum of the squares of all elements.

    Args:
        t_list: a list of floating tensors of one dtype; ``None`` in it is skipped. Of ``IndexedSlices`` the rows count
            as they are, also where several are for one index, as in TensorFlow.
        name: name of the node.

    Returns:
        A scalar; ``None`` where all of the list is.

    Raises:
        DTypeError: this is no list, or not of floating tensors of one dtype.

    Example:
        >>> dt.Session().run(dt.global_norm([[1.0, 2.0], None, 2.0]))
        np.float32(3.0)
    """
    found = [one for one in _gradients_of("global_norm", t_list) if one is not None]
    if not found:
        return None
    values = [one.values if isinstance(one, IndexedSlices) else one for one in found]
    result: Tensor = GlobalNorm()(*values, name=name or "global_norm")
    return result


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor | None]:
    """Return tensors scaled down together so that their global norm is at most ``clip_norm``, and that norm.

    Each tensor is multiplied by ``clip_norm / max(global norm, clip_norm)``. Where the norm is not finite, all results
    are NaN, so that the error is seen.

    Args:
        t_list: as for ``global_norm``: gradients as ``compute_gradients`` gives them, ``None`` and ``IndexedSlices``
            among them, which stay what they are.
        clip_norm: the greatest norm, a positive scalar.
        use_norm: the norm to take; that of ``t_list`` by default.
        name: the scope of the nodes.

    Returns:
        The list of clipped tensors, and the norm before.

    Raises:
        DTypeError: this is no list, or not of floating tensors.
        InvalidArgumentError: ``clip_norm`` is a number that is not positive.

    Example:
        >>> clipped, norm = dt.clip_by_global_norm([[3.0], [4.0]], 1.0)
        >>> dt.Session().run([norm, *clipped])
        [np.float32(5.0), array([0.6], dtype=float32), array([0.8], dtype=float32)]

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013.
    """
    if isinstance(clip_norm, int | float) and not clip_norm > 0:
        raise InvalidArgumentError(f"clip_by_global_norm: clip_norm is {clip_norm}; give a positive number.")
    with get_default_graph().name_scope(name or "clip_by_global_norm"):
        found = _gradients_of("clip_by_global_norm", t_list)
        norm = global_norm(found) if use_norm is None else as_tensor(use_norm)
        if norm is None:
            return list(found), None
        limit = as_tensor(clip_norm, norm.dtype)
        factor = multiply(limit, minimum(divide(ones_like(norm), norm), divide(ones_like(limit), limit)))
        factor = select(is_finite(norm), factor, constant(math.nan, norm.dtype))
        clipped: list[Any] = []
        for one in found:
            if isinstance(one, IndexedSlices):
                clipped.append(one.with_values(multiply(one.values, cast(factor, one.dtype))))
            else:
                clipped.append(None if one is None else multiply(one, cast(factor, one.dtype)))
        return clipped, norm
