"""Rounding to the values that a quantized network would have: ``fake_quant_with_min_max_args`` and its relatives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.operation import Tensor
from dovetail.ops.arithmetic import add, divide, floor, maximum, minimum, multiply, subtract
from dovetail.ops.comparison import greater, less, logical_or
from dovetail.ops.composites import composite
from dovetail.ops.fills import zeros_like
from dovetail.ops.reductions import sum_to
from dovetail.ops.selection import select
from dovetail.ops.sizes import Gradients, Tensors
from dovetail.types.dtypes import float32

__all__ = [
    "fake_quant_with_min_max_args",
    "fake_quant_with_min_max_vars",
    "fake_quant_with_min_max_vars_per_channel",
]


def _nudged(low: Tensor, high: Tensor, levels: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the limits moved so that 0 is one of the values, and the step between two values."""
    first, last = map(float, levels)
    step = divide(subtract(high, low), last - first)
    zero = subtract(first, divide(low, step))
    zero = floor(add(minimum(maximum(zero, first), last), 0.5))
    return multiply(subtract(first, zero), step), multiply(subtract(last, zero), step), step


def _gradient(op: Any, inputs: Tensors, outputs: Tensors, grads: Any) -> Gradients:
    """That of clipping: to the values within the limits, and to the limits from the values beyond them."""
    x, low, high = inputs
    first, last, _ = _nudged(low, high, op.levels)
    below, above = less(x, first), greater(x, last)
    nothing = zeros_like(grads[0])
    return (
        select(logical_or(below, above), nothing, grads[0]),
        sum_to(select(below, grads[0], nothing), low),
        sum_to(select(above, grads[0], nothing), high),
    )


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """One pair of limits, one for each channel; in float32, which finite differences are not taken of."""
    x = rng.normal(size=(3, 2)) * 4.0
    yield x.astype(np.float32), np.float32(-2.0), np.float32(3.0), {"levels": (0, 255)}
    yield x.astype(np.float32), np.array([-1, 0], np.float32), np.array([2, 6], np.float32), {"levels": (1, 15)}


@composite(name="FakeQuantization", samples=_samples, gradient=_gradient)
def _fake_quantization(x: Tensor, low: Tensor, high: Tensor, *, levels: tuple[int, int]) -> Tensor:
    """TensorFlow's formula: clip, then round to whole steps from the lower limit."""
    first, last, step = _nudged(low, high, levels)
    steps = floor(add(divide(subtract(minimum(maximum(x, first), last), first), step), 0.5))
    result: Tensor = add(multiply(steps, step), first)
    return result


def _quantized(
    label: str, inputs: Any, low: Any, high: Any, num_bits: int, narrow_range: bool, name: str | None
) -> Tensor:
    if not 2 <= num_bits <= 16:
        raise InvalidArgumentError(f"{label}: num_bits is {num_bits}; use 2 to 16.")
    tensors = [as_tensor(one, None if isinstance(one, Tensor) else float32) for one in (inputs, low, high)]
    for one in tensors:
        if one.dtype is not float32:
            raise DTypeError(f'{label}: "{one.name}" is {one.type}, where float32 is wanted. Use dt.cast.')
    levels = (int(bool(narrow_range)), 2**num_bits - 1)
    result: Tensor = _fake_quantization(*tensors, levels=levels, name=name or label)
    return result


def fake_quant_with_min_max_args(
    inputs: Any,
    min: float = -6.0,
    max: float = 6.0,
    num_bits: int = 8,
    narrow_range: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return a tensor rounded to the values that ``num_bits`` bits can tell apart between two limits.

    The limits are moved a little so that 0 is one of the values. Gradients pass where the input is within them.

    Args:
        inputs: a float32 tensor.
        min: the lower limit.
        max: the upper limit.
        num_bits: 2 to 16.
        narrow_range: whether the least of the ``2**num_bits`` values is left out.
        name: name of the node.

    Raises:
        InvalidArgumentError: ``num_bits`` is another, or the limits do not ascend.
        DTypeError: the tensor is not float32.

    Example:
        >>> dt.Session().run(dt.fake_quant_with_min_max_args([0.0, 0.4, 9.0], -6.0, 6.0, num_bits=3)).round(3)
        array([0.   , 0.   , 5.143], dtype=float32)

    Source: Jacob et al., "Quantization and Training of Neural Networks", 2018.
    """
    label = "fake_quant_with_min_max_args"
    if not min < max:
        raise InvalidArgumentError(f"{label}: min is {min}, max is {max}; min must be less.")
    return _quantized(label, inputs, float(min), float(max), num_bits, narrow_range, name)


def fake_quant_with_min_max_vars(
    inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Tensor:
    """Return a tensor rounded as ``fake_quant_with_min_max_args`` does, between limits that are scalar tensors.

    The gradient of a limit is the sum of the gradients of what lies beyond it, so that limits can be learned.

    Example:
        >>> dt.Session().run(dt.fake_quant_with_min_max_vars([0.3, 0.9], 0.0, 1.0, num_bits=2)).round(3)
        array([0.333, 1.   ], dtype=float32)
    """
    return _quantized("fake_quant_with_min_max_vars", inputs, min, max, num_bits, narrow_range, name)


def fake_quant_with_min_max_vars_per_channel(
    inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Tensor:
    """Return a tensor rounded as ``fake_quant_with_min_max_vars`` does, with limits for each place on the last axis.

    Raises:
        ShapeError: the limits are no vectors.

    Example:
        >>> dt.Session().run(dt.fake_quant_with_min_max_vars_per_channel([[0.3, 9.0]], [0.0, 0.0], [1.0, 6.0], 2))
        array([[0.33333334, 6.        ]], dtype=float32)
    """
    label = "fake_quant_with_min_max_vars_per_channel"
    for one in map(as_tensor, (min, max)):
        if one.shape.rank not in (1, None):
            raise ShapeError(f"{label}: a limit is {one.type}; give a vector, one for each place on the last axis.")
    return _quantized(label, inputs, min, max, num_bits, narrow_range, name)
