"""Where the extremes are: ``argmax`` and ``argmin``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.ops.sizes import Types, as_axis, settled_axis
from dovetail.types.dims import Dim
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, int32, int64
from dovetail.types.shapes import Shape, TensorType, normalize_axis

__all__ = ["argmax", "argmin"]


class _Position(Op):
    """The first position of an extreme along an axis."""

    axis: int
    output_type: DType = int64
    differentiable = False
    label: ClassVar[str]
    function: ClassVar[Callable[..., Any]]

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """The integer type asked for."""
        if not dtypes[0].is_numeric:
            raise DTypeError(
                f"{self.label}: the input is {dtypes[0].name}, where a numeric dtype is wanted. Use dt.cast."
            )
        return (self.output_type,)

    def infer(self, x: TensorType) -> Signature:
        """The input's shape without the axis."""
        axis = normalize_axis(self.axis, len(x.dims), self.label)
        return TensorType(self.dtypes(x.dtype)[0], Shape([*x.dims[:axis], *x.dims[axis + 1 :]]))

    def reference(self, x: Array) -> Array:
        """NumPy's function, for which NaN is the extreme."""
        groups = np.empty(np.delete(x.shape, self.axis), self.output_type.numpy)
        if groups.size == 0:  # NumPy refuses an axis without elements even here
            return groups
        if not x.shape[self.axis]:
            raise InvalidArgumentError(
                f"{self.label}: axis {self.axis} of {as_dtype(x.dtype).name}{list(x.shape)} has no elements, so none "
                f"is the extreme; use another axis, or feed at least one element."
            )
        wide = x.astype(np.float32) if as_dtype(x.dtype).is_half else x
        return np.asarray(type(self).function(wide, self.axis)).astype(self.output_type.numpy, copy=False)

    def flops(self, inputs: Types, outputs: Types) -> Dim:
        """One for each element."""
        return inputs[0].size

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Each axis, ties, NaN, integers, a vector, no groups."""
        yield Sample(cls(0), rng.normal(size=(3, 4)))
        yield Sample(cls(-1, int32), rng.normal(size=(3, 4, 2)))
        yield Sample(cls(1), np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, np.nan, np.inf]]))
        yield Sample(cls(0), rng.integers(-5, 6, (7,)).astype(np.int32))
        yield Sample(cls(1), np.zeros((0, 3)))


@primitive
@final
class ArgMax(_Position):
    """The first position of the largest element along an axis."""

    label = "argmax"
    function = np.argmax


@primitive
@final
class ArgMin(_Position):
    """The first position of the smallest element along an axis."""

    label = "argmin"
    function = np.argmin


def _position(
    op: type[_Position], x: Any, axis: Any, dimension: Any, output_type: DTypeLike, name: str | None
) -> Tensor:
    if axis is not None and dimension is not None:
        raise InvalidArgumentError(f"{op.label}: axis and its old name dimension are both given; use axis.")
    wanted = as_dtype(output_type)
    if wanted not in (int32, int64):
        raise DTypeError(f"{op.label}: the output type is {wanted.name}; use int32 or int64.")
    tensor = as_tensor(x)
    given = dimension if axis is None else axis
    at = 0 if given is None else settled_axis(as_axis(given, f"{op.label}: axis"), tensor.shape.rank)
    result: Tensor = op(at, wanted)(tensor, name=name)
    return result


def argmax(
    input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: DTypeLike = int64
) -> Tensor:
    """Return the position of the largest element along an axis, the first where several are; NaN counts as the largest.

    Args:
        input: a numeric tensor.
        axis: along which, 0 by default; negative counts from the last.
        name: name of the node.
        dimension: the old name of ``axis``.
        output_type: int64 or int32.

    Raises:
        ShapeError: the axis is out of range.
        DTypeError: the tensor is not numeric, or the output type no such integer.

    Example:
        >>> dt.Session().run(dt.argmax([[1.0, 7.0, 7.0], [5.0, 2.0, 3.0]], axis=1))
        array([1, 0])
    """
    return _position(ArgMax, input, axis, dimension, output_type, name)


def argmin(
    input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: DTypeLike = int64
) -> Tensor:
    """Return the position of the smallest element along an axis, the first where several are; NaN counts as smallest.

    The arguments and errors are those of ``argmax``.

    Example:
        >>> dt.Session().run(dt.argmin([[1.0, 7.0, 7.0], [5.0, 2.0, 3.0]], axis=1))
        array([0, 1])
    """
    return _position(ArgMin, input, axis, dimension, output_type, name)
