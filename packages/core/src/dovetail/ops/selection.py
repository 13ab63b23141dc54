"""Choosing elements by a condition: ``where`` and ``select``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive, register
from dovetail.ops.composites import CompositeOp
from dovetail.ops.operands import convert_operands
from dovetail.ops.reshaping import reshape
from dovetail.ops.scalar import Expression, Input, basis
from dovetail.ops.scalars import ScalarOp
from dovetail.ops.sizes import opaque_dim, opaque_name
from dovetail.types.dtypes import DType, bool_, int64
from dovetail.types.shapes import Shape, TensorType, demand

__all__ = ["select", "where"]

_SELECT: Final = basis.select(Input(0), Input(1), Input(2))


@register
@final
class Select(ScalarOp):
    """An element of the second input where the first holds, else of the third."""

    label = "where"

    @property
    def scalar_expression(self) -> Expression:
        """``select(x0, x1, x2)``."""
        return _SELECT

    def _dtype(self, dtypes: tuple[DType, ...], shown: Sequence[object]) -> DType:
        condition, x, y = dtypes
        if condition is not bool_:
            raise DTypeError(f"where: the condition is {shown[0]}, where bool is wanted; compare it with something.")
        if x is not y:
            raise DTypeError(
                f"where: x is {shown[1]} and y is {shown[2]}; they must have one dtype. Use dt.cast on one of them."
            )
        return x

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Equal and broadcast shapes, integers, truth values, scalars, empty, strings."""
        condition = np.array([[True, False, True], [False, False, True]])
        yield Sample(cls(), condition, rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
        yield Sample(cls(), condition, rng.normal(size=(3,)), np.float64(0.5))
        yield Sample(cls(), condition[:, :1], rng.normal(size=(2, 3)), rng.normal(size=(4, 1, 1)))
        yield Sample(cls(), np.array(True), np.int32(1), np.int32(2))
        yield Sample(cls(), condition, ~condition, condition)
        yield Sample(cls(), np.zeros((0, 3), bool), rng.normal(size=(3,)), rng.normal(size=(1, 3)))
        yield Sample(cls(), np.array([True, False]), np.array([b"a", b"b"], object), np.array(b"c", object))


@register
@final
class SelectRows(CompositeOp):
    """``Select`` with TensorFlow 1's rule for vectors, decided once the ranks are known."""

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """That of the values."""
        return (Select()._dtype(dtypes, [dtype.name for dtype in dtypes]),)

    def decomposition(self, *tensors: Tensor) -> Tensor:
        """Shape the condition, then select."""
        condition, x, y = tensors
        result: Tensor = Select()(_row_condition(condition, x, y), x, y)
        return result

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """A vector that selects rows; one that selects elements."""
        condition = np.array([True, False])
        yield Sample(cls(), condition, rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
        yield Sample(cls(), condition, rng.normal(size=(2, 2, 2)), np.float64(0.0))
        yield Sample(cls(), condition, rng.normal(size=(2,)), rng.normal(size=(2,)))


@primitive
@final
class Where(Op):
    """The indices of the elements that hold, one a row, in row-major order; ``symbol`` names their number."""

    differentiable = False
    symbol: str

    def dtypes(self, *dtypes: DType) -> tuple[DType, ...]:
        """Always int64."""
        if dtypes[0].is_string:
            raise DTypeError("where: the condition is string; compare it with something.")
        return (int64,)

    def infer(self, condition: TensorType) -> Signature:
        """As many rows as elements hold, and a column for each axis."""
        return TensorType(self.dtypes(condition.dtype)[0], Shape([opaque_dim(self.symbol), len(condition.dims)]))

    def reference(self, condition: Array) -> Array:
        """NumPy's argwhere."""
        return np.argwhere(condition).astype(np.int64, copy=False)

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """A matrix, none, a scalar, empty, numbers."""
        yield Sample(cls("where.sample"), np.array([[True, False], [True, True]]))
        yield Sample(cls("where.sample"), np.zeros((2, 3), bool))
        yield Sample(cls("where.sample"), np.array(True))
        yield Sample(cls("where.sample"), np.zeros((0, 3), bool))
        yield Sample(cls("where.sample"), np.array([0.0, 1.5, np.nan]))


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Choose between two tensors element by element; or give the indices where a condition alone holds.

    The shapes broadcast, with TensorFlow 1's exception: a condition of rank 1 beside a tensor of higher rank selects
    rows, so it is as long as the first axis. ``select`` broadcasts without exception.

    Args:
        condition: truth values; alone, also numbers, which hold where they are not 0.
        x: what to take where the condition holds.
        y: what to take elsewhere, of the same dtype.
        name: name of the node.

    Returns:
        The chosen elements; or int64 indices of shape ``[number of true elements, rank of the condition]``.

    Raises:
        InvalidArgumentError: only one of ``x`` and ``y`` is given.
        DTypeError: the condition is not bool, or the dtypes of ``x`` and ``y`` differ.
        ShapeError: the shapes do not broadcast.

    Example:
        >>> dt.Session().run(dt.where([True, False], [[1, 2], [3, 4]], 0))
        array([[1, 2],
               [0, 0]], dtype=int32)
        >>> dt.Session().run(dt.where([[True, False], [True, True]]))
        array([[0, 0],
               [1, 0],
               [1, 1]])
    """
    result: Tensor
    if x is None and y is None:
        result = Where(opaque_name("where"))(as_tensor(condition), name=name)
        return result
    return _chosen(condition, x, y, name, by_rows=True)


def select(condition: Any, x: Any, y: Any, name: str | None = None) -> Tensor:
    """Choose between two tensors element by element; all three shapes broadcast.

    Args:
        condition: truth values.
        x: what to take where the condition holds.
        y: what to take elsewhere, of the same dtype.
        name: name of the node.

    Raises:
        DTypeError: the condition is not bool, or the dtypes of ``x`` and ``y`` differ.
        ShapeError: the shapes do not broadcast.

    Example:
        >>> dt.Session().run(dt.select([True, False], [[1, 2], [3, 4]], 0))
        array([[1, 0],
               [3, 0]], dtype=int32)
    """
    return _chosen(condition, x, y, name, by_rows=False)


def _chosen(condition: Any, x: Any, y: Any, name: str | None, *, by_rows: bool) -> Tensor:
    if x is None or y is None:
        missing = "x" if x is None else "y"
        raise InvalidArgumentError(
            f"where: {missing} is missing; give both x and y, or the condition alone for its indices."
        )
    graph = get_default_graph()
    source = graph.current_source()
    full_name = graph.unique_name(name or "Select")
    chooser = as_tensor(condition)
    values = convert_operands("where", ("x", "y"), (x, y), full_name, source)
    op: Op = Select()
    if by_rows and any(one.shape.rank is None for one in (chooser, *values)):
        op = SelectRows()
    elif by_rows:
        with graph.name_scope(f"{full_name}/"):
            chooser = _row_condition(chooser, *values)
    return graph.create(op, [chooser, *values], name=f"{full_name}/", source=source).outputs[0]


def _row_condition(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the condition, of rank 1 beside a higher one as a column."""
    shapes = x.shape, y.shape
    rank = max(len(shape.dims) for shape in shapes)
    if condition.shape.rank != 1 or rank < 2:
        return condition
    length = condition.shape.dims[0]
    for label, tensor in (("x", x), ("y", y)):
        if len(tensor.shape.dims) == rank:
            demand(
                "broadcast",
                length,
                tensor.shape.dims[0],
                f"where: the condition is {condition.type}, which selects rows, and {label} is {tensor.type}; its "
                f"first axis must be as long. Give the condition {rank} axes, or use select, which broadcasts. "
                f"{condition.op.where()}",
            )
    return reshape(condition, [length, *[1] * (rank - 1)])
