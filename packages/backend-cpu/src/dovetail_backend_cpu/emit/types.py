"""How dtypes look in LLVM assembly, in registers and in memory, and how their constants are written."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dovetail import DType
from dovetail_backend_cpu.llvm.text import double

__all__ = ["Value", "constant", "lane_numbers", "limits", "memory_type", "register_type", "splat"]


class Value(NamedTuple):
    """A value of the function: its name or literal, and whether it is one for each lane."""

    text: str
    wide: bool = False


def register_type(dtype: DType) -> str:
    """Return the type of a value in a register: bool is ``i1``, halves are their bits.

    Example:
        >>> register_type(dt.bool), register_type(dt.float32)
        ('i1', 'float')
    """
    return "i1" if dtype.is_bool else memory_type(dtype)


def memory_type(dtype: DType) -> str:
    """Return the type of an element in memory: bool is ``i8``."""
    if dtype.is_floating and not dtype.is_half:
        return "float" if dtype.size == 4 else "double"
    return f"i{8 * dtype.size}"


def constant(value: bool | int | float, dtype: DType) -> str:
    """Return the literal of ``value``, rounded to ``dtype`` where it is floating.

    Example:
        >>> constant(0.5, dt.float32), constant(-3, dt.int8)
        ('0x3FE0000000000000', '-3')
    """
    if dtype.is_bool:
        return "true" if value else "false"
    if dtype.is_half:
        with np.errstate(over="ignore"):
            return str(int(np.asarray(value).astype(dtype.numpy).view(np.uint16)))
    if dtype.is_floating:
        with np.errstate(over="ignore"):
            return double(float(dtype.numpy.type(value)))
    return str(int(value))


def splat(text: str, type: str, width: int) -> str:
    """Return a literal in every lane."""
    return text if width == 1 else f"splat ({type} {text})"


def limits(dtype: DType) -> tuple[bool | int | float, bool | int | float]:
    """Return the lowest and the highest value, infinities among them."""
    if dtype.is_bool:
        return False, True
    if dtype.is_floating:
        return -float("inf"), float("inf")
    return dtype.min, dtype.max


def lane_numbers(width: int, type: str = "i32") -> str:
    """Return the constant vector 0, 1, 2, …."""
    return f"<{', '.join(f'{type} {lane}' for lane in range(width))}>"
