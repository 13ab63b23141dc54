"""``SparseTensor``: the elements of a tensor that is otherwise zero, with their places; and what takes it."""

from __future__ import annotations

from typing import Any, NamedTuple, final

import numpy as np

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import Graph, default_session, get_default_graph
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops.arithmetic import multiply
from dovetail.ops.constants import constant, convert_to_tensor
from dovetail.ops.fills import fill
from dovetail.ops.gather import gather
from dovetail.ops.nest import Nested
from dovetail.ops.reshaping import expand_dims, reshape, transpose
from dovetail.ops.scattering import ScatterNdSlices, ScatterUpdate
from dovetail.ops.segments import unsorted_segment_sum
from dovetail.ops.sizes import opaque_name, opaque_shape, sizes_of
from dovetail.ops.state import placeholder
from dovetail.types.dtypes import DType, DTypeLike, int64
from dovetail.types.shapes import Shape

__all__ = [
    "SparseTensor",
    "SparseTensorValue",
    "convert_to_tensor_or_sparse_tensor",
    "sparse_placeholder",
    "sparse_tensor_dense_matmul",
    "sparse_tensor_to_dense",
    "sparse_to_dense",
]


class SparseTensorValue(NamedTuple):
    """What a fetched ``SparseTensor`` is, and what is fed for one.

    Attributes:
        indices: a row for each element, that names its place.
        values: the elements.
        dense_shape: the shape of the whole.
    """

    indices: Any
    values: Any
    dense_shape: Any


@final
class SparseTensor(Nested):
    """Elements of a tensor that is zero elsewhere.

    Args:
        indices: int64 ``[n, rank]``: the place of each element; no place twice.
        values: ``[n]``: the elements.
        dense_shape: int64 ``[rank]``: the shape of the whole.

    Raises:
        ShapeError: the ranks do not fit.

    Example:
        >>> x = dt.SparseTensor([[0, 1], [2, 0]], [5.0, 6.0], [3, 2])
        >>> dt.Session().run(dt.sparse_tensor_to_dense(x))
        array([[0., 5.],
               [0., 0.],
               [6., 0.]], dtype=float32)
    """

    __slots__ = ("dense_shape", "indices", "values")

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        """Describe elements."""
        self.indices: Tensor = as_tensor(indices, None if isinstance(indices, Tensor) else int64)
        self.values: Tensor = as_tensor(values)
        self.dense_shape: Tensor = as_tensor(dense_shape, None if isinstance(dense_shape, Tensor) else int64)
        for what, tensor, rank in (
            ("indices", self.indices, 2),
            ("values", self.values, 1),
            ("dense_shape", self.dense_shape, 1),
        ):
            if tensor.shape.rank not in (rank, None):
                raise ShapeError(f'SparseTensor: {what} "{tensor.name}" is {tensor.type}; it must have rank {rank}.')

    @classmethod
    def from_value(cls, value: Any) -> SparseTensor:
        """Return the tensor that a ``SparseTensorValue`` or a ``SparseTensor`` describes."""
        return value if isinstance(value, SparseTensor) else cls(*value)

    def parts(self) -> list[Any]:
        """Return the three tensors."""
        return [self.indices, self.values, self.dense_shape]

    def with_parts(self, parts: list[Any]) -> SparseTensor:
        """Return one of other tensors."""
        return SparseTensor(*parts)

    @property
    def dtype(self) -> DType:
        """Element type."""
        return self.values.dtype

    @property
    def shape(self) -> Shape:
        """Shape of the whole, as far as it is known while the graph is built."""
        return opaque_shape(sizes_of(self.dense_shape, "SparseTensor: dense_shape"), opaque_name("sparse"))

    def get_shape(self) -> Shape:
        """Return the shape of the whole, as TensorFlow 1 names it."""
        return self.shape.of_dimensions()

    @property
    def op(self) -> Operation:
        """The operation that makes the elements."""
        return self.values.op

    @property
    def graph(self) -> Graph:
        """The graph of the elements."""
        return self.values.graph

    @property
    def name(self) -> str:
        """Name of the elements."""
        return self.values.name

    def eval(self, feed_dict: Any = None, session: Any = None) -> SparseTensorValue:
        """Compute it in ``session``, or in the default session."""
        result: SparseTensorValue = default_session(session, self.op).run(self, feed_dict)
        return result

    def __repr__(self) -> str:
        """Show what it is made of."""
        return f"SparseTensor(indices={self.indices!r}, values={self.values!r}, dense_shape={self.dense_shape!r})"


def sparse_placeholder(dtype: DTypeLike, shape: Any = None, name: str | None = None) -> SparseTensor:
    """Return a sparse tensor that is fed to each run: a ``SparseTensorValue``, or a tuple of its three parts.

    Args:
        dtype: element type.
        shape: ints; with ``None`` in it, or for the whole, the shape is fed too.
        name: the scope of the nodes.

    Example:
        >>> x = dt.sparse_placeholder(dt.float32, [2, 2])
        >>> dt.Session().run(dt.sparse_tensor_to_dense(x), {x: ([[1, 0]], [3.0], [2, 2])})
        array([[0., 0.],
               [3., 0.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "SparsePlaceholder"):
        rank = None if shape is None else len(shape)
        known = shape is not None and None not in list(shape)
        sizes = constant(np.asarray(shape, np.int64), name="shape") if known else placeholder(int64, [rank], "shape")
        return SparseTensor(placeholder(int64, [None, rank], "indices"), placeholder(dtype, [None], "values"), sizes)


def convert_to_tensor_or_sparse_tensor(value: Any, dtype: DTypeLike | None = None, name: str | None = None) -> Any:
    """Return a ``SparseTensor`` as it is, a ``SparseTensorValue`` as one, and anything else as a tensor."""
    if isinstance(value, (SparseTensor, SparseTensorValue)):
        return SparseTensor.from_value(value)
    return convert_to_tensor(value, dtype, name)


def _given(operation: str, value: Any) -> SparseTensor:
    if not isinstance(value, (SparseTensor, SparseTensorValue)):
        raise DTypeError(f"{operation}: a {type(value).__name__} was given, where a SparseTensor is wanted.")
    return SparseTensor.from_value(value)


def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Tensor:
    """Return a tensor of one value, with others at places.

    Args:
        sparse_indices: integers: ``[n, rank]``; ``[n]`` for a vector; a scalar for one place in a vector.
        output_shape: the shape, a vector of known length.
        sparse_values: the values, ``[n]``, or a scalar for all places.
        default_value: the value elsewhere.
        validate_indices: has no effect: places outside are always an error; their order does not matter.
        name: the scope of the nodes.

    Raises:
        ShapeError: the shapes do not fit.
        OperationError: when run, a place lies outside.

    Example:
        >>> dt.Session().run(dt.sparse_to_dense([1, 3], [4], 7))
        array([0, 7, 0, 7], dtype=int32)
    """
    with get_default_graph().name_scope(name or "SparseToDense"):
        values = as_tensor(sparse_values)
        default = b"" if values.dtype.is_string and default_value == 0 else default_value
        whole = fill(output_shape, as_tensor(default, values.dtype))
        places = as_tensor(sparse_indices)
        if places.shape.rank == 0:
            places = reshape(places, [1, 1])
        elif places.shape.rank == 1:
            places = expand_dims(places, 1)
        result: Tensor = ScatterNdSlices(ScatterUpdate())(whole, places, values)
        return result


def sparse_tensor_to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """Return a sparse tensor as a dense one.

    Args:
        sp_input: a ``SparseTensor``, whose ``dense_shape`` has a known length.
        default_value: the value elsewhere, 0 (or no text) by default.
        validate_indices: has no effect: places outside are always an error; their order does not matter.
        name: the scope of the nodes.

    Raises:
        DTypeError: this is no ``SparseTensor``.
        OperationError: when run, a place lies outside.

    Example:
        >>> dt.Session().run(dt.sparse_tensor_to_dense(dt.SparseTensor([[1]], [5], [3]), default_value=-1))
        array([-1,  5, -1], dtype=int32)
    """
    x = _given("sparse_tensor_to_dense", sp_input)
    default = 0 if default_value is None else default_value
    return sparse_to_dense(x.indices, x.dense_shape, x.values, default, validate_indices, name or "SparseToDense")


def sparse_tensor_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Tensor:
    """Return the product of a sparse matrix and a dense one; gradients go to the elements and to the dense matrix.

    Args:
        sp_a: a ``SparseTensor`` of rank 2.
        b: a matrix.
        adjoint_a: whether to transpose the sparse matrix.
        adjoint_b: whether to transpose the dense one.
        name: the scope of the nodes.

    Raises:
        DTypeError: the first is no ``SparseTensor``, or the dtypes differ.
        OperationError: when run, a place lies outside.

    Example:
        >>> a = dt.SparseTensor([[0, 1], [2, 0]], [2.0, 3.0], [3, 2])
        >>> dt.Session().run(dt.sparse_tensor_dense_matmul(a, [[1.0], [10.0]]))
        array([[20.],
               [ 0.],
               [ 3.]], dtype=float32)
    """
    a = _given("sparse_tensor_dense_matmul", sp_a)
    dense = as_tensor(b, None if isinstance(b, Tensor) else a.dtype)
    if dense.dtype is not a.dtype:
        raise DTypeError(
            f"sparse_tensor_dense_matmul: the sparse matrix is {a.dtype.name}, the dense one {dense.type}. Make the "
            f"dtypes equal by dt.cast."
        )
    with get_default_graph().name_scope(name or "SparseTensorDenseMatMul"):
        rows, columns = a.indices[:, 0], a.indices[:, 1]
        sizes = sizes_of(a.dense_shape, "SparseTensor: dense_shape")
        axis = 0
        if adjoint_a:
            rows, columns, axis = columns, rows, 1
        dense = transpose(dense) if adjoint_b else dense
        count = sizes[axis] if sizes is not None else None
        parts = multiply(expand_dims(a.values, 1), gather(dense, columns))
        return unsorted_segment_sum(parts, rows, a.dense_shape[axis] if count is None else count)
