"""A copy of part of a graph in which what was of lesser precision is float64, or complex128."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from dovetail.compiler.lower import needed_operations
from dovetail.errors import FormatError, InvalidArgumentError
from dovetail.graph.graph import Graph
from dovetail.graph.nodes import decode_nodes, encode_nodes
from dovetail.graph.operation import Operation, Tensor
from dovetail.types.attributes import ArrayAttribute, decode, encode

__all__ = ["widened"]

_NARROW = re.compile(r"\b(?:bfloat16|float16|float32|complex64)\b")


def widened(tensors: Iterable[Tensor], what: str) -> dict[str, Operation]:
    """Return the nodes that ``tensors`` need, made anew in float64 in a graph of their own, by their names.

    Raises:
        InvalidArgumentError: an operation does not exist in float64.
    """
    tensors = list(tensors)
    needed = {op.name for op in needed_operations(tensors, (), {})}
    nodes = [_wide(node) for node in encode_nodes(tensors[0].graph) if node["name"] in needed]
    try:
        return decode_nodes(nodes, Graph())
    except FormatError as error:
        raise InvalidArgumentError(
            f"{what}: the graph cannot be computed in float64: {error} Leave out what draws random numbers, such as "
            "dropout in training."
        ) from error


def _widen(text: str) -> str:
    """Return text in which the names of dtypes are those of wider ones."""
    return _NARROW.sub(lambda found: "complex128" if found[0] == "complex64" else "float64", text)


def _wide(data: Any) -> Any:
    """Return encoded data with every dtype of lesser precision float64."""
    if isinstance(data, list):
        return [_wide(item) for item in data]
    if not isinstance(data, dict):
        return data
    if "array" in data and len(data) == 1:
        value = decode(data)
        if _NARROW.fullmatch(value.dtype.name):
            return encode(ArrayAttribute(value.array.astype(_widen(value.dtype.name))))
        return data
    return {
        key: [_widen(item) for item in value]
        if key == "types"
        else _widen(value)
        if key in ("dtype", "type") and isinstance(value, str)
        else _wide(value)
        for key, value in data.items()
    }
