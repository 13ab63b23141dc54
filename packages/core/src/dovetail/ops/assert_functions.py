"""``assert_equal`` and its relatives: operations that fail a run where something does not hold.

They run when they are fetched, or when something depends on them by ``dt.control_dependencies``. What a rank or an
element type says already is checked at once, while the graph is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from dovetail.errors import DTypeError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops.arithmetic import abs, subtract
from dovetail.ops.arrays import rank, reshape, size, zeros_like
from dovetail.ops.assertions import Assertion
from dovetail.ops.comparison import equal, greater, greater_equal, less, less_equal, not_equal
from dovetail.ops.indexed_slices import IndexedSlices
from dovetail.ops.reductions import reduce_all, reduce_any
from dovetail.ops.state import no_op
from dovetail.ops.variables import Variable, report_uninitialized_variables
from dovetail.types.dtypes import DType, DTypeLike, as_dtype

__all__ = [
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_integer",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_type",
    "assert_variables_initialized",
    "is_non_decreasing",
    "is_numeric_tensor",
    "is_strictly_increasing",
]


def _assertion(
    condition: Tensor, what: str, data: Sequence[Any], message: str | None, summarize: int | None, name: str
) -> Operation:
    text = f"{message} {what}" if message else what
    op: Operation = Assertion(text, 3 if summarize is None else summarize)(condition, *map(as_tensor, data), name=name)
    return op


def _compared(
    label: str,
    sign: str,
    compare: Callable[..., Tensor],
    x: Any,
    y: Any,
    data: Sequence[Any] | None,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Operation:
    left = as_tensor(x)
    right = as_tensor(y, left.dtype)
    with get_default_graph().name_scope(name or label):
        condition = reduce_all(compare(left, right))
        what = f'x {sign} y does not hold for every element, where x is "{left.name}" and y is "{right.name}":'
        return _assertion(condition, what, data or [left, right], message, summarize, label)


def assert_equal(
    x: Any,
    y: Any,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run unless all elements of ``x`` and ``y`` are equal; empty tensors pass.

    Args:
        x: numbers, truth values or strings.
        y: values of the same dtype, of a shape that broadcasts.
        data: tensors to show in the error; both by default.
        summarize: how many elements of each to show, 3 by default.
        message: what the error begins with.
        name: scope of the nodes.

    Returns:
        The operation, for ``dt.control_dependencies`` or to run.

    Raises:
        ShapeError: the shapes do not broadcast.
        DTypeError: the dtypes differ.

    Example:
        >>> x = dt.placeholder(dt.float32, [None])
        >>> with dt.control_dependencies([dt.assert_equal(dt.reduce_sum(x), 1.0, message="Not a distribution.")]):
        ...     entropy = -dt.reduce_sum(x * dt.log(x))
    """
    return _compared("assert_equal", "==", equal, x, y, data, summarize, message, name)


def assert_none_equal(
    x: Any,
    y: Any,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run if an element of ``x`` equals that of ``y``.

    The arguments and errors are those of ``assert_equal``.
    """
    return _compared("assert_none_equal", "!=", not_equal, x, y, data, summarize, message, name)


def assert_less(
    x: Any,
    y: Any,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run unless each element of ``x`` is less than that of ``y``.

    The arguments and errors are those of ``assert_equal``.
    """
    return _compared("assert_less", "<", less, x, y, data, summarize, message, name)


def assert_less_equal(
    x: Any,
    y: Any,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run unless each element of ``x`` is at most that of ``y``.

    The arguments and errors are those of ``assert_equal``.
    """
    return _compared("assert_less_equal", "<=", less_equal, x, y, data, summarize, message, name)


def assert_greater(
    x: Any,
    y: Any,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run unless each element of ``x`` is greater than that of ``y``.

    The arguments and errors are those of ``assert_equal``.
    """
    return _compared("assert_greater", ">", greater, x, y, data, summarize, message, name)


def assert_greater_equal(
    x: Any,
    y: Any,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run unless each element of ``x`` is at least that of ``y``.

    The arguments and errors are those of ``assert_equal``.
    """
    return _compared("assert_greater_equal", ">=", greater_equal, x, y, data, summarize, message, name)


def assert_positive(
    x: Any,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run unless each element of ``x`` is greater than zero.

    The other arguments are those of ``assert_equal``.
    """
    return _signed("assert_positive", "> 0", greater, x, data, summarize, message, name)


def assert_negative(
    x: Any,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run unless each element of ``x`` is less than zero.

    The other arguments are those of ``assert_equal``.
    """
    return _signed("assert_negative", "< 0", less, x, data, summarize, message, name)


def assert_non_negative(
    x: Any,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run unless each element of ``x`` is zero or greater.

    The other arguments are those of ``assert_equal``.
    """
    return _signed("assert_non_negative", ">= 0", greater_equal, x, data, summarize, message, name)


def assert_non_positive(
    x: Any,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run unless each element of ``x`` is zero or less.

    The other arguments are those of ``assert_equal``.
    """
    return _signed("assert_non_positive", "<= 0", less_equal, x, data, summarize, message, name)


def _signed(
    label: str,
    sign: str,
    compare: Callable[..., Tensor],
    x: Any,
    data: Sequence[Any] | None,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Operation:
    tensor = as_tensor(x)
    with get_default_graph().name_scope(name or label):
        condition = reduce_all(compare(tensor, zeros_like(tensor)))
        what = f'x {sign} does not hold for every element, where x is "{tensor.name}":'
        return _assertion(condition, what, data or [tensor], message, summarize, label)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail the run unless ``|x - y| <= atol + rtol * |y|`` for each element.

    Args:
        x: floating numbers.
        y: numbers of the same dtype, of a shape that broadcasts.
        rtol: relative tolerance, ten times the dtype's resolution by default.
        atol: absolute tolerance, ten times the dtype's resolution by default.
        data: tensors to show in the error.
        summarize: how many elements of each to show, 3 by default.
        message: what the error begins with.
        name: scope of the nodes.

    Raises:
        DTypeError: the numbers are not floating, or the dtypes differ.
    """
    left = as_tensor(x)
    if not left.dtype.is_floating:
        raise DTypeError(f"assert_near: x is {left.type}, not floating; use assert_equal. {left.op.where()}")
    right = as_tensor(y, left.dtype)
    resolution = 10.0 * float(ml_dtypes.finfo(left.dtype.numpy).eps)  # type: ignore[no-untyped-call] # it gives no types
    with get_default_graph().name_scope(name or "assert_near"):
        allowed = as_tensor(resolution if atol is None else atol, left.dtype)
        relative = as_tensor(resolution if rtol is None else rtol, left.dtype)
        condition = reduce_all(less_equal(abs(subtract(left, right)), allowed + relative * abs(right)))
        what = f'x and y are not near each other, where x is "{left.name}" and y is "{right.name}":'
        return _assertion(condition, what, data or [left, right], message, summarize, "assert_near")


def _ranked(
    label: str,
    x: Any,
    wanted: str,
    fits: Callable[[int], bool],
    condition: Callable[[Tensor], Tensor],
    data: Sequence[Any] | None,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Operation:
    tensor = as_tensor(x)
    known = tensor.shape.rank
    if known is not None:
        if not fits(known):
            begin = f"{message} " if message else ""
            raise ShapeError(f"{begin}{label}: x is {tensor.type}, of rank {known}; {wanted}. {tensor.op.where()}")
        return no_op(name or label)
    with get_default_graph().name_scope(name or label):
        found = rank(tensor)
        what = f'"{tensor.name}" has another rank; {wanted}:'
        return _assertion(condition(found), what, data or [found], message, summarize, label)


def assert_rank(
    x: Any,
    rank: int,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail at once, or the run where the rank is known only then, unless ``x`` has a rank.

    Args:
        x: a tensor.
        rank: the rank.
        data: tensors to show in the error.
        summarize: how many elements of each to show, 3 by default.
        message: what the error begins with.
        name: scope of the nodes.

    Raises:
        ShapeError: the rank is known and another.
    """
    return _ranked(
        "assert_rank",
        x,
        f"rank {rank} is wanted",
        lambda known: known == rank,
        lambda found: equal(found, rank),
        data,
        summarize,
        message,
        name,
    )


def assert_rank_at_least(
    x: Any,
    rank: int,
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail at once, or the run, unless the rank of ``x`` is so great; the arguments are those of ``assert_rank``."""
    return _ranked(
        "assert_rank_at_least",
        x,
        f"rank {rank} or more is wanted",
        lambda known: known >= rank,
        lambda found: greater_equal(found, rank),
        data,
        summarize,
        message,
        name,
    )


def assert_rank_in(
    x: Any,
    ranks: Iterable[int],
    data: Sequence[Any] | None = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """Fail at once, or the run, unless ``x`` has one of some ranks; the others are the arguments of ``assert_rank``."""
    chosen = list(ranks)
    return _ranked(
        "assert_rank_in",
        x,
        f"one of the ranks {chosen} is wanted",
        lambda known: known in chosen,
        lambda found: reduce_any(equal(found, as_tensor(chosen))),
        data,
        summarize,
        message,
        name,
    )


def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Tensor:
    """Return a tensor, whose rank must be 0.

    Raises:
        ShapeError: it is another, or is not known.
    """
    found = as_tensor(tensor)
    if found.shape.rank != 0:
        begin = f"{message} " if message else ""
        raise ShapeError(f"{begin}assert_scalar: the tensor is {found.type}; a scalar is wanted. {found.op.where()}")
    return found


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Operation:
    """Make sure at once that a tensor holds integers.

    Raises:
        DTypeError: it holds something else.
    """
    tensor = as_tensor(x)
    if not tensor.dtype.is_integer:
        begin = f"{message} " if message else ""
        raise DTypeError(f"{begin}assert_integer: x is {tensor.type}; integers are wanted. {tensor.op.where()}")
    return no_op(name or "assert_integer")


def assert_type(tensor: Any, tf_type: DTypeLike, message: str | None = None, name: str | None = None) -> Operation:
    """Make sure at once that a tensor has an element type.

    Raises:
        DTypeError: it has another.
    """
    found, wanted = as_tensor(tensor), as_dtype(tf_type)
    if found.dtype is not wanted:
        begin = f"{message} " if message else ""
        raise DTypeError(f"{begin}assert_type: the tensor is {found.type}; {wanted.name} is wanted. {found.op.where()}")
    return no_op(name or "assert_type")


def assert_same_float_dtype(tensors: Iterable[Any] | None = None, dtype: DTypeLike | None = None) -> DType:
    """Return the element type of tensors, which must be one and the same floating type.

    Args:
        tensors: the tensors; float32 is returned where there are none and no ``dtype``.
        dtype: the type that they must have.

    Raises:
        DTypeError: they have several, or it is not floating.
    """
    wanted = None if dtype is None else as_dtype(dtype)
    for one in map(as_tensor, tensors or ()):
        if wanted is not None and one.dtype is not wanted:
            raise DTypeError(
                f'assert_same_float_dtype: "{one.name}" is {one.type}; {wanted.name} is wanted, as the others are. '
                f"{one.op.where()}"
            )
        wanted = one.dtype
    found = as_dtype(wanted or float)
    if not found.is_floating:
        raise DTypeError(f"assert_same_float_dtype: the type is {found.name}; a floating one is wanted.")
    return found


def assert_proper_iterable(values: Any) -> None:
    """Make sure that something is a list of tensors or the like, and not one tensor, array or string.

    Raises:
        DTypeError: it is no such list.
    """
    single = isinstance(values, (Tensor, Variable, IndexedSlices, np.ndarray, str, bytes))
    if single or not isinstance(values, Iterable):
        raise DTypeError(f"assert_proper_iterable: {values!r} is a {type(values).__name__}; give a list of them.")


def assert_variables_initialized(var_list: Sequence[Variable] | None = None) -> Operation:
    """Fail the run unless variables have values; the global and local ones by default."""
    lacking = report_uninitialized_variables(var_list)
    with get_default_graph().name_scope("assert_variables_initialized"):
        what = "variables have no value; run their initializers:"
        return _assertion(equal(size(lacking), 0), what, [lacking], None, -1, "assert_variables_initialized")


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Return a truth value: whether no element is less than the one before it.

    Example:
        >>> dt.Session().run(dt.is_non_decreasing([1.0, 1.0, 3.0]))
        np.True_
    """
    return _in_order("is_non_decreasing", greater_equal, x, name)


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Return a truth value: whether each element is greater than the one before it.

    Example:
        >>> dt.Session().run(dt.is_strictly_increasing([1.0, 1.0, 3.0]))
        np.False_
    """
    return _in_order("is_strictly_increasing", greater, x, name)


def _in_order(label: str, compare: Callable[..., Tensor], x: Any, name: str | None) -> Tensor:
    with get_default_graph().name_scope(name or label):
        flat = reshape(as_tensor(x), [-1])
        return reduce_all(compare(flat[1:], flat[:-1]))


def is_numeric_tensor(tensor: Any) -> bool:
    """Say whether something is a tensor of numbers."""
    return isinstance(tensor, Tensor) and (tensor.dtype.is_floating or tensor.dtype.is_integer)
