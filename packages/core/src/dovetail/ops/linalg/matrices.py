"""Small functions of matrices and vectors: ``trace``, ``cross``, ``matrix_set_diag``, ``adjoint`` and others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dovetail.errors import ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops.broadcasting import broadcast_to
from dovetail.ops.casting import cast
from dovetail.ops.composites import composite
from dovetail.ops.diagonals import matrix_diag_part, offsets
from dovetail.ops.indexing import roll
from dovetail.ops.linear import matmul
from dovetail.ops.math import equal
from dovetail.ops.operands import convert_operands
from dovetail.ops.padding import pad
from dovetail.ops.reductions import norm, reduce_sum
from dovetail.ops.reshaping import expand_dims, matrix_transpose, squeeze
from dovetail.ops.selection import where
from dovetail.types.dims import dim_min
from dovetail.types.shapes import unify

__all__ = ["adjoint", "cross", "matrix_set_diag", "matvec", "normalize", "trace"]


def _trace_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield (rng.normal(size=(3, 3)),)
    yield (rng.normal(size=(2, 2, 3)),)
    yield (np.arange(4, dtype=np.int32).reshape(2, 2),)


@composite(name="Trace", samples=_trace_samples)
def _trace(x: Tensor) -> Tensor:
    """The sum of the diagonal."""
    if len(x.shape) < 2:
        raise ShapeError(f"trace: the input is {x.type}; at least two axes are needed.")
    return reduce_sum(matrix_diag_part(x), -1)


def trace(x: Any, name: str | None = None) -> Tensor:
    """Return the sums of the diagonals of matrices.

    Args:
        x: numbers of shape ``[..., m, n]``.
        name: name of the node.

    Returns:
        A tensor of shape ``[...]``.

    Raises:
        ShapeError: there are fewer than two axes.

    Example:
        >>> dt.Session().run(dt.trace([[1, 2], [3, 4]]))
        np.int32(5)
    """
    result: Tensor = _trace(x, name=name)
    return result


def _cross_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(3,)), rng.normal(size=(3,))
    yield rng.normal(size=(2, 3)), rng.normal(size=(2, 3))


@composite(name="Cross", samples=_cross_samples)
def _cross(a: Tensor, b: Tensor) -> Tensor:
    """Products of one vector turned on by one, and the other by two."""
    message = f"cross: input 0 is {a.type} and input 1 is {b.type}; give tensors of one shape [..., 3]."
    if len(a.shape) != len(b.shape) or not len(a.shape):
        raise ShapeError(message)
    for mine, theirs in zip(a.shape, b.shape, strict=True):
        unify(mine, theirs, message)
    unify(a.shape[-1], 3, message)
    left, right = roll(a, -1, -1) * roll(b, -2, -1), roll(a, -2, -1) * roll(b, -1, -1)
    return left - right


def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """Return the cross products of vectors of three numbers.

    Args:
        a: of shape ``[..., 3]``.
        b: of the same type.
        name: name of the node.

    Raises:
        ShapeError: the shapes differ, or do not end with 3.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.Session().run(dt.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
        array([0., 0., 1.], dtype=float32)
    """
    operands = convert_operands("cross", ("a", "b"), (a, b), "cross", get_default_graph().current_source())
    result: Tensor = _cross(*operands, name=name)
    return result


def _set_diag_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(3, 3)), rng.normal(size=(3,))
    yield rng.normal(size=(2, 2, 3)), rng.normal(size=(2, 2))
    yield rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 2))


@composite(name="MatrixSetDiag", samples=_set_diag_samples)
def _matrix_set_diag(input: Tensor, diagonal: Tensor) -> Tensor:
    """A choice between both, by place."""
    message = (
        f"matrix_set_diag: the input is {input.type} and the diagonal {diagonal.type}; for matrices [..., m, n] give "
        f"diagonals [..., min(m, n)]."
    )
    if len(input.shape) < 2 or len(diagonal.shape) != len(input.shape) - 1:
        raise ShapeError(message)
    *batch, rows, columns = input.shape.dims
    for mine, theirs in zip((*batch, dim_min(rows, columns)), diagonal.shape.dims, strict=True):
        unify(mine, theirs, message)
    missing = rows - dim_min(rows, columns)
    if missing != 0:
        diagonal = pad(diagonal, [[0, 0]] * len(batch) + [[0, missing]])
    wide = broadcast_to(expand_dims(diagonal, -1), input.shape.dims)
    result: Tensor = where(equal(broadcast_to(offsets(rows, columns), input.shape.dims), 0), wide, input)
    return result


def matrix_set_diag(input: Any, diagonal: Any, name: str | None = None) -> Tensor:
    """Return matrices with other diagonals.

    Args:
        input: of shape ``[..., m, n]``.
        diagonal: of the same dtype and shape ``[..., min(m, n)]``.
        name: name of the node.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the dtypes differ.

    Example:
        >>> dt.Session().run(dt.matrix_set_diag([[1, 2], [3, 4]], [0, 9]))
        array([[0, 2],
               [3, 9]], dtype=int32)
    """
    names = ("input", "diagonal")
    source = get_default_graph().current_source()
    result: Tensor = _matrix_set_diag(
        *convert_operands("matrix_set_diag", names, (input, diagonal), "matrix_set_diag", source), name=name
    )
    return result


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """Return the transposed matrices, complex numbers conjugated.

    Raises:
        ShapeError: the tensor has fewer than two axes, or its rank is unknown.

    Example:
        >>> dt.linalg.adjoint(dt.zeros([5, 2, 3])).shape
        Shape([5, 3, 2])
    """
    return matrix_transpose(matrix, name=name, conjugate=True)


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return the products of matrices with vectors.

    Args:
        a: numbers of shape ``[..., m, n]``, or ``[..., n, m]`` if it is transposed.
        b: of the same dtype and shape ``[..., n]``.
        transpose_a: whether the last two axes of ``a`` are exchanged first.
        adjoint_a: whether they are conjugated as well.
        a_is_sparse: has no effect; here for TensorFlow 1 programs.
        b_is_sparse: has no effect; here for TensorFlow 1 programs.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., m]``.

    Raises:
        ShapeError: the shapes do not fit.
        DTypeError: the dtypes differ, or are not numbers.

    Example:
        >>> dt.Session().run(dt.linalg.matvec([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]))
        array([3., 7.], dtype=float32)
    """
    operands = convert_operands("matvec", ("a", "b"), (a, b), "matvec", get_default_graph().current_source())
    if operands[1].shape.rank == 0:
        raise ShapeError(f"matvec: input 1 is {operands[1].type}, a scalar, where vectors [..., n] are wanted.")
    whole = matmul(operands[0], expand_dims(operands[1], -1), transpose_a, adjoint_a=adjoint_a)
    return squeeze(whole, -1, name=name)


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> Sequence[Tensor]:
    """Return a tensor divided by its norms, and the norms; see ``norm``.

    Args:
        tensor: a floating tensor.
        ord: the kind of norm.
        axis: the axis of vectors, two axes of matrices, or ``None`` to take the whole as one vector.
        name: name of the scope.

    Example:
        >>> unit, length = dt.linalg.normalize([3.0, 4.0])
        >>> dt.Session().run(unit)
        array([0.6, 0.8], dtype=float32)
    """
    with get_default_graph().name_scope(name or "normalize"):
        x = as_tensor(tensor)
        length = norm(x, ord, axis, keepdims=True)
        return x / cast(length, x.dtype), length
