"""Shapes, types of tensors, broadcasting and axes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, SupportsIndex, final, overload

import numpy as np

from dovetail.errors import InvalidArgumentError, ShapeError
from dovetail.types.constraints import (
    Constraint,
    ConstraintKind,
    ConstraintSink,
    Message,
    broadcast_dim,
    collecting,
    demand,
    require,
    unify,
)
from dovetail.types.dims import (
    Dim,
    Symbol,
    SymbolicDim,
    definitely_different,
    evaluate,
    parse_dim,
    product,
    substitute,
    symbols_of,
)
from dovetail.types.dtypes import DType, as_dtype

__all__ = [
    "Constraint",
    "ConstraintKind",
    "ConstraintSink",
    "Message",
    "Shape",
    "TensorType",
    "broadcast_dim",
    "broadcast_shapes",
    "collecting",
    "demand",
    "normalize_axes",
    "normalize_axis",
    "parse_shape",
    "parse_type",
    "require",
    "unify",
]

_UNKNOWN: Final = "unknown rank"


@final
class Dimension(int):
    """A known size as TensorFlow 1's programs take it from ``get_shape()``: an int that has a ``value``."""

    __slots__ = ()

    @property
    def value(self) -> int:
        """The size."""
        return int(self)


@final
class Shape:
    """The shape of a tensor: a sequence of dimensions, or of unknown rank; immutable and hashable.

    Args:
        dims: ints at least 0 and symbolic dimensions; ``None`` makes a shape of unknown rank.

    Raises:
        ShapeError: a dimension is negative, ``None``, or no dimension at all.

    Example:
        >>> shape = Shape([8, Symbol("n"), 3])
        >>> shape, shape.rank, shape[1:], shape.size
        (Shape([8, n, 3]), 3, Shape([n, 3]), 24*n)
        >>> Shape(None).rank is None
        True
    """

    __slots__ = ("_dims", "_hash", "_of_dimensions")

    _dims: tuple[Dim, ...] | None

    def __init__(self, dims: Iterable[int | SymbolicDim | None] | Shape | None) -> None:
        """Check and keep the dimensions."""
        self._of_dimensions = False
        if isinstance(dims, Shape):
            self._dims = dims._dims
        else:
            self._dims = None if dims is None else tuple([_check_dim(dim) for dim in dims])
        self._hash = hash(self._dims)

    @property
    def rank(self) -> int | None:
        """The number of dimensions; ``None`` where it is unknown."""
        return None if self._dims is None else len(self._dims)

    @property
    def ndims(self) -> int | None:
        """The rank, under TensorFlow 1's name."""
        return self.rank

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The dimensions; raises ``ShapeError`` where the rank is unknown."""
        if self._dims is None:
            raise ShapeError(
                "The dimensions of a shape of unknown rank were asked for. "
                "Give the placeholder a shape, or call set_shape first."
            )
        return self._dims

    @property
    def is_static(self) -> bool:
        """Whether every dimension is an int."""
        return self._dims is not None and all(isinstance(dim, int) for dim in self._dims)

    def is_fully_defined(self) -> bool:
        """Tell whether every dimension is an int, under TensorFlow 1's name."""
        return self.is_static

    @property
    def size(self) -> Dim:
        """The number of elements; raises ``ShapeError`` where the rank is unknown."""
        return product(self.dims)

    def num_elements(self) -> int | None:
        """Give the number of elements, ``None`` where it is unknown."""
        size = None if self._dims is None else self.size
        return size if isinstance(size, int) else None

    @property
    def symbols(self) -> frozenset[Symbol]:
        """The symbols that the dimensions depend on; empty where the rank is unknown."""
        return frozenset[Symbol]().union(*(symbols_of(dim) for dim in self._dims or ()))

    def as_list(self) -> list[int | None]:
        """Give the dimensions with ``None`` for those that are not ints, as TensorFlow 1 does.

        Raises:
            ShapeError: the rank is unknown.
        """
        return [dim if isinstance(dim, int) else None for dim in self.dims]

    def with_rank(self, rank: int) -> Shape:
        """Give the shape itself if its rank is ``rank``.

        Raises:
            ShapeError: the rank differs or is unknown.
        """
        self.assert_has_rank(rank)
        return self

    def assert_has_rank(self, rank: int) -> None:
        """Raise ``ShapeError`` unless the rank is ``rank``."""
        if self.rank != rank:
            raise ShapeError(f"A shape of rank {rank} is needed, not {self}. Reshape the tensor, or set its shape.")

    def is_compatible_with(self, other: Shape | Iterable[int | SymbolicDim | None] | None) -> bool:
        """Tell whether some feed can make the two shapes equal; ``None`` stands for any dimension."""
        theirs = _loose_dims(other)
        if self._dims is None or theirs is None:
            return True
        return len(self._dims) == len(theirs) and not any(
            right is not None and definitely_different(left, right)
            for left, right in zip(self._dims, theirs, strict=True)
        )

    def merge_with(self, other: Shape | Iterable[int | SymbolicDim | None] | None) -> Shape:
        """Combine what the two shapes tell about one tensor; what a feed must settle goes to the current sink.

        Raises:
            ShapeError: they cannot be equal.

        Example:
            >>> Shape([Symbol("n"), 3]).merge_with([8, None])
            Shape([8, 3])
        """
        theirs = _loose_dims(other)
        if theirs is None:
            return self
        text = other if isinstance(other, Shape) else list(theirs)
        if self._dims is None:
            if None in theirs:
                raise ShapeError(f"{_UNKNOWN} cannot merge with {text}: None names no dimension. Name it.")
            return Shape(theirs)
        message = f"The shapes {self} and {text} cannot be those of one tensor. Give shapes that agree."
        if len(theirs) != len(self._dims):
            raise ShapeError(message)
        pairs = zip(self._dims, theirs, strict=True)
        return Shape([left if right is None else unify(left, right, message) for left, right in pairs])

    def concatenate(self, other: Shape | Iterable[int | SymbolicDim]) -> Shape:
        """Join the dimensions of two shapes; the rank is unknown where one's is.

        Example:
            >>> Shape([8]).concatenate([3, 4])
            Shape([8, 3, 4])
        """
        right = Shape(other)
        return Shape(None if self._dims is None or right._dims is None else self._dims + right._dims)

    def substitute(self, mapping: Mapping[Symbol, Dim]) -> Shape:
        """Replace symbols by dimensions; see ``dims.substitute``."""
        if self._dims is None or self.symbols.isdisjoint(mapping):
            return self
        return Shape([substitute(dim, mapping) for dim in self._dims])

    def evaluate(self, bindings: Mapping[Symbol, int]) -> tuple[int, ...]:
        """Compute the dimensions for given sizes.

        Raises:
            ShapeError: the rank is unknown, or a symbol has no value.

        Example:
            >>> Shape([8, Symbol("n")]).evaluate({Symbol("n"): 5})
            (8, 5)
        """
        return tuple([evaluate(dim, bindings) for dim in self.dims])

    def of_dimensions(self) -> Shape:
        """Give the shape with items that have a ``value``, ``None`` where it is not an int, as TensorFlow 1's have.

        Example:
            >>> [dim.value for dim in Shape([Symbol("n"), 3]).of_dimensions()]
            [None, 3]
        """
        result = Shape(self)
        result._of_dimensions = True
        return result

    def _item(self, dim: Dim) -> Dim:
        return Dimension(dim) if self._of_dimensions and isinstance(dim, int) else dim

    def __iter__(self) -> Iterator[Dim]:
        """Iterate over the dimensions."""
        return map(self._item, self.dims) if self._of_dimensions else iter(self.dims)

    def __len__(self) -> int:
        """Give the rank; raises ``ShapeError`` where it is unknown."""
        return len(self.dims)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Dim: ...
    @overload
    def __getitem__(self, index: slice) -> Shape: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Dim | Shape:
        """Give one dimension, or the shape of a slice of them."""
        if isinstance(index, slice):
            part = Shape(self.dims[index])
            return part.of_dimensions() if self._of_dimensions else part
        try:
            return self._item(self.dims[index])
        except IndexError as error:
            raise ShapeError(
                f"The shape {self} has no dimension {index}. Use an index from {-len(self)} to {len(self) - 1}."
                if self.dims
                else f"The shape {self} is a scalar's and has no dimension {index}."
            ) from error

    def __bool__(self) -> bool:
        """Tell whether the rank is known, as in TensorFlow 1."""
        return self._dims is not None

    def __add__(self, other: Shape | Iterable[int | SymbolicDim]) -> Shape:
        """Join shapes, as tuples do."""
        return self.concatenate(other) if isinstance(other, Shape | tuple | list) else NotImplemented

    def __radd__(self, other: Iterable[int | SymbolicDim]) -> Shape:
        """Join a tuple or list of dimensions and this shape."""
        return Shape(other).concatenate(self) if isinstance(other, tuple | list) else NotImplemented

    def __eq__(self, other: object) -> bool:
        """Compare with a shape, a tuple or a list; ``None`` in a list equals nothing."""
        if isinstance(other, Shape):
            return self._dims == other._dims
        if isinstance(other, tuple | list):
            return self._dims == tuple(other)
        return NotImplemented

    def __hash__(self) -> int:
        """Hash like the tuple of dimensions; computed once."""
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the dimensions; the cached hash holds for one process only."""
        return Shape, (self._dims,)

    def __str__(self) -> str:
        """Print like ``[8, n, 2*n + 1]``, or ``unknown rank``."""
        return _UNKNOWN if self._dims is None else f"[{', '.join(map(str, self._dims))}]"

    def __repr__(self) -> str:
        """Print like ``Shape([8, n])``."""
        return f"Shape({None if self._dims is None else self})"


def _check_dim(dim: object) -> Dim:
    if isinstance(dim, SymbolicDim) or (type(dim) is int and dim >= 0):
        return dim
    if isinstance(dim, int | np.integer) and not isinstance(dim, bool):
        if dim >= 0:
            return int(dim)
        raise ShapeError(f"A dimension cannot be {dim}. Use a size of at least 0, or a symbol where it is unknown.")
    raise ShapeError(f"{dim!r} is no dimension. Use an int of at least 0, or Symbol('n') where the size is unknown.")


def _loose_dims(dims: Shape | Iterable[int | SymbolicDim | None] | None) -> tuple[Dim | None, ...] | None:
    if dims is None:
        return None
    if isinstance(dims, Shape):
        return dims._dims
    return tuple([None if dim is None else _check_dim(dim) for dim in dims])


@final
class TensorType:
    """What is known of a tensor before it is computed: its element type and its shape; immutable and hashable.

    Example:
        >>> from dovetail.types.dtypes import float32
        >>> kind = TensorType(float32, Shape([8, Symbol("n")]))
        >>> kind, kind.rank, kind.size
        (float32[8, n], 2, 8*n)
    """

    __slots__ = ("_dtype", "_shape")

    def __init__(self, dtype: DType, shape: Shape) -> None:
        """Pair an element type and a shape."""
        self._dtype = dtype
        self._shape = shape

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype

    @property
    def shape(self) -> Shape:
        """The shape."""
        return self._shape

    @property
    def rank(self) -> int | None:
        """The rank of the shape; ``None`` where it is unknown."""
        return self._shape.rank

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The dimensions; raises ``ShapeError`` where the rank is unknown."""
        return self._shape.dims

    @property
    def size(self) -> Dim:
        """The number of elements; raises ``ShapeError`` where the rank is unknown."""
        return self._shape.size

    def __eq__(self, other: object) -> bool:
        """Compare element types and shapes."""
        return isinstance(other, TensorType) and self._dtype is other._dtype and self._shape == other._shape

    def __hash__(self) -> int:
        """Hash element type and shape."""
        return hash((self._dtype, self._shape))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle both parts."""
        return TensorType, (self._dtype, self._shape)

    def __str__(self) -> str:
        """Print like ``float32[8, n]``; ``float32[...]`` where the rank is unknown."""
        return f"{self._dtype.name}{self._shape or '[...]'}"

    def __repr__(self) -> str:
        """Print like ``str``."""
        return str(self)


def parse_shape(text: str) -> Shape:
    """Read a shape in the form that ``str`` prints.

    Raises:
        InvalidArgumentError: the text has another form.
        ShapeError: a dimension is negative.

    Example:
        >>> parse_shape("[8, max(n - 2, 0)]"), parse_shape("unknown rank")
        (Shape([8, max(n - 2, 0)]), Shape(None))
    """
    stripped = text.strip()
    if stripped in (_UNKNOWN, "[...]"):
        return Shape(None)
    if not (stripped.startswith("[") and stripped.endswith("]")):
        raise InvalidArgumentError(f"{text!r} is no shape. Write one such as '[8, n]', '[]' or '{_UNKNOWN}'.")
    inner = stripped[1:-1]
    if not inner.strip():
        return Shape(())
    parts, depth, start = [], 0, 0
    for position, character in enumerate(inner):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(inner[start:position])
            start = position + 1
    parts.append(inner[start:])
    return Shape([parse_dim(part) for part in parts])


def parse_type(text: str) -> TensorType:
    """Read the type of a tensor in the form that ``str`` prints.

    Raises:
        InvalidArgumentError: the text has another form.
        DTypeError: the element type does not exist.

    Example:
        >>> parse_type("float32[8, n]"), parse_type("int64[...]"), parse_type("bool[]")
        (float32[8, n], int64[...], bool[])
    """
    name, bracket, rest = text.strip().partition("[")
    if not bracket or not name:
        raise InvalidArgumentError(f"{text!r} is no type of a tensor. Write one such as 'float32[8, n]'.")
    return TensorType(as_dtype(name.strip()), parse_shape(bracket + rest))


def broadcast_shapes(*shapes: Shape, message: Message | None = None) -> Shape:
    """Give the shape that several broadcast to by NumPy's rules; unknown where the rank of one is.

    Args:
        shapes: any number; none give a scalar's shape.
        message: the text of the error, or a function that makes it.

    Raises:
        ShapeError: they do not broadcast.

    Example:
        >>> broadcast_shapes(Shape([Symbol("n"), 1]), Shape([3]))
        Shape([n, 3])
    """
    if not all(shapes):
        return Shape(None)

    def default() -> str:
        listed = " and ".join(map(str, shapes))
        return f"The shapes {listed} do not broadcast: aligned at the right, sizes must be equal or 1. Reshape one."

    result: tuple[Dim, ...] = ()
    for shape in shapes:
        dims = shape.dims
        if dims == result:
            continue
        rank = max(len(result), len(dims))
        pairs = zip((1,) * (rank - len(result)) + result, (1,) * (rank - len(dims)) + dims, strict=True)
        result = tuple([broadcast_dim(left, right, message or default) for left, right in pairs])
    return Shape(result)


def normalize_axis(axis: int, rank: int, operation: str) -> int:
    """Give ``axis`` counted from the front.

    Args:
        axis: from ``-rank`` to ``rank - 1``.
        rank: the rank of the tensor.
        operation: the name that the error begins with.

    Raises:
        ShapeError: the axis is out of range, or no int.

    Example:
        >>> normalize_axis(-1, 3, "softmax")
        2
    """
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
        raise ShapeError(f"{operation}: axis {axis!r} is no int. Give the position of a dimension.")
    if -rank <= axis < rank:
        return int(axis) % rank
    if rank == 0:
        raise ShapeError(f"{operation}: axis {axis} is out of range: the input is a scalar and has no axes.")
    raise ShapeError(f"{operation}: axis {axis} is out of range for rank {rank}. Use one from {-rank} to {rank - 1}.")


def normalize_axes(axes: int | Sequence[int] | None, rank: int, operation: str) -> tuple[int, ...]:
    """Give the axes counted from the front, in ascending order; ``None`` is all of them.

    Raises:
        ShapeError: an axis is out of range, no int, or named twice.

    Example:
        >>> normalize_axes([-1, 0], 3, "reduce_sum"), normalize_axes(None, 2, "reduce_sum")
        ((0, 2), (0, 1))
    """
    if axes is None:
        return tuple(range(rank))
    given = axes if isinstance(axes, Sequence | np.ndarray) else (axes,)
    found = sorted(normalize_axis(axis, rank, operation) for axis in given)
    for one, other in pairwise(found):
        if one == other:
            raise ShapeError(f"{operation}: axis {one} is named twice in {list(given)}. Name each axis once.")
    return tuple(found)
