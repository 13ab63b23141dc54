"""Converters of core's and the first-party plugins' operations, by family."""

from dovetail_io.onnx.converters import (
    arrays,
    control_flow,
    convolution,
    elementwise,
    gather,
    linear,
    networks,
    numerical,
    random,
    recurrent,
    reductions,
    resizing,
)

__all__ = [
    "arrays",
    "control_flow",
    "convolution",
    "elementwise",
    "gather",
    "linear",
    "networks",
    "numerical",
    "random",
    "recurrent",
    "reductions",
    "resizing",
]
