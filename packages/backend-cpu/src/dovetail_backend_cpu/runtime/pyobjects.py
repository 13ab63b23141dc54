"""Where CPython and NumPy keep what the native code reads of their objects: checked here, not assumed.

``array.ctypes.data`` takes a microsecond; reading the same word where NumPy's C interface puts it takes a nanosecond.
NumPy promises these places to extensions that were compiled against it (``PyArrayObject_fields``), as CPython does for
lists and for the head of objects; other interpreters, and CPython without the global lock, differ. ``matches`` compares
all of it with what the objects say themselves, once; where it says no, addresses are asked for in Python.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any, Final

import numpy as np

__all__ = ["ARRAY", "ARRAY_TYPE", "FLAGS_READ", "FLAGS_WRITE", "LIST_ITEMS", "OBJECT_TYPE", "SCALAR_VALUE", "matches"]

OBJECT_TYPE: Final = 8
"""Where an object's type is."""
LIST_ITEMS: Final = 24
"""Where the address of a list's items is."""
SCALAR_VALUE: Final = 16
"""Where the value of a NumPy scalar is."""
ARRAY: Final = {"data": 16, "rank": 24, "shape": 32, "dtype": 56, "flags": 64}
"""Where an array keeps what."""

ARRAY_TYPE: Final = id(np.ndarray)
_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x0001, 0x0100, 0x0400
FLAGS_READ: Final = _CONTIGUOUS | _ALIGNED
"""Flags of an array whose contents can be read in place."""
FLAGS_WRITE: Final = FLAGS_READ | _WRITEABLE
"""Flags of an array whose contents can be written in place."""


def _word(address: int, type: Any = ctypes.c_int64) -> int:
    return int(type.from_address(address).value)


@functools.cache
def matches() -> bool:
    """Return whether objects are laid out here as this file says."""
    if ctypes.sizeof(ctypes.c_void_p) != 8 or not hasattr(ctypes, "pythonapi"):
        return False
    if not hasattr(ctypes.pythonapi, "PyCFunction_NewEx"):
        return False
    base = np.arange(24, dtype=np.float32).reshape(4, 6)
    frozen = np.zeros((2, 3), np.float64)
    frozen.flags.writeable = False
    examples = [base, base[1:, ::2], base.T, frozen, np.zeros((), np.bool_), np.zeros((0, 3), np.int8), base[:0]]
    return _list_matches(examples) and all(map(_array_matches, examples)) and all(map(_scalar_matches, "?bhilqBHfd"))


def _list_matches(items: list[Any]) -> bool:
    if id(type(items)) != _word(id(items) + OBJECT_TYPE):
        return False
    start = _word(id(items) + LIST_ITEMS)
    return all(_word(start + 8 * i) == id(item) for i, item in enumerate(items))


def _array_matches(array: Any) -> bool:
    start = id(array)
    shape = _word(start + ARRAY["shape"])
    flags = _word(start + ARRAY["flags"], ctypes.c_int32)
    told = (array.flags.c_contiguous, array.flags.aligned, array.flags.writeable)
    return (
        _word(start + OBJECT_TYPE) == ARRAY_TYPE
        and _word(start + ARRAY["data"]) == array.ctypes.data
        and _word(start + ARRAY["rank"], ctypes.c_int32) == array.ndim
        and _word(start + ARRAY["dtype"]) == id(array.dtype)
        and tuple(_word(shape + 8 * i) for i in range(array.ndim)) == array.shape
        and tuple(bool(flags & flag) for flag in (_CONTIGUOUS, _ALIGNED, _WRITEABLE)) == told
    )


def _scalar_matches(code: str) -> bool:
    dtype = np.dtype(code)
    scalar = np.ones((), dtype)[()]
    kept = (ctypes.c_char * dtype.itemsize).from_address(id(scalar) + SCALAR_VALUE).raw
    return _word(id(scalar) + OBJECT_TYPE) == id(dtype.type) and kept == scalar.tobytes()
