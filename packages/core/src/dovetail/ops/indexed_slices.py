"""``IndexedSlices``: the gradient of rows that were gathered from a larger tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from dovetail.errors import InvalidArgumentError
from dovetail.graph.convert import as_tensor, register_converter
from dovetail.graph.graph import Graph
from dovetail.graph.operation import Tensor
from dovetail.types.dtypes import DType
from dovetail.types.shapes import Shape

__all__ = ["IndexedSlices", "add_gradients", "densify"]


@final
class IndexedSlices:
    """Rows of a tensor that is zero elsewhere; rows given twice add up.

    Attributes:
        values: the rows, of shape ``[k, ...]``.
        indices: their places along the first axis, integers of shape ``[k]``.
        dense_shape: shape of the whole; of unknown rank where it was not given.
    """

    __slots__ = ("dense_shape", "indices", "values")

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        """Describe rows."""
        self.values: Tensor = as_tensor(values)
        self.indices: Tensor = as_tensor(indices)
        self.dense_shape = dense_shape if isinstance(dense_shape, Shape) else _shape_of(dense_shape)

    def with_values(self, values: Tensor) -> IndexedSlices:
        """Return other rows at the same places."""
        return IndexedSlices(values, self.indices, self.dense_shape)

    @property
    def dtype(self) -> DType:
        """Element type of the rows."""
        return self.values.dtype

    @property
    def shape(self) -> Shape:
        """Shape of the whole."""
        return self.dense_shape

    @property
    def graph(self) -> Graph:
        """The graph of the rows."""
        return self.values.graph

    @property
    def name(self) -> str:
        """Name of the rows."""
        return self.values.name

    def __repr__(self) -> str:
        """Show what the rows belong to."""
        return f"IndexedSlices({self.values.name} of {self.values.dtype.name}{self.dense_shape})"


def _shape_of(dense_shape: Any) -> Shape:
    from dovetail.ops.sizes import opaque_name, opaque_shape, sizes_of

    if dense_shape is None:
        return Shape(None)
    return opaque_shape(sizes_of(dense_shape, "IndexedSlices: dense_shape"), opaque_name("slices"))


def densify(gradient: Tensor | IndexedSlices) -> Tensor:
    """Return a gradient as one tensor."""
    if isinstance(gradient, Tensor):
        return gradient
    if gradient.dense_shape.rank is None:
        raise InvalidArgumentError(
            f'IndexedSlices: the shape of the whole that the rows "{gradient.values.name}" are of is not known; give '
            f"dense_shape."
        )
    from dovetail.ops.arrays import zeros
    from dovetail.ops.gather import scatter_add_rows

    return scatter_add_rows(zeros(gradient.dense_shape, gradient.dtype), gradient.indices, gradient.values)


def add_gradients(parts: Sequence[Tensor | IndexedSlices]) -> Tensor | IndexedSlices:
    """Return the sum of gradients: rows stay rows while all of them are."""
    if len(parts) == 1:
        return parts[0]
    sparse = [part for part in parts if isinstance(part, IndexedSlices)]
    if len(sparse) == len(parts):
        from dovetail.ops.arrays import concat

        return IndexedSlices(
            concat([part.values for part in sparse], 0),
            concat([part.indices for part in sparse], 0),
            sparse[0].dense_shape,
        )
    from dovetail.ops.math import add_n

    return add_n([densify(part) for part in parts])


def _from_slices(value: Any, dtype: DType | None, name: str | None) -> Tensor:
    return densify(value)


register_converter(IndexedSlices, _from_slices)
