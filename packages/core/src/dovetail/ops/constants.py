"""Constants, and how Python and NumPy values become tensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor, register_converter
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive
from dovetail.types.attributes import ArrayAttribute
from dovetail.types.dims import Dim, SymbolicDim
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, bool_, float32, int32, int64, string
from dovetail.types.shapes import Shape, TensorType

__all__ = [
    "Constant",
    "Dims",
    "array_of",
    "constant",
    "convert_to_tensor",
    "dims_to_tensor",
    "static_shape",
    "symbolic_array",
]

_SYMBOLIC_LIMIT = 64


def symbolic_array(array: Array) -> Array | None:
    """Return a small integer array as an object array of dimensions; ``None`` for others."""
    if array.ndim > 1 or array.size > _SYMBOLIC_LIMIT or array.dtype.kind not in "iu":
        return None
    result = np.empty(array.shape, object)
    result[...] = array.tolist()
    return result


@primitive
@final
class Constant(Op):
    """An array that is part of the graph."""

    value: ArrayAttribute

    def default_name(self) -> str:
        """``Const``, as TensorFlow 1 names it."""
        return "Const"

    def infer(self) -> Signature:
        """The array's type."""
        array = self.value.array
        return TensorType(as_dtype(array.dtype), Shape(array.shape))

    def reference(self) -> Array:
        """The array."""
        return self.value.array

    def symbolic_value(self, types: Sequence[TensorType], values: Sequence[Array | None]) -> Array | None:
        """The elements, if few integers."""
        return symbolic_array(self.value.array)

    def __str__(self) -> str:
        """Show small arrays whole, large ones by type."""
        array = self.value.array
        shown = np.array2string(array, separator=", ").replace("\n", "") if array.size <= 8 else "…"
        return f"Const[{as_dtype(array.dtype).name}{list(array.shape)} {shown}]"

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """Arrays of several dtypes."""
        for array in (np.float32(1.5), np.arange(6, dtype=np.int64).reshape(2, 3), np.array([True, False])):
            yield Sample(cls(ArrayAttribute(np.asarray(array))))


@primitive
@final
class Dims(Op):
    """The values of dimensions, as a scalar or a vector of integers."""

    dims: Dim | tuple[Dim, ...]
    dtype: DType = int32

    def infer(self) -> Signature:
        """A scalar for a single dimension, else a vector."""
        return TensorType(self.dtype, Shape((len(self.dims),) if isinstance(self.dims, tuple) else ()))

    def reference(self) -> Array:
        """The sizes; attributes are concrete by now."""
        return np.asarray(self.dims, self.dtype.numpy)

    def symbolic_value(self, types: Sequence[TensorType], values: Sequence[Array | None]) -> Array | None:
        """The dimensions themselves, of integer tensors."""
        if not self.dtype.is_integer:
            return None
        size = (len(self.dims),) if isinstance(self.dims, tuple) else ()
        result = np.empty(size, object)
        result[...] = self.dims
        return result

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterable[Sample]:
        """A scalar and a vector."""
        yield Sample(cls(3))
        yield Sample(cls((4, 5), int64))


def array_of(value: Any, dtype: DType | None = None) -> Array:
    """Return ``value`` as an array of an element type that tensors have.

    Python floats become float32, Python ints int32, complex numbers complex128; NumPy arrays keep their type.

    Raises:
        DTypeError: the value is of a kind that no tensor holds, or would lose its fraction.
        InvalidArgumentError: a number does not fit the type.
        ShapeError: nested lists are ragged.
    """
    if dtype is string or isinstance(value, (str, bytes)):
        return _string_array(value, dtype)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(
            f"cannot make a tensor of {_shorten(value)}: the nested lists have different lengths."
        ) from error
    if array.dtype.kind in "USO":
        return _string_array(value, dtype)
    typed = isinstance(value, (np.ndarray, np.generic)) or (hasattr(value, "dtype") and hasattr(value, "__array__"))
    if dtype is None:
        if not typed and array.dtype == np.float64 and not _mentions_numpy(value):
            dtype = float32
        elif not typed and array.dtype.kind in "iu" and not _mentions_numpy(value):
            dtype = int32
            if array.size and (array.min() < dtype.min or array.max() > dtype.max):
                raise InvalidArgumentError(f"{_shorten(value)} does not fit int32; pass dtype=dt.int64.")
        else:
            dtype = as_dtype(array.dtype)
    return cast_exactly(array, dtype, lambda: _shorten(value))


def cast_exactly(array: Array, dtype: DType, shown: Any) -> Array:
    """Convert without overflow, and without dropping a fraction.

    Raises:
        DTypeError: a fraction, an imaginary part or a truth value would be lost.
        InvalidArgumentError: a number does not fit.
    """
    if array.dtype == dtype.numpy:
        return array
    source = as_dtype(array.dtype)
    if source.is_string or dtype.is_string or (source.is_bool and array.size) or (dtype.is_bool and array.size):
        raise DTypeError(f"{shown()} is {source.name}, which does not become {dtype.name}; use dt.cast.")
    if source.is_complex and dtype.is_numeric:
        if array.size:
            raise DTypeError(
                f"{shown()} is {source.name}, which would lose its imaginary part as {dtype.name}; use dt.real."
            )
        array = array.real
    elif source.is_floating and dtype.is_integer:
        if array.size:
            raise DTypeError(f"{shown()} is {source.name}, which would lose its fraction as {dtype.name}; use dt.cast.")
    elif dtype.is_integer and array.size and (int(array.min()) < dtype.min or int(array.max()) > dtype.max):
        raise InvalidArgumentError(f"{shown()} does not fit {dtype.name}, which holds {dtype.min} to {dtype.max}.")
    with np.errstate(over="ignore"):
        result = array.astype(dtype.numpy)
    if dtype.is_inexact and array.size:
        lost = np.isinf(result.astype(np.float32) if dtype.is_half else result)
        if lost.any() and not np.isinf(array if source.is_complex else array.astype(np.float64))[lost].all():
            largest = dtype.real_dtype.max
            raise InvalidArgumentError(f"{shown()} overflows {dtype.name}, whose largest value is {largest:g}.")
    return result


def _mentions_numpy(value: Any) -> bool:
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (np.ndarray, np.generic))


def _string_array(value: Any, dtype: DType | None) -> Array:
    if dtype is not None and not dtype.is_string:
        raise DTypeError(f"{_shorten(value)} is text or another object, which does not become {dtype.name}.")
    raw = np.asarray(value, object)
    result = np.empty(raw.shape, object)
    flat = result.reshape(-1) if result.ndim else None
    for i, item in enumerate(raw.reshape(-1).tolist()):
        if isinstance(item, str):
            item = item.encode()
        elif not isinstance(item, bytes):
            raise DTypeError(
                f"a {type(item).__name__} ({_shorten(item)}) cannot be an element of a tensor; use numbers, truth "
                f"values, text or bytes."
            )
        if flat is None:
            result[()] = item
        else:
            flat[i] = item
    return result


def _shorten(value: Any) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "…"


def constant(value: Any, dtype: DTypeLike | None = None, shape: Any = None, name: str = "Const") -> Tensor:
    """Return a tensor of a value known now.

    Args:
        value: a number, text, nested lists of them, or an array.
        dtype: element type; by default float32 for Python floats, int32 for Python ints, complex128 for complex
            numbers, an array's own.
        shape: a shape to which ``value`` is reshaped, or which a single value fills.
        name: name of the node.

    Raises:
        DTypeError: the value has no element type, or not this one.
        InvalidArgumentError: a number does not fit ``dtype``.
        ShapeError: the value does not fill ``shape``.

    Example:
        >>> constant([[1.0, 2.0]]).type
        float32[1, 2]
    """
    array = array_of(value, None if dtype is None else as_dtype(dtype))
    if shape is not None:
        wanted = get_default_graph().make_shape(shape).evaluate({})
        if array.size == 1:
            array = np.broadcast_to(array.reshape(()), wanted)
        elif array.size != int(np.prod(wanted)):
            raise ShapeError(f"a constant of {array.size} elements does not fill shape {list(wanted)}.")
        else:
            array = array.reshape(wanted)
    node = get_default_graph().create(Constant(ArrayAttribute(array)), (), name=name)
    return node.outputs[0]


def dims_to_tensor(dims: Dim | Iterable[Dim], dtype: DType = int32, name: str | None = None) -> Tensor:
    """Return dimensions as an integer tensor: a scalar, or a vector of several."""
    if isinstance(dims, SymbolicDim):
        return get_default_graph().create(Dims(dims, dtype), (), name=name or "Dims").outputs[0]
    if isinstance(dims, int):
        return constant(dims, dtype, name=name or "Const")
    several = tuple(dims)
    if all(isinstance(dim, int) for dim in several):
        return constant(np.asarray(several, dtype.numpy), name=name or "Const")
    return get_default_graph().create(Dims(several, dtype), (), name=name or "Dims").outputs[0]


def convert_to_tensor(value: Any, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """Return ``value`` as a tensor.

    Args:
        value: a tensor, variable, number, text, array, dimension, shape, or nested lists of these.
        dtype: the element type it must have; Python numbers are made in it.
        name: name of a node that may be made.

    Raises:
        DTypeError: the value has another dtype, or cannot be a tensor.
    """
    wanted = None if dtype is None else as_dtype(dtype)
    tensor = as_tensor(value, wanted, name)
    if wanted is not None and tensor.dtype is not wanted:
        raise DTypeError(
            f'tensor "{tensor.name}" is {tensor.dtype.name}, where {wanted.name} is wanted; use dt.cast. '
            f"{tensor.op.where()}"
        )
    return tensor


def static_shape(shape: Any) -> Shape | None:
    """Return the shape that an argument names, or ``None`` where only a running session knows it.

    Args:
        shape: ints, dimensions, a ``Shape``, a tensor, or a list of ints, dimensions and scalar tensors; ``-1`` and
            ``None`` are not taken.
    """
    if isinstance(shape, Shape):
        return shape
    if isinstance(shape, Tensor):
        values = shape.symbolic_value
        return None if values is None else Shape(values.reshape(-1).tolist())
    if isinstance(shape, (int, np.integer, SymbolicDim)):
        shape = [shape]
    dims: list[Dim] = []
    for item in np.asarray(shape, object).reshape(-1).tolist() if isinstance(shape, np.ndarray) else list(shape):
        dim = item
        if isinstance(dim, Tensor):
            if dim.symbolic_value is None or dim.symbolic_value.size != 1:
                return None
            dim = dim.symbolic_value.reshape(-1).tolist()[0]
        dims.append(dim if isinstance(dim, SymbolicDim) else int(dim))
    return Shape(dims)


def _from_anything(value: Any, dtype: DType | None, name: str | None) -> Tensor:
    return constant(value, dtype, name=name or "Const")


def _from_list(value: Any, dtype: DType | None, name: str | None) -> Tensor:
    if not any(
        isinstance(item, (Tensor, SymbolicDim)) or hasattr(item, "_as_graph_element") for item in _leaves(value)
    ):
        return _from_anything(value, dtype, name)
    if all(isinstance(item, (int, np.integer, SymbolicDim)) for item in value):
        return dims_to_tensor(
            [item if isinstance(item, SymbolicDim) else int(item) for item in value], dtype or int32, name
        )
    from dovetail.ops.arrays import stack

    known = next((item.dtype for item in _leaves(value) if isinstance(item, Tensor)), dtype)
    return stack([as_tensor(item, known) for item in value], name=name or "packed")


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _from_dims(value: Any, dtype: DType | None, name: str | None) -> Tensor:
    if isinstance(value, Shape):
        return dims_to_tensor(value.dims, dtype or int32, name)
    return dims_to_tensor(value, dtype or int32, name)


register_converter(object, _from_anything)
register_converter((list, tuple), _from_list)
register_converter((SymbolicDim, Shape), _from_dims)
register_converter(
    bool, lambda value, dtype, name: constant(value, bool_ if dtype is None else dtype, name=name or "Const")
)
