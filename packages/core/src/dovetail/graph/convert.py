"""Turning Python values into tensors; the table is filled by the operations, a layer above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from dovetail.errors import DTypeError
from dovetail.graph.op import Op
from dovetail.graph.operation import Tensor
from dovetail.types.dtypes import DType

__all__ = ["Converter", "as_tensor", "convert_inputs", "register_converter"]

Converter = Callable[[Any, DType | None, str | None], Tensor]
_CONVERTERS: Final[list[tuple[type | tuple[type, ...], Converter]]] = []


def register_converter(kinds: type | tuple[type, ...], converter: Converter) -> None:
    """Let ``converter`` turn values of ``kinds`` into tensors; one for ``object`` is asked last."""
    _CONVERTERS.insert(len(_CONVERTERS) if kinds is object else 0, (kinds, converter))


def as_tensor(value: Any, dtype: DType | None = None, name: str | None = None) -> Tensor:
    """Return ``value`` as a tensor; ``dtype`` is what a Python value should become."""
    if type(value) is Tensor:
        return value
    for kinds, converter in _CONVERTERS:
        if isinstance(value, kinds):
            return converter(value, dtype, name)
    raise DTypeError(f"a {type(value).__name__} cannot become a tensor.")


def convert_inputs(op: Op, values: Sequence[Any]) -> tuple[Tensor, ...]:
    """Return the inputs of a node as tensors.

    Scalar operations give Python numbers the dtype of their first tensor operand.
    """
    for value in values:
        if type(value) is not Tensor:
            break
    else:
        return tuple(values)
    wanted: DType | None = None
    if op.kind == "scalar":
        wanted = next(
            (value.dtype for value in values if hasattr(value, "dtype") and isinstance(value.dtype, DType)), None
        )
    return tuple(as_tensor(value, wanted) for value in values)
