"""``IndexedSlices``: the gradient of rows that were gathered from a larger tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from dovetail.graph.convert import register_converter
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
        dense_shape: shape of the whole.
    """

    __slots__ = ("dense_shape", "indices", "values")

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Shape) -> None:
        """Describe rows."""
        self.values = values
        self.indices = indices
        self.dense_shape = dense_shape

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


def densify(gradient: Tensor | IndexedSlices) -> Tensor:
    """Return a gradient as one tensor."""
    if isinstance(gradient, Tensor):
        return gradient
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
