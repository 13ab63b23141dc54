"""Diagonals: ``matrix_diag``, ``matrix_diag_part``, ``matrix_band_part``, ``diag``, ``diag_part``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dovetail.errors import ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.operation import Tensor
from dovetail.ops.composites import composite
from dovetail.ops.fills import range, zeros
from dovetail.ops.gather import gather
from dovetail.ops.reshaping import expand_dims, reshape
from dovetail.ops.sizes import as_axis
from dovetail.types.dims import Dim, dim_min, product
from dovetail.types.dtypes import int32
from dovetail.types.shapes import demand

__all__ = ["diag", "diag_part", "matrix_band_part", "matrix_diag", "matrix_diag_part"]


def offsets(rows: Dim, columns: Dim) -> Tensor:
    """Return, for each place of a matrix, its column less its row."""
    from dovetail.ops.math import subtract

    result: Tensor = subtract(expand_dims(range(columns, dtype=int32), 0), expand_dims(range(rows, dtype=int32), 1))
    return result


def _diag_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield (rng.normal(size=(3,)),)
    yield (rng.normal(size=(2, 3)),)
    yield (np.arange(2, dtype=np.int32),)


@composite(name="MatrixDiag", samples=_diag_samples)
def _matrix_diag(diagonal: Tensor) -> Tensor:
    """Matrices with the vectors on their diagonals."""
    from dovetail.ops.math import equal, where

    if not diagonal.shape.rank:
        raise ShapeError(f"matrix_diag: the diagonal is {diagonal.type}; at least one axis is needed.")
    size = diagonal.shape[-1]
    return where(equal(offsets(size, size), 0), expand_dims(diagonal, -1), zeros((), diagonal.dtype))


def matrix_diag(diagonal: Any, name: str | None = None) -> Tensor:
    """Return square matrices with given diagonals and zeros elsewhere.

    Args:
        diagonal: of shape ``[..., n]``.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., n, n]``.

    Raises:
        ShapeError: the diagonal is a scalar.

    Example:
        >>> dt.Session().run(dt.matrix_diag([1, 2]))
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    result: Tensor = _matrix_diag(diagonal, name=name)
    return result


def _matrix_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield (rng.normal(size=(3, 3)),)
    yield (rng.normal(size=(2, 2, 3)),)
    yield (np.arange(6, dtype=np.int32).reshape(3, 2),)


@composite(name="MatrixDiagPart", samples=_matrix_samples)
def _matrix_diag_part(input: Tensor) -> Tensor:
    """The diagonals of matrices."""
    if len(input.shape) < 2:
        raise ShapeError(f"matrix_diag_part: the input is {input.type}; at least two axes are needed.")
    rows, columns = input.shape.dims[-2:]
    flat = reshape(input, (*input.shape.dims[:-2], rows * columns))
    size = dim_min(rows, columns)
    return gather(
        flat,
        range(0, size * (columns + 1), columns + 1) if isinstance(columns, int) else _steps(size, columns),
        axis=-1,
    )


def _steps(size: Dim, columns: Dim) -> Tensor:
    from dovetail.ops.constants import dims_to_tensor
    from dovetail.ops.math import multiply

    result: Tensor = multiply(range(size), dims_to_tensor(columns + 1))
    return result


def matrix_diag_part(input: Any, name: str | None = None) -> Tensor:
    """Return the diagonals of matrices.

    Args:
        input: of shape ``[..., m, n]``.
        name: name of the node.

    Returns:
        A tensor of shape ``[..., min(m, n)]``.

    Raises:
        ShapeError: there are fewer than two axes.

    Example:
        >>> dt.Session().run(dt.matrix_diag_part([[1, 2], [3, 4]]))
        array([1, 4], dtype=int32)
    """
    result: Tensor = _matrix_diag_part(input, name=name)
    return result


def _band_samples(rng: np.random.Generator) -> Iterable[tuple[Any, ...]]:
    yield rng.normal(size=(3, 4)), {"lower": 1, "upper": 0}
    yield rng.normal(size=(2, 3, 3)), {"lower": -1, "upper": 1}
    yield np.ones((3, 3), np.int32), {"lower": 0, "upper": -1}


@composite(name="MatrixBandPart", samples=_band_samples)
def _matrix_band_part(input: Tensor, *, lower: int, upper: int) -> Tensor:
    """Matrices with zeros beyond a band around the diagonal."""
    from dovetail.ops.math import greater_equal, less_equal, logical_and, where

    if len(input.shape) < 2:
        raise ShapeError(f"matrix_band_part: the input is {input.type}; at least two axes are needed.")
    offset = offsets(*input.shape.dims[-2:])
    inside = greater_equal(offset, -lower) if lower >= 0 else None
    if upper >= 0:
        under = less_equal(offset, upper)
        inside = under if inside is None else logical_and(inside, under)
    return input if inside is None else where(inside, input, zeros((), input.dtype))


def matrix_band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Return matrices with zeros beyond a band around the diagonal.

    Args:
        input: of shape ``[..., m, n]``.
        num_lower: how many diagonals below the main one to keep; a negative number keeps all.
        num_upper: how many above to keep; a negative number keeps all.
        name: name of the node.

    Raises:
        ShapeError: there are fewer than two axes.

    Example:
        >>> dt.Session().run(dt.matrix_band_part([[1, 2], [3, 4]], -1, 0))
        array([[1, 0],
               [3, 4]], dtype=int32)
    """
    lower, upper = as_axis(num_lower, "matrix_band_part: num_lower"), as_axis(num_upper, "matrix_band_part: num_upper")
    result: Tensor = _matrix_band_part(input, lower=lower, upper=upper, name=name)
    return result


def diag(diagonal: Any, name: str | None = None) -> Tensor:
    """Return a tensor of twice the rank with the given elements on its diagonal and zeros elsewhere.

    Args:
        diagonal: of shape ``[a, b, …]``.
        name: name of the node.

    Returns:
        A tensor of shape ``[a, b, …, a, b, …]``.

    Raises:
        ShapeError: the rank is unknown or 0.

    Example:
        >>> dt.diag([1.0, 2.0]).shape
        Shape([2, 2])
    """
    x = as_tensor(diagonal)
    if not x.shape.rank:
        raise ShapeError(f'diag: "{x.name}" is {x.type}; a known rank of at least 1 is needed. {x.op.where()}')
    if x.shape.rank == 1:
        return matrix_diag(x, name=name)
    return reshape(matrix_diag(reshape(x, (x.shape.size,))), (*x.shape.dims, *x.shape.dims), name=name)


def diag_part(input: Any, name: str | None = None) -> Tensor:
    """Return the diagonal of a tensor of shape ``[a, b, …, a, b, …]``; undoes ``diag``.

    Raises:
        ShapeError: the shape is no such.

    Example:
        >>> dt.Session().run(dt.diag_part([[1, 2], [3, 4]]))
        array([1, 4], dtype=int32)
    """
    x = as_tensor(input)
    if not x.shape.rank or x.shape.rank % 2:
        raise ShapeError(f'diag_part: "{x.name}" is {x.type}; an even rank of at least 2 is needed. {x.op.where()}')
    dims = x.shape.dims[: x.shape.rank // 2]
    for mine, theirs in zip(dims, x.shape.dims[len(dims) :], strict=True):
        demand(
            "equal",
            mine,
            theirs,
            f'diag_part: "{x.name}" is {x.type}; both halves of the shape must be equal. {x.op.where()}',
        )
    if len(dims) == 1:
        return matrix_diag_part(x, name=name)
    size = product(dims)
    return reshape(matrix_diag_part(reshape(x, (size, size))), dims, name=name)
