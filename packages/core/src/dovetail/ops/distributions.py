"""Distributions made of random bits, wherever these come from."""

from __future__ import annotations

from typing import Any

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Op
from dovetail.graph.operation import Tensor
from dovetail.graph.operators import TensorOperators
from dovetail.ops.casting import cast
from dovetail.ops.constants import constant
from dovetail.ops.elementary import exp
from dovetail.ops.philox import bits_dtype
from dovetail.ops.random_bits import Draw
from dovetail.ops.reductions import reduce_max
from dovetail.ops.running import cumsum
from dovetail.ops.scalar import Expression, Input, Literal
from dovetail.ops.scalar.basis import minimum
from dovetail.ops.scalars import Elementwise
from dovetail.ops.shapes import shape as shape_of
from dovetail.ops.sorting import SearchSorted
from dovetail.ops.variates import IntegersFromBits, UniformFromBits
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float32, int64

__all__ = ["classes", "floating", "normal", "uniform"]


def floating(what: str, dtype: DTypeLike) -> DType:
    """Return a dtype that is floating.

    Raises:
        DTypeError: it is not.
    """
    wanted = as_dtype(dtype)
    if not wanted.is_floating:
        raise DTypeError(f"{what}: dtype is {wanted.name}; use a floating dtype.")
    return wanted


def _is_number(value: Any, number: float) -> bool:
    return not isinstance(value, TensorOperators | np.ndarray) and value == number


def _operand(value: Any, dtype: DType, inputs: list[Tensor]) -> Expression:
    """Return a number as a literal, and anything else as one more input."""
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        return Literal(float(value))
    inputs.append(as_tensor(value, dtype))
    return Input(len(inputs) - 1)


def _scaled(what: str, x: Tensor, factor: Any, term: Any, name: str, bound: float | None = None) -> Tensor:
    """Return ``min(x * factor + term, bound)``, of the shape of ``x``."""
    inputs = [x]
    expression: Expression = Input(0)
    if not _is_number(factor, 1):
        expression = expression * _operand(factor, x.dtype, inputs)
    if not _is_number(term, 0):
        expression = expression + _operand(term, x.dtype, inputs)
    if bound is not None:
        expression = minimum(expression, bound)
    result: Tensor = Elementwise(str(expression))(*inputs, name=name)
    if result.shape.rank != x.shape.rank:
        shapes = ", ".join(str(one.type) for one in inputs[1:])
        raise ShapeError(
            f"{what}: the shape asked for is {x.shape}, but parameters are {shapes}. Use scalars, or a larger shape."
        )
    return result


def uniform(what: str, draw: Draw, shape: Any, minval: Any, maxval: Any, dtype: DTypeLike, scope: str) -> Tensor:
    """Return uniform numbers from ``minval`` up to but without ``maxval``, as ``random_uniform`` does."""
    wanted = as_dtype(dtype)
    if wanted.is_integer:
        return _integers(what, draw, shape, minval, maxval, wanted, scope)
    floating(what, wanted)
    bits = draw(shape, bits_dtype(wanted))
    high = 1 if maxval is None else maxval
    if _is_number(minval, 0) and _is_number(high, 1):
        result: Tensor = UniformFromBits(wanted)(bits, name=scope)
        return result
    unit = UniformFromBits(wanted)(bits)
    if isinstance(minval, int | float) and isinstance(high, int | float):
        return _scaled(what, unit, high - minval, minval, scope, _below(minval, high, wanted))
    low = as_tensor(minval, wanted)
    return _scaled(what, unit, as_tensor(high, wanted) - low, low, scope)


def _below(low: float, high: float, dtype: DType) -> float | None:
    """Return the greatest number of ``dtype`` below ``high``, which the rounding of a sum might reach."""
    if low == 0 or low >= high:
        return None
    found = np.nextafter(np.asarray(high, dtype.numpy), np.asarray(low, dtype.numpy))
    return float(found)


def _integers(what: str, draw: Draw, shape: Any, low: Any, high: Any, dtype: DType, scope: str) -> Tensor:
    if high is None:
        raise InvalidArgumentError(f"{what}: {dtype.name} needs maxval; give the bound that is not reached.")
    if not isinstance(low, TensorOperators | np.ndarray) and not isinstance(high, TensorOperators | np.ndarray):
        for which, bound in (("minval", low), ("maxval", high)):
            if not isinstance(bound, int | np.integer) or isinstance(bound, bool):
                raise DTypeError(f"{what}: {which} is {bound!r}; for {dtype.name}, use an int.")
        if low >= high:
            raise InvalidArgumentError(f"{what}: there is no integer from {low} up to but without {high}.")
        if low < dtype.min or high - 1 > dtype.max:
            raise InvalidArgumentError(
                f"{what}: from {low} up to but without {high} is more than {dtype.name} holds, which is "
                f"{dtype.min} to {dtype.max}. Use a larger dtype."
            )
        last = constant(np.asarray(int(high) - 1, dtype.numpy))
    else:
        last = as_tensor(high, dtype) - constant(np.asarray(1, dtype.numpy))
    bits = draw(shape, bits_dtype(dtype))
    result: Tensor = IntegersFromBits(dtype)(bits, as_tensor(low, dtype), last, name=scope)
    return result


def normal(what: str, op: Op, bits: Tensor, mean: Any, stddev: Any, scope: str) -> Tensor:
    """Return what ``op`` makes of bits, scaled and moved."""
    if _is_number(mean, 0) and _is_number(stddev, 1):
        result: Tensor = op(bits, name=scope)
        return result
    return _scaled(what, op(bits), stddev, mean, scope)


def classes(what: str, draw: Draw, logits: Any, num_samples: Any, dtype: DTypeLike | None, scope: str) -> Tensor:
    """Return classes drawn with probability ``softmax(logits)``, as ``multinomial`` does."""
    x = as_tensor(logits)
    floating(what, x.dtype)
    if x.shape.rank not in (2, None):
        raise ShapeError(f"{what}: logits are {x.type}, where [batch, classes] is wanted. Use expand_dims or reshape.")
    wanted = int64 if dtype is None else as_dtype(dtype)
    wide = cast(x, float32) if x.dtype.is_half else x
    cumulative = cumsum(exp(wide - reduce_max(wide, 1, keepdims=True)), 1)
    rows = shape_of(x)[0] if x.shape.rank is None else x.shape[0]
    bits = draw([rows, num_samples], bits_dtype(wide.dtype))
    # A uniform below the sum of all falls on each class as often as its share is; never on one of width 0.
    result: Tensor = SearchSorted(True, wanted)(
        cumulative, UniformFromBits(wide.dtype)(bits) * cumulative[:, -1:], name=scope
    )
    return result
