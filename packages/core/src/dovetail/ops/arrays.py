"""Making, reshaping, joining and slicing tensors; the names of the modules that hold them, in one place."""

from dovetail.ops.fills import fill, ones, ones_like, zeros, zeros_like
from dovetail.ops.joining import concat, parallel_stack, split, stack, unstack
from dovetail.ops.shapes import (
    broadcast_dynamic_shape,
    broadcast_static_shape,
    broadcast_to,
    expand_dims,
    matrix_transpose,
    rank,
    reshape,
    shape,
    shape_n,
    size,
    squeeze,
    transpose,
)

__all__ = [
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "concat",
    "expand_dims",
    "fill",
    "matrix_transpose",
    "ones",
    "ones_like",
    "parallel_stack",
    "rank",
    "reshape",
    "shape",
    "shape_n",
    "size",
    "split",
    "squeeze",
    "stack",
    "transpose",
    "unstack",
    "zeros",
    "zeros_like",
]
