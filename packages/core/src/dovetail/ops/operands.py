"""Operands of elementwise operations: values beside a tensor take its dtype, where nothing is lost."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Op
from dovetail.graph.operation import Tensor
from dovetail.graph.source import Source
from dovetail.ops.constants import Constant, array_of
from dovetail.types.attributes import ArrayAttribute
from dovetail.types.dims import SymbolicDim
from dovetail.types.dtypes import DType, as_dtype, complex128, float32, int32
from dovetail.types.shapes import Shape

__all__ = ["apply", "common_dtype", "convert_operands", "leading_dtype"]


def apply(op: Op, label: str, parameters: Sequence[str], values: Sequence[Any], name: str | None) -> Tensor:
    """Make a node of values of which some are no tensors; constants are named after their parameter, as ``add/y``.

    Args:
        op: the definition.
        label: the function's name, with which an error begins.
        parameters: the names of the operands.
        values: tensors, variables, arrays, numbers.
        name: name of the node.

    Raises:
        DTypeError: a value does not become the dtype of the tensor beside it.
        InvalidArgumentError: a number does not fit that dtype.
    """
    graph = get_default_graph()
    source = graph.current_source()
    full_name = graph.unique_name(name or op.default_name())
    tensors = convert_operands(label, parameters, values, full_name, source)
    return graph.create(op, tensors, name=f"{full_name}/", source=source).outputs[0]


def convert_operands(
    label: str, parameters: Sequence[str], values: Sequence[Any], scope: str, source: Source
) -> list[Tensor]:
    """Return the operands as tensors of one dtype: of the first tensor, else of the first array, else of the numbers.

    Args:
        label: the function's name, with which an error begins.
        parameters: the names of the operands.
        values: tensors, variables, arrays, numbers.
        scope: the full name of the node they are for; constants go below it.
        source: the user's line.

    Raises:
        DTypeError: a value does not become that dtype.
        InvalidArgumentError: a number does not fit it.
    """
    graph = get_default_graph()
    given: list[Tensor | None] = []
    lead: Tensor | None = None
    for value in values:
        tensor = as_tensor(value) if _is_tensor(value) else None
        lead = tensor if lead is None else lead
        given.append(tensor)
    wanted = common_dtype(values) if lead is None else lead.dtype
    result: list[Tensor] = []
    for parameter, value, tensor in zip(parameters, values, given, strict=True):
        if tensor is not None:
            result.append(tensor)
            continue
        try:
            if wanted is not None and (type(value) is float or type(value) is int):
                node = graph.create(_number(value, wanted), (), name=f"{scope}/{parameter}/", source=source)
                graph.reserve_name(node.name)
                result.append(node.outputs[0])
            else:
                with graph.name_scope(f"{scope}/"):
                    result.append(as_tensor(value, wanted, parameter))
        except InvalidArgumentError as error:
            raise InvalidArgumentError(f"{label}: {parameter}: {error} (at {source})") from error
        except DTypeError as error:
            if lead is None:
                raise DTypeError(f"{label}: {parameter}: {error} (at {source})") from error
            raise DTypeError(
                f"{label}: {parameter} is {_shown(value)}, which does not become {lead.dtype.name}; it stands beside "
                f'"{lead.name}" of type {lead.type}. Use dt.cast on one of them. (at {source})'
            ) from error
    return result


def _is_tensor(value: Any) -> bool:
    """Whether a value has a dtype that the others follow: a tensor, a variable, slices, or a list of such."""
    if isinstance(value, list | tuple):
        return any(_is_tensor(item) for item in value)
    return isinstance(getattr(value, "dtype", None), DType)


def common_dtype(values: Sequence[Any]) -> DType | None:
    """Return the dtype that values without any tensor take: the first array's; float32 or complex128 as numbers need.

    Returns:
        ``None`` where each may keep its own, as ints do.
    """
    kinds = set()
    for value in values:
        if isinstance(value, (np.ndarray, np.generic)):
            return as_dtype(value.dtype)
        if not isinstance(value, int | SymbolicDim | Shape):
            kinds.add(array_of(value).dtype.kind)
    return complex128 if "c" in kinds else float32 if "f" in kinds else None


def leading_dtype(*values: Any) -> DType:
    """Return the dtype that operands will have: that of the first tensor, else of the values."""
    for value in values:
        if _is_tensor(value):
            return value.dtype if isinstance(getattr(value, "dtype", None), DType) else as_tensor(value).dtype
    found = common_dtype(values)
    if found is not None:
        return found
    return int32 if isinstance(values[0], SymbolicDim | Shape) else as_dtype(array_of(values[0]).dtype)


def _number(value: int | float, dtype: DType) -> Constant:
    """Return the definition of a number's constant."""
    if value == 0 or value != value:  # 0.0 and -0.0 are equal, a NaN is not: neither is a key of the cache
        return _make_number(value, dtype)
    return _cached_number(value, dtype)


def _make_number(value: int | float, dtype: DType) -> Constant:
    if type(value) is int and dtype.is_integer:
        if not dtype.min <= value <= dtype.max:
            raise InvalidArgumentError(f"{value} does not fit {dtype.name}, which holds {dtype.min} to {dtype.max}.")
        return Constant(ArrayAttribute(np.asarray(value, dtype.numpy)))
    return Constant(ArrayAttribute(array_of(value, dtype)))


_cached_number = functools.lru_cache(maxsize=4096, typed=True)(_make_number)


def _shown(value: Any) -> str:
    text = repr(value).replace("\n", " ")
    kind = f"{value.dtype} array" if isinstance(value, np.ndarray) else type(value).__name__
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({kind})"
