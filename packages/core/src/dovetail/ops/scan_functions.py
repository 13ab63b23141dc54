"""Scans: ``scan``, ``map_fn``, ``foldl``, ``foldr`` walk along the first axis of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops import nest
from dovetail.ops.bodies import as_output
from dovetail.ops.loop_functions import may_be_equal, stopped_unless
from dovetail.ops.loops import make_scan
from dovetail.types.dtypes import as_dtype

__all__ = ["foldl", "foldr", "map_fn", "scan"]


def _elements(operation: str, elems: Any, where: str) -> list[Tensor]:
    tensors = [as_tensor(one) for one in nest.flatten(elems)]
    if not tensors:
        raise InvalidArgumentError(f"{operation}: elems holds no tensors. {where}")
    for tensor in tensors:
        if tensor.shape.rank == 0:
            raise ShapeError(
                f'{operation}: "{tensor.name}" is {tensor.type}; its first axis is to be walked along. {where}'
            )
    return tensors


def _checked(operation: str, fn: Any, where: str) -> None:
    if not callable(fn):
        raise DTypeError(f"{operation}: fn is {fn!r}; give a function. {where}")


def _accumulate(
    operation: str,
    fn: Callable[..., Any],
    structure: Any,
    initial: Sequence[Tensor],
    elems: Any,
    xs: Sequence[Tensor],
    *,
    stacked: bool,
    reverse: bool,
    scope: str,
    where: str,
) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    """Scan with an accumulator; gives its final value and, if asked for, its value after each step."""
    paths = [path for path, _ in nest.flatten_with_paths(structure)]

    def body(
        index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
    ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        result = fn(nest.pack(structure, carries), nest.pack(elems, slices))
        found = nest.difference(structure, result)
        if found is not None:
            raise InvalidArgumentError(
                f"{operation}: the structures of the accumulator and of what fn returns {found}. Return a new value "
                f"for each part of the accumulator. {where}"
            )
        what = f"{operation}: fn {where}"
        after = [as_output(what, value, one.dtype) for value, one in zip(nest.flatten(result), initial, strict=True)]
        for path, first, new in zip(paths, initial, after, strict=True):
            _check_accumulator(operation, path, first, new, where)
        return after, after if stacked else ()

    return make_scan(body, initial, xs, reverse=reverse, prefix=scope + "body")


def _check_accumulator(operation: str, path: str, first: Tensor, after: Tensor, where: str) -> None:
    what = f'{operation}: the accumulator{path} ("{first.name}") is {first.type}, yet fn returns {after.type} for it'
    if first.dtype is not after.dtype:
        raise DTypeError(f"{what}; keep its dtype, by dt.cast or another initializer. {where}")
    if first.shape.rank is None or after.shape.rank is None:
        return
    if first.shape.rank != after.shape.rank or not all(
        may_be_equal(mine, theirs) for mine, theirs in zip(first.shape.dims, after.shape.dims, strict=True)
    ):
        raise ShapeError(f"{what}; keep its shape, or begin with an initializer of the shape that fn returns. {where}")


def _first_and_rest(xs: Sequence[Tensor], reverse: bool) -> tuple[list[Tensor], list[Tensor]]:
    """Take the slice that comes first, which begins the accumulator where there is no initializer."""
    if reverse:
        return [x[-1] for x in xs], [x[:-1] for x in xs]
    return [x[0] for x in xs], [x[1:] for x in xs]


def scan(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """Return the values that an accumulator takes as ``fn`` walks along the first axis of ``elems``.

    Gradients flow through it to any order.

    Args:
        fn: takes the accumulator and a slice of ``elems``, returns the new accumulator.
        elems: a tensor, or a nested structure of tensors with first axes of one size.
        initializer: what the accumulator is before the first step, a structure of its own; by default the first slice
            of ``elems``, which is then also the first value.
        parallel_iterations: has no effect; here for TensorFlow 1 programs.
        back_prop: whether gradients flow through.
        swap_memory: has no effect; here for TensorFlow 1 programs.
        infer_shape: has no effect; here for TensorFlow 1 programs.
        reverse: whether to walk from the last slice to the first; results stand at the place of their slice.
        name: the scope of the nodes.

    Returns:
        The structure of the accumulator, each tensor with a first axis as long as that of ``elems``.

    Raises:
        DTypeError: ``fn`` changes the dtype of the accumulator.
        ShapeError: ``fn`` changes its shape, or ``elems`` has no first axis.
        InvalidArgumentError: ``fn`` returns another structure.

    Example:
        >>> dt.Session().run(dt.scan(lambda total, x: total + x, dt.constant([1, 2, 3])))
        array([1, 3, 6], dtype=int32)
    """
    from dovetail.ops.arrays import concat, expand_dims

    graph = get_default_graph()
    source = graph.current_source()
    where = f"(at {source})"
    _checked("scan", fn, where)
    with graph.name_scope(name or "scan") as scope:
        xs = _elements("scan", elems, where)
        structure = elems if initializer is None else initializer
        if initializer is None:
            initial, xs = _first_and_rest(xs, reverse)
        else:
            initial = [as_tensor(one) for one in nest.flatten(initializer)]
        _, results = _accumulate(
            "scan", fn, structure, initial, elems, xs, stacked=True, reverse=reverse, scope=scope, where=where
        )
        if initializer is None:
            lead = [expand_dims(one, 0) for one in initial]
            pairs = [(r, one) if reverse else (one, r) for one, r in zip(lead, results, strict=True)]
            results = [concat(pair, 0) for pair in pairs]
        return nest.pack(structure, stopped_unless(back_prop, results))


def map_fn(
    fn: Callable[[Any], Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
) -> Any:
    """Return the results of ``fn`` on each slice of ``elems`` along the first axis, stacked.

    Args:
        fn: takes a slice of ``elems``; returns a tensor or a nested structure of tensors, of the same shapes for every
            slice.
        elems: a tensor, or a nested structure of tensors with first axes of one size.
        dtype: the dtypes of the results, in their structure; only needed where they differ from those of ``elems``, and
            then only checked.
        parallel_iterations: has no effect; here for TensorFlow 1 programs.
        back_prop: whether gradients flow through.
        swap_memory: has no effect; here for TensorFlow 1 programs.
        infer_shape: has no effect; here for TensorFlow 1 programs.
        name: the scope of the nodes.

    Raises:
        DTypeError: a result has another dtype than ``dtype`` says.
        ShapeError: ``elems`` has no first axis.
        InvalidArgumentError: ``dtype`` has another structure than what ``fn`` returns.

    Example:
        >>> dt.Session().run(dt.map_fn(lambda x: x * x, dt.constant([1, 2, 3])))
        array([1, 4, 9], dtype=int32)
    """
    graph = get_default_graph()
    source = graph.current_source()
    where = f"(at {source})"
    _checked("map_fn", fn, where)
    with graph.name_scope(name or "map") as scope:
        xs = _elements("map_fn", elems, where)
        structure: list[Any] = []

        def body(
            index: Tensor, carries: Sequence[Tensor], slices: Sequence[Tensor], constants: Sequence[Tensor]
        ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
            result = fn(nest.pack(elems, slices))
            structure.append(result)
            found = None if dtype is None else nest.difference(dtype, result)
            if found is not None:
                raise InvalidArgumentError(f"map_fn: the structures of dtype and of what fn returns {found}. {where}")
            wanted = [None] * len(nest.flatten(result)) if dtype is None else [as_dtype(d) for d in nest.flatten(dtype)]
            tensors = [
                as_output(f"map_fn: fn {where}", value, d)
                for value, d in zip(nest.flatten(result), wanted, strict=True)
            ]
            for tensor, d in zip(tensors, wanted, strict=True):
                if d is not None and tensor.dtype is not d:
                    raise DTypeError(
                        f"map_fn: fn returns {tensor.type} where dtype says {d.name}; use dt.cast. {where}"
                    )
            return (), tensors

        _, results = make_scan(body, (), xs, prefix=scope + "body")
        return nest.pack(structure[0], stopped_unless(back_prop, results))


def foldl(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Return the accumulator after ``fn`` has taken each slice of ``elems`` along the first axis, the first one first.

    Args:
        fn: takes the accumulator and a slice of ``elems``, returns the new accumulator.
        elems: a tensor, or a nested structure of tensors with first axes of one size.
        initializer: what the accumulator is before the first step; by default the first slice of ``elems``.
        parallel_iterations: has no effect; here for TensorFlow 1 programs.
        back_prop: whether gradients flow through.
        swap_memory: has no effect; here for TensorFlow 1 programs.
        name: the scope of the nodes.

    Raises:
        DTypeError, ShapeError, InvalidArgumentError: as for ``scan``.

    Example:
        >>> dt.Session().run(dt.foldl(lambda total, x: total + x, dt.constant([1, 2, 3])))
        np.int32(6)
    """
    return _fold("foldl", fn, elems, initializer, back_prop, name, reverse=False)


def foldr(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Return the accumulator after ``fn`` has taken each slice of ``elems`` along the first axis, the last one first.

    Arguments and errors are those of ``foldl``.

    Example:
        >>> dt.Session().run(dt.foldr(lambda total, x: 10 * total + x, dt.constant([1, 2, 3])))
        np.int32(321)
    """
    return _fold("foldr", fn, elems, initializer, back_prop, name, reverse=True)


def _fold(
    operation: str, fn: Any, elems: Any, initializer: Any, back_prop: bool, name: str | None, *, reverse: bool
) -> Any:
    graph = get_default_graph()
    source = graph.current_source()
    where = f"(at {source})"
    _checked(operation, fn, where)
    with graph.name_scope(name or operation) as scope:
        xs = _elements(operation, elems, where)
        structure = elems if initializer is None else initializer
        if initializer is None:
            initial, xs = _first_and_rest(xs, reverse)
        else:
            initial = [as_tensor(one) for one in nest.flatten(initializer)]
        finals, _ = _accumulate(
            operation, fn, structure, initial, elems, xs, stacked=False, reverse=reverse, scope=scope, where=where
        )
        return nest.pack(structure, stopped_unless(back_prop, finals))
