"""Element types of tensors."""

from __future__ import annotations

from typing import Any, Final, final

import ml_dtypes
import numpy as np
import numpy.typing as npt

from dovetail.errors import DTypeError

__all__ = [
    "DType",
    "DTypeLike",
    "as_dtype",
    "bfloat16",
    "bool_",
    "complex64",
    "complex128",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "string",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]


@final
class DType:
    """The element type of a tensor; equal types are one object.

    Attributes:
        name: the name users write, such as ``"float32"``.
        numpy: the NumPy dtype that stores it; strings are object arrays of ``bytes``.
        size: bytes of one element, 0 for strings.
    """

    __slots__ = ("_kind", "name", "numpy", "size")

    name: str
    numpy: np.dtype[Any]
    size: int

    def __init__(self, name: str, numpy: npt.DTypeLike, kind: str) -> None:
        """Declare a type; only this module does."""
        self.name = name
        self.numpy = np.dtype(numpy)
        self._kind = kind
        self.size = 0 if kind == "s" else self.numpy.itemsize

    @property
    def is_floating(self) -> bool:
        """Whether the type holds real numbers, bfloat16 among them."""
        return self._kind == "f"

    @property
    def is_integer(self) -> bool:
        """Whether the type holds integers, signed or not."""
        return self._kind in "iu"

    @property
    def is_unsigned(self) -> bool:
        """Whether the type holds integers from zero up."""
        return self._kind == "u"

    @property
    def is_bool(self) -> bool:
        """Whether the type holds truth values."""
        return self._kind == "b"

    @property
    def is_string(self) -> bool:
        """Whether the type holds byte strings."""
        return self._kind == "s"

    @property
    def is_complex(self) -> bool:
        """Whether the type holds complex numbers."""
        return self._kind == "c"

    @property
    def is_inexact(self) -> bool:
        """Whether gradients flow through the type: floating or complex."""
        return self._kind in "fc"

    @property
    def is_numeric(self) -> bool:
        """Whether the type holds real numbers, which have an order: floating or integer."""
        return self._kind in "fiu"

    @property
    def is_number(self) -> bool:
        """Whether arithmetic is defined: floating, integer or complex."""
        return self._kind in "fiuc"

    @property
    def is_half(self) -> bool:
        """Whether the type has 16 bits and is computed in float32."""
        return self._kind == "f" and self.size == 2

    @property
    def as_numpy_dtype(self) -> Any:
        """The NumPy scalar type, as TensorFlow 1 names it."""
        return self.numpy.type

    @property
    def base_dtype(self) -> DType:
        """The type itself; here so that TensorFlow 1 programs run."""
        return self

    @property
    def real_dtype(self) -> DType:
        """The type of the real part of a complex type; of others the type itself."""
        return _REAL.get(self.name, self)

    @property
    def min(self) -> int | float:
        """The least finite value; raises ``DTypeError`` for bool, complex and string."""
        return self._limit("min")

    @property
    def max(self) -> int | float:
        """The greatest finite value; raises ``DTypeError`` for bool, complex and string."""
        return self._limit("max")

    def _limit(self, which: str) -> int | float:
        if self.is_integer:
            return int(getattr(np.iinfo(self.numpy), which))
        if self.is_floating:
            limits = ml_dtypes.finfo(self.numpy)  # type: ignore[no-untyped-call] # ml_dtypes gives it no types
            return float(getattr(limits, which))
        raise DTypeError(f"{self.name} has no {which}imum; only integers and floating types have.")

    def __repr__(self) -> str:
        """Name the type as a user writes it."""
        return f"dovetail.{self.name}"

    def __eq__(self, other: object) -> bool:
        """Compare with a type, or with anything that names one (``"float32"``, ``np.float32``)."""
        if self is other:
            return True
        if isinstance(other, DType) or other is None:
            return False
        try:
            return as_dtype(other) is self  # type: ignore[arg-type] # it refuses what names no type
        except DTypeError:
            return False

    def __hash__(self) -> int:
        """Hash by name."""
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """Pickle by name, so that identity survives."""
        return as_dtype, (self.name,)


DTypeLike = DType | str | type | np.dtype[Any]

float16: Final = DType("float16", np.float16, "f")
float32: Final = DType("float32", np.float32, "f")
float64: Final = DType("float64", np.float64, "f")
bfloat16: Final = DType("bfloat16", ml_dtypes.bfloat16, "f")
int8: Final = DType("int8", np.int8, "i")
int16: Final = DType("int16", np.int16, "i")
int32: Final = DType("int32", np.int32, "i")
int64: Final = DType("int64", np.int64, "i")
uint8: Final = DType("uint8", np.uint8, "u")
uint16: Final = DType("uint16", np.uint16, "u")
uint32: Final = DType("uint32", np.uint32, "u")
uint64: Final = DType("uint64", np.uint64, "u")
bool_: Final = DType("bool", np.bool_, "b")
complex64: Final = DType("complex64", np.complex64, "c")
complex128: Final = DType("complex128", np.complex128, "c")
string: Final = DType("string", np.object_, "s")

_ALL: Final = (
    float16, float32, float64, bfloat16, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool_, complex64,
    complex128, string,
)  # fmt: skip
_REAL: Final = {"complex64": float32, "complex128": float64}
_LOOKUP: Final[dict[Any, DType]] = {}
for _dtype in _ALL:
    _LOOKUP[_dtype.name] = _dtype
    _LOOKUP[_dtype.numpy] = _dtype
    _LOOKUP[_dtype.numpy.type] = _dtype
_LOOKUP.update({float: float32, int: int32, bool: bool_, complex: complex128, str: string, bytes: string})
_LOOKUP.update(half=float16, float=float32, double=float64)


def as_dtype(value: DTypeLike) -> DType:
    """Return the ``DType`` that ``value`` names.

    Args:
        value: a ``DType``, its name, a NumPy dtype or scalar type, or a Python type (``float`` and ``"float"`` are
            float32, ``int`` is int32, ``complex`` is complex128).

    Raises:
        DTypeError: ``value`` names no element type of Dovetail.

    Example:
        >>> as_dtype("float32"), as_dtype(np.int64)
        (dovetail.float32, dovetail.int64)
    """
    if isinstance(value, DType):
        return value
    try:
        found = _LOOKUP.get(value)
        if found is None:
            numpy_dtype = np.dtype(value)
            found = string if numpy_dtype.kind in "USO" else _LOOKUP.get(numpy_dtype.newbyteorder("="))
    except TypeError:
        found = None
    if found is None:
        names = ", ".join(dtype.name for dtype in _ALL)
        raise DTypeError(f"{value!r} is no element type; use one of {names}.")
    return found
