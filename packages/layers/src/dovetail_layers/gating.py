"""Activations of an axis of which one half gates the other, and the one that doubles an axis."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import dovetail as dt
from dovetail import Tensor, relu, sigmoid
from dovetail.errors import ShapeError
from dovetail.extend import composite
from dovetail_layers.activations import gelu, silu

__all__ = ["crelu", "geglu", "glu", "reglu", "swiglu"]


def _samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    """The last axis, and one in the middle."""
    yield (rng.normal(size=(3, 4)),)
    yield rng.normal(size=(2, 6, 2)), {"axis": 1}


def _gated(features: Tensor, axis: int, gate: Callable[[Tensor], Tensor]) -> Tensor:
    values, gates = dt.split(features, 2, axis=axis)
    result: Tensor = values * gate(gates)
    return result


@composite(name="Glu", samples=_samples)
def _glu(features: Tensor, *, axis: int = -1) -> Tensor:
    """``values * sigmoid(gates)``."""
    return _gated(features, axis, sigmoid)


@composite(name="SwiGlu", samples=_samples)
def _swiglu(features: Tensor, *, axis: int = -1) -> Tensor:
    """``values * silu(gates)``."""
    return _gated(features, axis, silu)


@composite(name="GeGlu", samples=_samples)
def _geglu(features: Tensor, *, axis: int = -1) -> Tensor:
    """``values * gelu(gates)``."""
    return _gated(features, axis, gelu)


@composite(name="ReGlu", samples=_samples)
def _reglu(features: Tensor, *, axis: int = -1) -> Tensor:
    """``values * relu(gates)``."""
    return _gated(features, axis, relu)


@composite(name="CRelu", samples=_samples)
def _crelu(features: Tensor, *, axis: int = -1) -> Tensor:
    """``relu`` of ``features`` and of ``-features``, joined."""
    return dt.concat([relu(features), relu(-features)], axis)


def glu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """Return ``values * sigmoid(gates)``, the first and second half of an axis (Dauphin et al., 2016).

    Args:
        features: a floating tensor; the size of the axis is even.
        axis: the axis of which one half gates the other.
        name: name of the node.

    Returns:
        A tensor whose axis is half as long.

    Raises:
        ShapeError: there is no such axis, or its size is odd.
        DTypeError: ``features`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.glu([[2.0, 4.0, 0.0, 0.0]]))
        array([[1., 2.]], dtype=float32)
    """
    result: Tensor = _glu(_of_two_halves("glu", features, axis), axis=int(axis), name=name)
    return result


def swiglu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """Return ``values * silu(gates)``, the first and second half of an axis (Shazeer, 2020, arXiv:2002.05202).

    Args:
        features: a floating tensor; the size of the axis is even.
        axis: the axis of which one half gates the other.
        name: name of the node.

    Returns:
        A tensor whose axis is half as long.

    Raises:
        ShapeError: there is no such axis, or its size is odd.
        DTypeError: ``features`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.swiglu([[2.0, 1.0]])).round(4)
        array([[1.4621]], dtype=float32)
    """
    result: Tensor = _swiglu(_of_two_halves("swiglu", features, axis), axis=int(axis), name=name)
    return result


def geglu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """Return ``values * gelu(gates)``, the first and second half of an axis (Shazeer, 2020, arXiv:2002.05202).

    Args:
        features: a floating tensor; the size of the axis is even.
        axis: the axis of which one half gates the other.
        name: name of the node.

    Returns:
        A tensor whose axis is half as long.

    Raises:
        ShapeError: there is no such axis, or its size is odd.
        DTypeError: ``features`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.geglu([[2.0, 1.0]])).round(4)
        array([[1.6827]], dtype=float32)
    """
    result: Tensor = _geglu(_of_two_halves("geglu", features, axis), axis=int(axis), name=name)
    return result


def reglu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """Return ``values * relu(gates)``, the first and second half of an axis (Shazeer, 2020, arXiv:2002.05202).

    Args:
        features: a floating tensor; the size of the axis is even.
        axis: the axis of which one half gates the other.
        name: name of the node.

    Returns:
        A tensor whose axis is half as long.

    Raises:
        ShapeError: there is no such axis, or its size is odd.
        DTypeError: ``features`` is not floating.

    Example:
        >>> dt.Session().run(dt.nn.reglu([[2.0, 3.0, 1.0, -1.0]]))
        array([[2., 0.]], dtype=float32)
    """
    result: Tensor = _reglu(_of_two_halves("reglu", features, axis), axis=int(axis), name=name)
    return result


def crelu(features: Any, name: str | None = None, axis: int = -1) -> Tensor:
    """Return ``relu`` of ``features`` and of ``-features``, joined along an axis (Shang et al., 2016).

    Args:
        features: a tensor of numbers.
        name: name of the node.
        axis: the axis along which they are joined.

    Returns:
        A tensor whose axis is twice as long.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> dt.Session().run(dt.nn.crelu([[1.0, -2.0]]))
        array([[1., 0., 0., 2.]], dtype=float32)
    """
    result: Tensor = _crelu(dt.convert_to_tensor(features), axis=int(axis), name=name)
    return result


def _of_two_halves(operation: str, features: Any, axis: int) -> Tensor:
    tensor = dt.convert_to_tensor(features)
    rank = tensor.shape.rank
    if rank is None:
        return tensor
    if not -rank <= axis < rank:
        raise ShapeError(f"{operation}: axis {axis} is out of range; the input is {tensor.type}. {tensor.op.where()}")
    size = tensor.shape[axis]
    if isinstance(size, int) and size % 2:
        raise ShapeError(
            f"{operation}: the input is {tensor.type}, whose axis {axis} has the odd size {size}; one half gates the "
            f"other, so make the layer before twice as wide as the output should be. {tensor.op.where()}"
        )
    return tensor
