r"""The closed set of values that an attribute of an operation may hold, and their form in files.

``None``, bools, ints and strings stand for themselves. Everything else is an object with one tag, readable by a person:

| value | encoded |
| --- | --- |
| ``0.1``, ``inf``, ``nan`` | ``{"float": "0.1"}``, ``{"float": "inf"}``, ``{"float": "nan"}`` |
| ``b"ab\xff"`` | ``{"bytes": "ab\u00ff"}``, one character a byte |
| ``float32`` | ``{"dtype": "float32"}`` |
| ``2*n + 1`` | ``{"dim": "2*n + 1"}`` |
| ``Shape([8, n])`` | ``{"shape": "[8, n]"}`` |
| ``float32[8, n]`` | ``{"type": "float32[8, n]"}`` |
| ``(1, 2)`` | ``{"tuple": [1, 2]}`` |
| ``ArrayAttribute`` | ``{"array": {"dtype": "float32", "shape": [2], "data": "AACAPwAAAEA="}}`` |

The data of an array are its elements in C order, little-endian, in base64; strings are a list ``"items"``; an array
that a store took has its key as ``"stored"``. Floats keep every bit: a NaN that is not Python's own adds its bits
(``nan:fff8000000000000``). Higher modules add the kinds ``operation`` and ``subgraph`` by ``register_kind``.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias, final

import numpy as np
import numpy.typing as npt

from dovetail.errors import AlreadyExistsError, AttributeEncodingError, DovetailError, FormatError
from dovetail.types.dims import SymbolicDim, parse_dim
from dovetail.types.dtypes import DType, as_dtype
from dovetail.types.shapes import Shape, TensorType, parse_shape, parse_type

__all__ = [
    "ArrayAttribute",
    "ArraySource",
    "ArrayStore",
    "check_attribute",
    "decode",
    "encode",
    "register_kind",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class ArrayStore(Protocol):
    """Takes arrays out of the encoded data, as a file does that keeps them beside it."""

    def add(self, array: Array) -> str | None:
        """Keep ``array`` and give its key, or give ``None`` to leave it in the data."""


class ArraySource(Protocol):
    """Gives back what an ``ArrayStore`` kept."""

    def get(self, key: str) -> Array:
        """Give the array of a key."""


@final
class ArrayAttribute:
    """An immutable, hashable array; equal if dtype, shape and every bit are.

    Args:
        value: what ``numpy.asarray`` takes, of one of Dovetail's dtypes; it is copied.

    Raises:
        DTypeError: the array's dtype is none of Dovetail's.
        AttributeEncodingError: an array of objects holds something other than ``bytes`` or ``str``.

    Example:
        >>> one = ArrayAttribute([1.0, 2.0])
        >>> one == ArrayAttribute(np.array([1.0, 2.0])), one
        (True, ArrayAttribute(float64[2]))
    """

    __slots__ = ("_array", "_content", "_dtype")

    def __init__(self, value: npt.ArrayLike) -> None:
        """Copy the values into a read-only array."""
        array: Array = np.asarray(value)
        self._dtype = as_dtype(array.dtype)
        self._content: bytes | tuple[bytes, ...]
        if self._dtype.is_string:
            self._content = tuple([_as_bytes(item) for item in array.reshape(-1).tolist()])
            self._array: Array = np.empty(array.shape, object)
            self._array.reshape(-1)[:] = self._content
            self._array.setflags(write=False)
        else:
            self._content = array.astype(self._dtype.numpy, copy=False).tobytes()
            self._array = np.ndarray(array.shape, self._dtype.numpy, self._content)  # a view of bytes is read-only

    @property
    def array(self) -> Array:
        """The array; it is contiguous and cannot be written to."""
        return self._array

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        shape: tuple[int, ...] = self._array.shape
        return shape

    def __eq__(self, other: object) -> bool:
        """Compare dtype, shape and bits, so that a NaN equals itself and ``0.0`` differs from ``-0.0``."""
        return self is other or (
            isinstance(other, ArrayAttribute)
            and self._dtype is other._dtype
            and self._array.shape == other._array.shape
            and self._content == other._content
        )

    def __hash__(self) -> int:
        """Hash dtype, shape and bits; Python caches the hash of bytes."""
        return hash((self._dtype, self._array.shape, self._content))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the array."""
        return ArrayAttribute, (self._array,)

    def __repr__(self) -> str:
        """Print dtype and shape."""
        return f"ArrayAttribute({self._dtype.name}{list(self.shape)})"


def _as_bytes(item: object) -> bytes:
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, bytes):
        return bytes(item)
    raise AttributeEncodingError(
        f"An array of strings holds {_shortened(item)} of class {type(item).__name__}. Use bytes or str."
    )


_Encoder: TypeAlias = Callable[[Any, ArrayStore | None], Any]
_Decoder: TypeAlias = Callable[[Any, ArraySource | None], Any]


@final
class _Kind:
    __slots__ = ("cls", "decode", "encode", "tag")

    def __init__(self, tag: str, cls: type, encode: _Encoder, decode: _Decoder) -> None:
        self.tag = tag
        self.cls = cls
        self.encode = encode
        self.decode = decode


_by_tag: Final[dict[str, _Kind]] = {}
_by_class: Final[dict[type, _Kind]] = {}


def register_kind(tag: str, cls: type, encode: _Encoder, decode: _Decoder) -> None:
    """Add a kind of value, held by objects of ``cls`` and its subclasses.

    Args:
        tag: the key that marks it in encoded data.
        cls: the class of the values, which are immutable and hashable.
        encode: takes a value and the store, and gives JSON-able data.
        decode: takes that data and the source, and gives the value.

    Raises:
        AlreadyExistsError: the tag or the class is taken.
    """
    if tag in _by_tag or cls in _by_class:
        raise AlreadyExistsError(
            f"The kind of attribute {tag!r} or the class {cls.__name__} is registered already. Choose another tag."
        )
    _by_tag[tag] = _by_class[cls] = _Kind(tag, cls, encode, decode)


_PLAIN: Final = frozenset((bool, int, str))
_EXACT: Final = (float, bytes, tuple)


def _kind_of(value: object) -> _Kind | None:
    if isinstance(value, _EXACT) and type(value) not in _EXACT:
        return None  # NumPy's scalars inherit from float and bytes; a named tuple would come back as a tuple
    for cls in type(value).__mro__:
        kind = _by_class.get(cls)
        if kind is not None:
            return kind
    return None


def check_attribute(value: object, where: str) -> None:
    """Make sure that an attribute can hold ``value``.

    Args:
        value: the value.
        where: the class and the field it is for, such as ``"Cumsum.axis"``.

    Raises:
        AttributeEncodingError: the value is of another kind.

    Example:
        >>> check_attribute((1, "same", None), "Conv.strides")
        >>> check_attribute([1, 2], "Conv.strides")
        Traceback (most recent call last):
        dovetail.errors.AttributeEncodingError: Conv.strides: a list cannot be an attribute ([1, 2]). Use a tuple.
    """
    if type(value) is tuple:
        for index, item in enumerate(value):
            check_attribute(item, f"{where}[{index}]")
    elif value is not None and type(value) not in _PLAIN and _kind_of(value) is None:
        raise AttributeEncodingError(
            f"{where}: a {type(value).__name__} cannot be an attribute ({_shortened(value)}). {_advice(value)}"
        )


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _advice(value: object) -> str:
    if isinstance(value, list):
        return "Use a tuple."
    if isinstance(value, np.ndarray):
        return "Wrap it in ArrayAttribute."
    if isinstance(value, np.generic):
        return "Turn it into a Python number by .item()."
    return (
        "Use None, bool, int, float, str, bytes, a dtype, a shape, a dimension, a type, an ArrayAttribute, "
        "an operation, a subgraph, or a tuple of these."
    )


def encode(value: object, store: ArrayStore | None = None) -> Any:
    """Turn an attribute's value into JSON-able data.

    Args:
        value: one of the kinds that an attribute may hold.
        store: is offered every array; without it, arrays are part of the data.

    Raises:
        AttributeEncodingError: the value is of another kind.

    Example:
        >>> encode((1, 0.1, Shape([8])))
        {'tuple': [1, {'float': '0.1'}, {'shape': '[8]'}]}
    """
    check_attribute(value, "encode")
    return _encode(value, store)


def _encode(value: object, store: ArrayStore | None) -> Any:
    kind = _kind_of(value)
    return value if kind is None else {kind.tag: kind.encode(value, store)}


def decode(data: Any, source: ArraySource | None = None) -> Any:
    """Turn what ``encode`` gave into the value.

    Args:
        data: JSON-able data.
        source: gives the arrays that a store took.

    Raises:
        FormatError: the data has another form, or a tag that is not known.

    Example:
        >>> decode({"tuple": [1, {"float": "0.1"}, {"shape": "[8]"}]})
        (1, 0.1, Shape([8]))
    """
    if data is None or type(data) in _PLAIN:
        return data
    if not isinstance(data, Mapping) or len(data) != 1:
        raise FormatError(
            f"{_shortened(data)} is no attribute: an object with one tag is expected. Save the graph anew."
        )
    ((tag, inner),) = data.items()
    kind = _by_tag.get(tag)
    if kind is None:
        raise FormatError(
            f"An attribute has the unknown kind {tag!r}; known are {', '.join(sorted(_by_tag))}. "
            "Install the dovetail-core that wrote it, or a newer one."
        )
    try:
        return kind.decode(inner, source)
    except RecursionError as error:
        raise FormatError("An attribute is nested too deeply to be read. Save the graph anew.") from error


def _damaged(tag: str, data: object, reason: object) -> FormatError:
    return FormatError(f"{_shortened(data)} is no attribute of kind {tag!r}: {reason} Save the graph anew.")


def _register_text(tag: str, cls: type, print_value: Callable[[Any], str], parse: Callable[[str], Any]) -> None:
    """Add a kind whose values have a text form."""

    def decode_text(data: Any, source: ArraySource | None) -> Any:
        if not isinstance(data, str):
            raise _damaged(tag, data, "a string is expected.")
        try:
            return parse(data)
        except (DovetailError, ValueError) as error:
            raise _damaged(tag, data, error) from error

    register_kind(tag, cls, lambda value, store: print_value(value), decode_text)


def _print_float(value: float) -> str:
    if not math.isnan(value):
        return repr(value)
    bits = struct.pack(">d", value)
    return "nan" if bits == struct.pack(">d", math.nan) else f"nan:{bits.hex()}"


def _parse_float(text: str) -> float:
    if not text.startswith("nan:"):
        return float(text)
    bits = bytes.fromhex(text[4:])
    if len(bits) != 8:
        raise ValueError("a NaN has 16 hexadecimal digits.")
    value: float = struct.unpack(">d", bits)[0]
    return value


def _decode_tuple(data: Any, source: ArraySource | None) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise _damaged("tuple", data, "a list is expected.")
    return tuple([decode(item, source) for item in data])


def _encode_array(value: ArrayAttribute, store: ArrayStore | None) -> dict[str, Any]:
    array = value.array
    header: dict[str, Any] = {"dtype": value.dtype.name, "shape": list(value.shape)}
    key = None if store is None else store.add(array)
    if key is not None:
        return header | {"stored": key}
    if value.dtype.is_string:
        return header | {"items": [item.decode("latin-1") for item in array.reshape(-1).tolist()]}
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return header | {"data": base64.b64encode(little.tobytes()).decode("ascii")}


def _decode_array(data: Any, source: ArraySource | None) -> ArrayAttribute:
    try:
        dtype, shape = as_dtype(data["dtype"]), tuple(data["shape"])
        if not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(f"{list(shape)} is no shape.")
        if "stored" in data:
            return _stored_array(data["stored"], dtype, shape, source)
        if dtype.is_string:
            array = np.empty(len(data["items"]), object)
            array[:] = [item.encode("latin-1") for item in data["items"]]
        else:
            raw = base64.b64decode(data["data"], validate=True)
            array = np.frombuffer(raw, dtype.numpy.newbyteorder("<"))
        return ArrayAttribute(array.reshape(shape))
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        reason = f"{error} is missing." if type(error) is KeyError else error
        raise _damaged("array", data, reason) from error


def _stored_array(key: str, dtype: DType, shape: tuple[int, ...], source: ArraySource | None) -> ArrayAttribute:
    if source is None:
        raise FormatError(f"The array {key!r} is kept beside the graph. Read the graph from the file that holds both.")
    array = ArrayAttribute(source.get(key))
    if array.dtype is not dtype or array.shape != shape:
        raise FormatError(
            f"The array {key!r} is {array.dtype.name}{list(array.shape)}, where {dtype.name}{list(shape)} is expected. "
            "Read the graph from the file that holds both."
        )
    return array


register_kind("tuple", tuple, lambda value, store: [_encode(item, store) for item in value], _decode_tuple)
_register_text("float", float, _print_float, _parse_float)
_register_text("bytes", bytes, lambda value: value.decode("latin-1"), lambda text: text.encode("latin-1"))
_register_text("dtype", DType, lambda value: value.name, as_dtype)
_register_text("dim", SymbolicDim, str, parse_dim)
_register_text("shape", Shape, str, parse_shape)
_register_text("type", TensorType, str, parse_type)
register_kind("array", ArrayAttribute, _encode_array, _decode_array)
