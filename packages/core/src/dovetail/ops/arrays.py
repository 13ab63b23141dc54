"""Making, reshaping, joining and slicing tensors: the names of the modules that hold them, in one place."""

from dovetail.ops.broadcasting import broadcast_dynamic_shape, broadcast_static_shape, broadcast_to, meshgrid, tile
from dovetail.ops.diagonals import diag, diag_part, matrix_band_part, matrix_diag, matrix_diag_part
from dovetail.ops.fills import eye, fill, lin_space, linspace, ones, ones_like, range, zeros, zeros_like
from dovetail.ops.indexing import reverse, roll, slice, strided_slice
from dovetail.ops.joining import concat, parallel_stack, split, stack, unstack
from dovetail.ops.masks import boolean_mask, one_hot, sequence_mask
from dovetail.ops.padding import pad
from dovetail.ops.rearranging import depth_to_space, reverse_sequence, space_to_depth
from dovetail.ops.reshaping import expand_dims, matrix_transpose, reshape, squeeze, transpose
from dovetail.ops.shapes import rank, shape, shape_n, size
from dovetail.ops.sorting import argsort, searchsorted, sort, top_k, unique, unique_with_counts

__all__ = [
    "argsort",
    "boolean_mask",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "concat",
    "depth_to_space",
    "diag",
    "diag_part",
    "expand_dims",
    "eye",
    "fill",
    "lin_space",
    "linspace",
    "matrix_band_part",
    "matrix_diag",
    "matrix_diag_part",
    "matrix_transpose",
    "meshgrid",
    "one_hot",
    "ones",
    "ones_like",
    "pad",
    "parallel_stack",
    "range",
    "rank",
    "reshape",
    "reverse",
    "reverse_sequence",
    "roll",
    "searchsorted",
    "sequence_mask",
    "shape",
    "shape_n",
    "size",
    "slice",
    "sort",
    "space_to_depth",
    "split",
    "squeeze",
    "stack",
    "strided_slice",
    "tile",
    "top_k",
    "transpose",
    "unique",
    "unique_with_counts",
    "unstack",
    "zeros",
    "zeros_like",
]
