"""Arguments that say sizes: what is known of them while the graph is built, and names for what only a run will know.

Where TensorFlow takes an integer tensor (a shape, paddings, the bounds of a slice), Dovetail asks what its elements are
as dimensions. A size that truly depends on data becomes an opaque symbol, named by an attribute of the node that
determines it, so that the type rule gives the same symbol whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Op
from dovetail.graph.operation import Tensor
from dovetail.ops.constants import Constant
from dovetail.types.dims import Dim, Symbol, SymbolicDim
from dovetail.types.shapes import Shape, TensorType

__all__ = [
    "Gradients",
    "Resolved",
    "Sizes",
    "Tensors",
    "Types",
    "Values",
    "as_axis",
    "as_axes",
    "as_dim",
    "concrete",
    "known_elements",
    "moved",
    "object_array",
    "opaque_dim",
    "opaque_name",
    "opaque_shape",
    "settled_axis",
    "sizes_of",
]

Tensors: TypeAlias = Sequence[Tensor]
Gradients: TypeAlias = Sequence[Tensor | None]
Types: TypeAlias = Sequence[TensorType]
Values: TypeAlias = Sequence[Array | None]
Resolved: TypeAlias = tuple[Op, tuple[int, ...]] | None
Sizes: TypeAlias = tuple[Dim | None, ...]
"""Dimensions, with ``None`` for each that only a run will know."""


def object_array(elements: Any, shape: tuple[int, ...]) -> Array:
    """Return an array of Python objects, which NumPy does not look into."""
    flat = np.empty(len(elements), object)
    flat[:] = elements
    return flat.reshape(shape)


def moved(result: Any) -> Array:
    """Return what moving elements of an object array about gave, as an array also where one element is left."""
    if isinstance(result, np.ndarray):
        return result
    boxed = np.empty((), object)
    boxed[()] = result
    return boxed


def concrete(dims: Iterable[Dim]) -> tuple[int, ...]:
    """Return dimensions that are ints by now, as in a reference."""
    return tuple([int(dim) for dim in dims])


def known_elements(value: Any, what: str) -> Array | None:
    """Return the elements of an integer argument as an object array of dimensions.

    Args:
        value: a tensor, an int, a dimension, a shape, an array, or nested lists of these.
        what: the operation and its argument, with which an error begins, such as ``"reshape: shape"``.

    Returns:
        The elements; ``None`` where only a run knows one of them.

    Raises:
        DTypeError: an element is no integer.
        ShapeError: nested lists are ragged.
    """
    if isinstance(value, Tensor):
        if not value.dtype.is_integer:
            raise DTypeError(f'{what} is the tensor "{value.name}" of type {value.type}; use an integer tensor.')
        definition = value.op.definition
        if value.symbolic_value is None and isinstance(definition, Constant):
            array = definition.value.array
            return object_array(array.reshape(-1).tolist(), array.shape)
        return value.symbolic_value
    if isinstance(value, Shape):
        return object_array(value.dims, (len(value.dims),))
    if isinstance(value, SymbolicDim | int | np.integer) and not isinstance(value, bool):
        return object_array([value if isinstance(value, SymbolicDim) else int(value)], ())
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "iu" or (value.dtype.kind == "f" and not value.size):
            return object_array(value.reshape(-1).tolist(), value.shape)
        if value.dtype.kind != "O":
            raise DTypeError(f"{what} is an array of {value.dtype}; use integers.")
        return known_elements(value.tolist(), what)
    if isinstance(value, list | tuple):
        parts = [part for part in (known_elements(item, what) for item in value) if part is not None]
        if len(parts) < len(value):
            return None
        if any(part.shape != parts[0].shape for part in parts):
            raise ShapeError(f"{what} is {value!r}, whose parts have different lengths. Give lists of one length.")
        inner = parts[0].shape if parts else ()
        return object_array([item for part in parts for item in part.reshape(-1).tolist()], (len(parts), *inner))
    if value is None or isinstance(value, bool | float | str | bytes | np.generic):
        raise DTypeError(f"{what} holds {value!r}; use ints, dimensions or integer tensors.")
    return known_elements(as_tensor(value), what)


def sizes_of(value: Any, what: str) -> Sizes | None:
    """Return what is known of a vector of sizes, element by element.

    Args:
        value: as for ``known_elements``; a scalar counts as a vector of one.
        what: the operation and its argument, with which an error begins.

    Returns:
        A dimension for each element that is known and ``None`` for the others; ``None`` where not even their number is
        known.

    Raises:
        DTypeError: an element is no integer.
        ShapeError: ``value`` is no vector.
    """
    from dovetail.ops.joining import Concat, Stack

    known = known_elements(value, what)
    if known is not None:
        if known.ndim > 1:
            raise ShapeError(f"{what} has shape {list(known.shape)}; give a vector.")
        return tuple(known.reshape(-1).tolist())
    if isinstance(value, list | tuple):
        return tuple([_size_of(item, what) for item in value])
    tensor = as_tensor(value)
    definition, parts = tensor.op.definition, tensor.op.inputs
    if isinstance(definition, Stack) and all(part.shape.rank == 0 for part in parts):
        return tuple([_size_of(part, what) for part in parts])
    if isinstance(definition, Concat) and tensor.shape.rank == 1:
        found = [sizes_of(part, what) for part in parts]
        if all(one is not None for one in found):
            return tuple([size for one in found if one is not None for size in one])
    if tensor.shape.rank is None:
        return None
    if tensor.shape.rank > 1:
        raise ShapeError(f'{what} is the tensor "{tensor.name}" of type {tensor.type}; give a vector.')
    count = tensor.shape.dims[0] if tensor.shape.rank else 1
    return (None,) * count if isinstance(count, int) else None


def _size_of(value: Any, what: str) -> Dim | None:
    known = known_elements(value, what)
    if known is None:
        return None
    if known.size != 1:
        raise ShapeError(f"{what} holds a value of shape {list(known.shape)} where one size is wanted.")
    dim: Dim = known.reshape(-1).tolist()[0]
    return dim


def as_dim(value: Any, what: str) -> Dim | None:
    """Return a scalar argument as a dimension; ``None`` where only a run knows it.

    Raises:
        DTypeError: it is no integer.
        ShapeError: it is no scalar.
    """
    return _size_of(value, what)


def as_axis(value: Any, what: str) -> int:
    """Return an argument that names an axis as an int.

    Raises:
        InvalidArgumentError: it is not known while the graph is built.
        DTypeError: it is no integer.
    """
    axis = value if type(value) is int else _size_of(value, what)
    if not isinstance(axis, int):
        raise InvalidArgumentError(f"{what} is {value!r}, which is not known while the graph is built; use an int.")
    return axis


def as_axes(value: Any, what: str) -> tuple[int, ...]:
    """Return an argument that names one axis or several as a tuple of ints.

    Raises:
        InvalidArgumentError: it is not known while the graph is built.
        DTypeError: one is no integer.
    """
    known = known_elements(value, what)
    if known is None:
        raise InvalidArgumentError(f"{what} is {value!r}, which is not known while the graph is built; use ints.")
    return tuple([as_axis(axis, what) for axis in known.reshape(-1).tolist()])


def settled_axis(axis: int, rank: int | None) -> int:
    """Count an axis from the front where the rank is known; one out of range is left to the type rule."""
    return axis % rank if rank is not None and -rank <= axis < rank else axis


def opaque_name(hint: str) -> str:
    """Return a name, new in the graph, that the opaque sizes of one node are called after."""
    return get_default_graph().new_symbol(f"{hint}.data", data_dependent=True).name


def opaque_dim(name: str, axis: int = 0) -> Symbol:
    """Return the symbol of a size that only the run of one node determines."""
    return Symbol(f"{name}.{axis}", data_dependent=True)


def opaque_shape(sizes: Sequence[Dim | None] | None, name: str) -> Shape:
    """Return the shape of these sizes, with an opaque symbol for each that is not known; unknown rank for ``None``."""
    if sizes is None:
        return Shape(None)
    return Shape([opaque_dim(name, axis) if size is None else size for axis, size in enumerate(sizes)])
