"""What recurrent networks have in common: the products outside of the loop, and the types of what they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.operation import Tensor
from dovetail.ops.arrays import concat, expand_dims, reshape
from dovetail.ops.linear import matmul
from dovetail.types.dims import Dim
from dovetail.types.shapes import TensorType, unify

__all__ = ["check_operands", "check_rank", "plus", "projected", "rows", "states_before", "unprojected"]


def check_rank(operation: str, name: str, kind: TensorType, axes: Sequence[str]) -> None:
    """Make sure that an operand is floating and has the axes named.

    Raises:
        ShapeError: its rank is another.
        DTypeError: it is not floating.
    """
    if not kind.dtype.is_floating:
        raise DTypeError(f"{operation}: {name} is {kind}, where a floating type is wanted. Use dt.cast.")
    if kind.rank != len(axes):
        raise ShapeError(f"{operation}: {name} is {kind}, of rank {kind.rank}; its axes should be {', '.join(axes)}.")


def check_operands(operation: str, x: TensorType, wanted: Mapping[str, tuple[TensorType, tuple[Dim, ...]]]) -> None:
    """Make sure that operands have the dtype of the inputs and the dimensions that follow from the others'.

    Args:
        operation: the operation, with which an error begins.
        x: the type of the inputs.
        wanted: by the names of operands, their types and the dimensions that they should have.

    Raises:
        DTypeError: a dtype is another.
        ShapeError: a shape is another.
    """
    for name, (kind, dims) in wanted.items():
        shown = f"[{', '.join(map(str, dims))}]"
        if kind.dtype is not x.dtype:
            raise DTypeError(
                f"{operation}: {name} is {kind}, where {x.dtype.name}{shown} is wanted, as x is {x}. Use dt.cast."
            )
        message = f"{operation}: {name} is {kind}, where {x.dtype.name}{shown} is wanted, as x is {x}."
        if kind.rank != len(dims):
            raise ShapeError(message)
        for mine, theirs in zip(kind.dims, dims, strict=True):
            unify(mine, theirs, message)


def rows(x: Tensor) -> Tensor:
    """Return ``[time, batch, n]`` as a matrix of ``time * batch`` rows."""
    time, batch, last = x.shape.dims
    return reshape(x, (time * batch, last))


def projected(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Return ``x @ kernel + bias`` for all steps by one product."""
    time, batch, _ = x.shape.dims
    return reshape(matmul(rows(x), kernel) + bias, (time, batch, kernel.shape[1]))


def unprojected(gradient: Tensor, kernel: Tensor) -> Tensor:
    """Return the gradient of what was multiplied by ``kernel``, for all steps by one product."""
    time, batch, _ = gradient.shape.dims
    return reshape(matmul(rows(gradient), kernel, transpose_b=True), (time, batch, kernel.shape[0]))


def plus(x: Tensor, y: Tensor | None = None) -> Tensor:
    """Return ``x + y``, or ``x`` where there is no ``y``."""
    return x if y is None else x + y


def states_before(first: Tensor, states: Tensor, reverse: bool) -> Tensor:
    """Return the state that each step began with, from the initial state and those that the steps ended with."""
    if reverse:
        return concat([states, expand_dims(first, 0)], 0)[1:]
    return concat([expand_dims(first, 0), states], 0)[:-1]
