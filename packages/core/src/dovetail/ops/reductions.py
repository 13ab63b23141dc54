"""Reductions: sums, products, extremes and truth over axes; and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final, TypeAlias, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.op import Array, Op, Sample, Signature
from dovetail.graph.operation import Tensor
from dovetail.graph.registry import primitive, register
from dovetail.ops.arithmetic import add, divide, floor_div, multiply, sign, square, subtract
from dovetail.ops.arithmetic import abs as absolute
from dovetail.ops.broadcasting import broadcast_to
from dovetail.ops.casting import cast
from dovetail.ops.comparison import equal, is_finite, not_equal
from dovetail.ops.composites import CompositeOp, composite
from dovetail.ops.constants import dims_to_tensor
from dovetail.ops.elementary import exp, log, sqrt
from dovetail.ops.passing import stop_gradient
from dovetail.ops.reshaping import reshape, transpose
from dovetail.ops.running import cumprod
from dovetail.ops.scalars import Scalar, fits, scalar
from dovetail.ops.scalar import basis
from dovetail.ops.selection import select
from dovetail.ops.sizes import Gradients, Tensors, Types, Values, as_axes, as_axis, object_array
from dovetail.types.dims import Dim, dim_max, dim_min, product
from dovetail.types.dtypes import DType, DTypeLike, as_dtype, float32, int32, int64
from dovetail.types.shapes import Shape, TensorType, normalize_axes, normalize_axis
