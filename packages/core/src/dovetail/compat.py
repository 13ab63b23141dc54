"""``dt.compat``: what programs use that run under TensorFlow 1 and 2; ``dt.compat.v1`` is ``dovetail`` itself."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from dovetail.errors import DTypeError

__all__ = [
    "as_bytes",
    "as_str",
    "as_str_any",
    "as_text",
    "bytes_or_text_types",
    "complex_types",
    "disable_control_flow_v2",
    "disable_eager_execution",
    "disable_resource_variables",
    "disable_tensor_equality",
    "disable_v2_behavior",
    "disable_v2_tensorshape",
    "enable_resource_variables",
    "executing_eagerly",
    "integral_types",
    "path_to_str",
    "real_types",
    "v1",
]

v1 = sys.modules["dovetail"]
sys.modules[f"{__name__}.v1"] = v1  # so that `import dovetail.compat.v1 as tf` finds it

integral_types = (int, np.integer)
real_types = (int, float, np.integer, np.floating)
complex_types = (int, float, complex, np.number)
bytes_or_text_types = (bytes, str)


def as_bytes(bytes_or_text: str | bytes | bytearray, encoding: str = "utf-8") -> bytes:
    """Return text as bytes; bytes stay.

    Raises:
        DTypeError: it is neither.
    """
    if isinstance(bytes_or_text, bytes | bytearray):
        return bytes(bytes_or_text)
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    raise DTypeError(f"as_bytes: {bytes_or_text!r} is neither bytes nor a string.")


def as_text(bytes_or_text: str | bytes | bytearray, encoding: str = "utf-8") -> str:
    r"""Return bytes as text; text stays.

    Raises:
        DTypeError: it is neither.

    Example:
        >>> dt.compat.as_text(b"caf\xc3\xa9")
        'café'
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes | bytearray):
        return bytes_or_text.decode(encoding)
    raise DTypeError(f"as_text: {bytes_or_text!r} is neither bytes nor a string.")


as_str = as_text


def as_str_any(value: Any, encoding: str = "utf-8") -> str:
    """Return bytes as text, and anything else as ``str`` shows it."""
    return as_text(value, encoding) if isinstance(value, bytes) else str(value)


def path_to_str(path: str | os.PathLike[str]) -> str:
    """Return a path as a string."""
    return os.fspath(path)


def disable_v2_behavior() -> None:
    """Do nothing: graphs and sessions are all there is."""


def disable_eager_execution() -> None:
    """Do nothing: nothing is ever computed before a session runs it."""


def disable_resource_variables() -> None:
    """Do nothing: a variable is always read where it is used, after the writes made before it in the graph."""


def enable_resource_variables() -> None:
    """Do nothing: a variable is always read where it is used, after the writes made before it in the graph."""


def disable_control_flow_v2() -> None:
    """Do nothing: there is one control flow."""


def disable_tensor_equality() -> None:
    """Do nothing: ``==`` compares tensors by identity, as in TensorFlow 1."""


def disable_v2_tensorshape() -> None:
    """Do nothing: there is one kind of shape."""


def executing_eagerly() -> bool:
    """Return ``False``."""
    return False
