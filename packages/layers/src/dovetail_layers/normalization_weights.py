"""The weights that normalisation layers have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import dovetail as dt
from dovetail import DType, Tensor, Variable, float32
from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.extend import InitializerLike, RegularizerLike, TensorType

__all__ = [
    "Normalizing",
    "check_axes",
    "check_epsilon",
    "example_axis",
    "gamma_and_beta",
    "normalized_axes",
    "weight_dtype",
    "with_axes_of",
]


class Normalizing(Protocol):
    """What a layer has that multiplies by ``gamma`` and adds ``beta``."""

    center: bool
    scale: bool
    beta_initializer: InitializerLike
    gamma_initializer: InitializerLike
    beta_regularizer: RegularizerLike
    gamma_regularizer: RegularizerLike
    beta_constraint: Callable[[Tensor], Tensor] | None
    gamma_constraint: Callable[[Tensor], Tensor] | None

    def weight(
        self,
        name: str,
        shape: Any,
        initializer: InitializerLike = None,
        trainable: bool = True,
        regularizer: RegularizerLike = None,
        dtype: Any = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
    ) -> Variable:
        """Make a weight."""


def gamma_and_beta(layer: Normalizing, shape: Sequence[Any], dtype: DType) -> tuple[Variable | None, Variable | None]:
    """Make ``gamma`` and ``beta`` of a layer, each where the layer has it; called in ``build``."""
    gamma = beta = None
    if layer.scale:
        gamma = layer.weight(
            "gamma",
            shape,
            layer.gamma_initializer,
            regularizer=layer.gamma_regularizer,
            dtype=dtype,
            constraint=layer.gamma_constraint,
        )
    if layer.center:
        beta = layer.weight(
            "beta",
            shape,
            layer.beta_initializer,
            regularizer=layer.beta_regularizer,
            dtype=dtype,
            constraint=layer.beta_constraint,
        )
    return gamma, beta


def weight_dtype(inputs: TensorType) -> DType:
    """Return the dtype of the weights, in which is computed as well: float32 for half types."""
    return float32 if inputs.dtype.is_half else inputs.dtype


def check_epsilon(layer: str, epsilon: float) -> None:
    """Look at what keeps the root from zero.

    Raises:
        InvalidArgumentError: it is negative.
    """
    if epsilon < 0.0:
        raise InvalidArgumentError(f"{layer}: epsilon is {epsilon:g}; it must not be negative.")


def check_axes(layer: str, axis: int | tuple[int, ...]) -> None:
    """Look whether there is an axis.

    Raises:
        InvalidArgumentError: there is none.
    """
    if axis == ():
        raise InvalidArgumentError(f"{layer}: axis is empty; give one axis or more.")


def normalized_axes(layer: str, axis: int | tuple[int, ...], inputs: TensorType) -> tuple[int, ...]:
    """Return axes, counted from the first, in order.

    Raises:
        ShapeError: there is no such axis.
    """
    rank = len(inputs.dims)
    chosen = (axis,) if isinstance(axis, int) else axis
    if any(not -rank <= one < rank for one in chosen):
        raise ShapeError(f"{layer}: axis {axis} is out of range; the input is {inputs}.")
    return tuple(sorted({one % rank for one in chosen}))


def example_axis(layer: str, axis: int, inputs: TensorType) -> int:
    """Return an axis, counted from the first, which is not that of the batch.

    Raises:
        ShapeError: there is no such axis, or it is that of the batch.
    """
    (found,) = normalized_axes(layer, axis, inputs)
    if found == 0:
        raise ShapeError(
            f"{layer}: axis {axis} is that of the batch; the input is {inputs}. Give that of the channels."
        )
    return found


def with_axes_of(part: Variable | None, x: Tensor, axes: tuple[int, ...]) -> Tensor | Variable | None:
    """Return a weight of the sizes of ``axes`` so that it broadcasts to ``x``."""
    rank = len(x.shape)
    if part is None or axes == tuple(range(axes[0], rank)):
        return part
    result: Tensor = dt.reshape(part, [x.shape[axis] if axis in axes else 1 for axis in range(axes[0], rank)])
    return result
