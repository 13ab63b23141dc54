"""``FreeShapes``: the base of operations whose outputs have the shapes that ``set_shape`` says, or that a run tells."""

from __future__ import annotations

from collections.abc import Sequence

from dovetail.graph.op import Op
from dovetail.ops.sizes import opaque_dim
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DType
from dovetail.types.shapes import Shape, TensorType

__all__ = ["FreeShapes"]


class FreeShapes(Op):
    """An operation whose type rule cannot know the shapes of its outputs.

    Attributes:
        label: names the sizes that only a run tells.
        kinds: dtypes of the outputs.
        shapes: what is known of the shapes: ``None`` in place of one of unknown rank, and of a size that a run tells.
    """

    free_shape = True
    label: str
    kinds: tuple[DType, ...]
    shapes: tuple[tuple[Dim | None, ...] | None, ...]

    def free_dim(self, output: int, axis: int) -> Dim:
        """A symbol that is called after the node."""
        return opaque_dim(f"{self.label}.{output}", axis)

    def with_types(self, types: Sequence[TensorType]) -> Op:
        """Take over what is known of the types."""
        return self.replace(shapes=tuple(self._known(number, one) for number, one in enumerate(types)))

    def _known(self, output: int, kind: TensorType) -> tuple[Dim | None, ...] | None:
        if kind.rank is None:
            return None
        dims = kind.shape.dims
        return tuple([None if dim == self.free_dim(output, axis) else dim for axis, dim in enumerate(dims)])

    def infer_all(self, types: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """What is known, whatever the inputs are."""
        return tuple(
            TensorType(dtype, Shape(None) if sizes is None else Shape(self._dims(number, sizes)))
            for number, (dtype, sizes) in enumerate(zip(self.kinds, self.shapes, strict=True))
        )

    def _dims(self, output: int, sizes: tuple[Dim | None, ...]) -> list[Dim]:
        return [self.free_dim(output, axis) if size is None else size for axis, size in enumerate(sizes)]
