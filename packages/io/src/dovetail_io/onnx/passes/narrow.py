"""Narrow: kernels and tables are stored as float16 and widened where the model begins.

Runtimes fold the conversion when they load the model, so that it computes as fast, and in float32, as before.
"""

from __future__ import annotations

from typing import Final

import numpy as np

import dovetail as dt
from dovetail.extend import Shape, TensorType
from dovetail_io.onnx.model import Graph, Node, Value
from dovetail_io.onnx.passes.prune import substitute

__all__ = ["narrow_weights"]

_LEAST: Final = 64
"""Smaller ones are not worth a node."""


def narrow_weights(graph: Graph) -> None:
    """Store float32 weights of two axes or more as float16; those that float16 cannot hold stay."""
    replaced: dict[Value, Value] = {}
    for value in graph.constants():
        array = value.array
        if array is None or value.dtype is not dt.float32 or array.ndim < 2 or array.size < _LEAST:
            continue
        if np.abs(array).max() > float(dt.float16.max) or not np.isfinite(array).all():
            continue
        stored = Value(TensorType(dt.float16, Shape(array.shape)), value.name, array.astype(np.float16))
        replaced[value] = wide = Value(value.type, f"{value.name}/float32")
        graph.nodes.insert(0, Node("Cast", [stored], [wide], {"to": dt.float32}, name=wide.name))
    substitute(graph, replaced)
