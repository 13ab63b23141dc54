"""Products of matrices."""

from __future__ import annotations

from dovetail.extend import definitions
from dovetail_io.onnx.builder import Builder
from dovetail_io.onnx.model import Value
from dovetail_io.onnx.registry import converter

__all__: list[str] = []


@converter(definitions.MatMul)
def _matmul(to: Builder, op: definitions.MatMul, a: Value, b: Value) -> Value:
    return to.node("MatMul", _turned(to, a) if op.transpose_a else a, _turned(to, b) if op.transpose_b else b)


def _turned(to: Builder, x: Value) -> Value:
    """Return matrices transposed."""
    assert x.type is not None
    axes = list(range(len(x.type.dims)))
    return to.transpose(x, [*axes[:-2], axes[-1], axes[-2]])
