"""What steps of optimizers are made from: numbers in the dtype of a variable, clipping, rows, the layers' updates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.layercall import LayerCall
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops.arithmetic import clip_by_value
from dovetail.ops.clipping import clip_by_global_norm, clip_by_norm, global_norm
from dovetail.ops.constants import constant
from dovetail.ops.fills import ones_like, zeros
from dovetail.ops.gather import gather, scatter_add_rows
from dovetail.ops.indexed_slices import IndexedSlices, densify
from dovetail.ops.joining import concat
from dovetail.ops.math import cast, not_equal
from dovetail.ops.reshaping import reshape
from dovetail.ops.running import cumsum
from dovetail.ops.scattering import ScatterUpdate
from dovetail.ops.segments import unsorted_segment_sum
from dovetail.ops.selection import select
from dovetail.ops.shapes import shape
from dovetail.ops.sorting import argsort
from dovetail.ops.variables import Variable
from dovetail.types.dtypes import DType, float32, float64, int64

__all__ = [
    "Rule",
    "clipped",
    "computed_in",
    "converted",
    "flat",
    "is_number",
    "listed",
    "numbers_in",
    "on_rows",
    "resolved",
    "updates_of",
]

Rule: TypeAlias = Callable[
    [Tensor, Tensor, Mapping[str, Tensor], Mapping[str, Tensor]], tuple[Tensor, Mapping[str, Tensor]]
]
"""From gradient, value, slots and numbers to the new value and the new slots."""


def on_rows(
    rule: Rule, gradient: IndexedSlices, value: Tensor, slots: Mapping[str, Tensor], numbers: Mapping[str, Tensor]
) -> tuple[Tensor, Mapping[str, Tensor]]:
    """Return what a rule of elements does to the rows that a gradient has; the others stay, and their slots too."""
    if _has_many_rows(value, gradient):
        return _on_picked_rows(rule, gradient, value, slots, numbers)
    rows = value.shape[0]
    counts = scatter_add_rows(zeros([rows], value.dtype), gradient.indices, ones_like(gradient.indices, value.dtype))
    has = reshape(counts > 0.0, [rows, *([1] * (len(value.shape) - 1))])
    new, changed = rule(densify(gradient), value, slots, numbers)
    return select(has, new, value), {name: select(has, one, slots[name]) for name, one in changed.items()}


_MANY_ROWS: Final = 4096
"""Of so many rows it is quicker to pick those that change than to look at all."""


def _has_many_rows(value: Tensor, gradient: IndexedSlices) -> bool:
    rows, picked = value.shape[0], gradient.indices.shape[0]
    return isinstance(rows, int) and rows >= (2 * picked if isinstance(picked, int) else _MANY_ROWS)


def _on_picked_rows(
    rule: Rule, gradient: IndexedSlices, value: Tensor, slots: Mapping[str, Tensor], numbers: Mapping[str, Tensor]
) -> tuple[Tensor, Mapping[str, Tensor]]:
    """Do the same in the time of the rows that change.

    Sorted by index, slices of one row stand together. Each of them is given the sum of all, and so the same new row,
    which is written as often as there are slices: there are as many rows as slices, whatever repeats.
    """
    order = argsort(gradient.indices, stable=True)
    indices, slices = gather(gradient.indices, order), gather(gradient.values, order)
    before = concat([indices[:1], indices[:-1]], 0)
    segments = cumsum(cast(not_equal(indices, before), int64))
    sums = unsorted_segment_sum(slices, segments, shape(segments)[0])
    old = {name: gather(one, indices) for name, one in slots.items()}
    new, changed = rule(gather(sums, segments), gather(value, indices), old, numbers)
    return ScatterUpdate()(value, indices, new), {
        name: ScatterUpdate()(slots[name], indices, one) for name, one in changed.items()
    }


def updates_of(tensors: Iterable[Tensor]) -> list[Operation]:
    """Return the updates of the layer calls that ``tensors`` depend on, in the order of creation."""
    seen: set[Operation] = set()
    calls: set[LayerCall] = set()
    waiting = [tensor.op for tensor in tensors]
    while waiting:
        op = waiting.pop()
        if op in seen:
            continue
        seen.add(op)
        waiting.extend(tensor.op for tensor in op.inputs)
        call = op.layer
        while call is not None and call not in calls:
            calls.add(call)
            call = call.parent
    graph = get_default_graph()
    found = {op for call in calls for op in call.updates if op.graph is graph}
    return sorted(found, key=lambda op: op.index)


def clipped(
    gradients: Sequence[Any], clipvalue: float | None, clipnorm: float | None, global_clipnorm: float | None
) -> Sequence[Any]:
    """Return gradients with elements, norms and the norm of all of them together at most as given.

    Rows of a sparse gradient count as they come, also where several are for one index, as in TensorFlow.
    """
    if clipvalue is not None:
        gradients = [_with_values(one, clip_by_value(_values(one), -clipvalue, clipvalue)) for one in gradients]
    if clipnorm is not None:
        gradients = [clip_by_norm(one, clipnorm) for one in gradients]
    if global_clipnorm is not None:
        wide = float64 if any(one.dtype is float64 for one in gradients) else float32
        total = global_norm([converted(_values(one), wide) for one in gradients])
        gradients, _ = clip_by_global_norm(gradients, global_clipnorm, use_norm=total)
    return gradients


def _values(gradient: Tensor | IndexedSlices) -> Tensor:
    return gradient.values if isinstance(gradient, IndexedSlices) else gradient


def _with_values(gradient: Tensor | IndexedSlices, values: Tensor) -> Tensor | IndexedSlices:
    return gradient.with_values(values) if isinstance(gradient, IndexedSlices) else values


# Numbers. ------------------------------------------------------------------------------------------------------------


def is_number(value: Any) -> bool:
    """Whether a value is a plain number."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def resolved(value: Any) -> Any:
    """Call what is a function; numbers and tensors stay."""
    return value() if callable(value) and not isinstance(value, (Tensor, Variable)) else value


def numbers_in(dtype: DType, given: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return numbers, tensors and variables as scalars of a dtype."""
    return {
        key: constant(float(value), dtype, name=key) if is_number(value) else converted(value, dtype)
        for key, value in given.items()
    }


def converted(value: Any, dtype: DType) -> Tensor:
    """Return a value as a tensor of a dtype."""
    tensor = as_tensor(value, dtype)
    return tensor if tensor.dtype is dtype else cast(tensor, dtype)


def computed_in(dtype: DType) -> DType:
    """Return the dtype of an update and of what is kept: float32 for half types, in which 1 - 0.999 is 0."""
    return float32 if dtype.is_half else dtype


# Lists of variables. -------------------------------------------------------------------------------------------------


def flat(var_list: Any) -> list[Any]:
    """Return the variables of nested lists."""
    if isinstance(var_list, (list, tuple)):
        return [variable for item in var_list for variable in flat(item)]
    return [var_list]


def listed(variables: Sequence[Variable]) -> str:
    """Return names for a message, the first eight of them."""
    names = [f'"{variable.op.name}"' for variable in variables]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
