"""Loops as users write them: ``while_loop``, ``scan``, ``map_fn``, ``foldl``, ``foldr``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import Graph, get_default_graph
from dovetail.graph.operation import Tensor
from dovetail.ops import nest
from dovetail.ops.bodies import as_output, close, trace_structure
from dovetail.ops.branches import check_predicate
from dovetail.ops.loops import INDEX_TYPE, While, make_scan
from dovetail.ops.sizes import opaque_name
from dovetail.ops.state import AssignVariable
from dovetail.types.dims import Dim, Symbol, SymbolicDim, definitely_different, symbols_of
from dovetail.types.dtypes import as_dtype
from dovetail.types.shapes import Shape, TensorType

__all__ = ["foldl", "foldr", "map_fn", "scan", "while_loop"]


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """Repeat ``body`` as long as ``cond`` holds; returns the loop variables as they are then.

    Gradients flow through it to any order; they keep the loop variables of every iteration.

    Args:
        cond: takes the loop variables, returns one truth value.
        body: takes the loop variables, returns their new values.
        loop_vars: the initial values: a list or tuple of tensors or nested structures of them.
        shape_invariants: the structure of ``loop_vars`` with a shape for each, in which ``None`` stands for a size that
            may change from one iteration to the next; by default every shape stays as it is at the beginning.
        parallel_iterations: has no effect; here for TensorFlow 1 programs.
        back_prop: whether gradients flow through.
        swap_memory: has no effect; here for TensorFlow 1 programs.
        name: the scope of the nodes.
        maximum_iterations: an integer, perhaps a tensor: stop after so many even if ``cond`` still holds.
        return_same_structure: whether a single loop variable is returned in a list rather than as it is.

    Raises:
        DTypeError: a loop variable changes its dtype, or ``cond`` does not return a truth value.
        ShapeError: a loop variable changes its shape.
        InvalidArgumentError: ``body`` returns another structure, or there are no loop variables.

    Example:
        >>> i, total = dt.while_loop(lambda i, total: i < 5, lambda i, total: [i + 1, total + i], [0, 0])
        >>> dt.Session().run(total)
        np.int32(10)
    """
    graph = get_default_graph()
    source = graph.current_source()
    where = f"(at {source})"
    if not all(map(callable, (cond, body))):
        raise DTypeError(f"while_loop: cond and body are functions of the loop variables. {where}")
    variables = list(loop_vars) if isinstance(loop_vars, (list, tuple)) else [loop_vars]
    if not nest.flatten(variables):
        raise InvalidArgumentError(f"while_loop: there are no loop variables; give at least one. {where}")
    with graph.name_scope(name or "while") as scope:
        paths = [f"loop_vars{path}" for path, _ in nest.flatten_with_paths(variables)]
        initial = [as_tensor(one) for one in nest.flatten(variables)]
        limit = None if maximum_iterations is None else as_tensor(maximum_iterations, INDEX_TYPE.dtype)
        label = opaque_name(scope.rstrip("/"))
        types, varying = _invariants(graph, variables, initial, shape_invariants, label, where)

        def condition(index: Tensor, *leaves: Tensor) -> Any:
            result = cond(*nest.pack(variables, leaves))
            return result if limit is None else _within(index, limit, as_tensor(result))

        def iteration(index: Tensor, *leaves: Tensor) -> list[Tensor]:
            result = body(*nest.pack(variables, leaves))
            if isinstance(result, tuple) and len(variables) > 1:
                result = list(result)
            elif not isinstance(result, list) and not (isinstance(result, tuple) and len(result) == 1):
                result = [result]
            found = nest.difference(variables, result)
            if found is not None:
                raise InvalidArgumentError(
                    f"while_loop: the structures of loop_vars and of what body returns {found}. Return a new value "
                    f"for each loop variable, in the same structure. {where}"
                )
            what = f"while_loop: body {where}"
            after = [
                as_output(what, value, one.dtype) for value, one in zip(nest.flatten(result), initial, strict=True)
            ]
            for path, first, before, new in zip(paths, initial, types, after, strict=True):
                _check_variable(path, first, before, new, varying, where)
            return [*after, *leaves, index]

        names = ["index", *(path.partition("[")[0] for path in paths)]
        arguments = [INDEX_TYPE, *types]
        traced = [
            trace_structure(
                function, arguments, outer=graph, prefix=scope + part, what=f"while_loop: {part} {where}", names=names
            )[0]
            for part, function in (("cond", condition), ("body", iteration))
        ]
        _check_condition(traced[0], where)
        closed = close(graph, traced, repeated=True)
        op = While(
            label=label, condition=closed.bodies[0], body=closed.bodies[1], carries=len(initial), varying=varying
        )
        node = graph.create(op, [*initial, *closed.captures], control_inputs=closed.awaited)
        result = nest.pack(variables, _maybe_stopped(node.outputs[: len(initial)], back_prop))
    return result[0] if len(result) == 1 and not return_same_structure else _like(loop_vars, result)


def _like(loop_vars: Any, result: list[Any]) -> Any:
    return nest.pack(loop_vars, nest.flatten(result)) if isinstance(loop_vars, (list, tuple)) else result


def _within(index: Tensor, limit: Tensor, result: Tensor) -> Tensor:
    from dovetail.ops.math import cast, logical_and

    return logical_and(index < cast(limit, INDEX_TYPE.dtype), result)


def _maybe_stopped(tensors: Sequence[Tensor], back_prop: bool) -> list[Tensor]:
    from dovetail.ops.math import stop_gradient

    return [one if back_prop or not one.dtype.is_floating else stop_gradient(one) for one in tensors]


def _invariants(
    graph: Graph, variables: Any, initial: Sequence[Tensor], shape_invariants: Any, label: str, where: str
) -> tuple[list[TensorType], tuple[str, ...]]:
    """Return the types of the loop variables inside, and the names of the sizes that may change."""
    if shape_invariants is None:
        return [tensor.type for tensor in initial], ()
    given = _flat_shapes(variables, list(shape_invariants), where)
    types: list[TensorType] = []
    varying: list[str] = []
    for index, (tensor, shape) in enumerate(zip(initial, given, strict=True)):
        if shape is None or (isinstance(shape, Shape) and shape.rank is None):
            types.append(TensorType(tensor.dtype, Shape(None)))
            continue
        wanted = list(shape)
        if tensor.shape.rank is not None and tensor.shape.rank != len(wanted):
            raise ShapeError(
                f'while_loop: shape_invariants gives {wanted} for "{tensor.name}" of type {tensor.type}; the ranks '
                f"differ. {where}"
            )
        dims: list[Dim] = []
        for axis, size in enumerate(wanted):
            if size is None:
                varying.append(f"{label}.in.{index}.{axis}")
                dims.append(Symbol(varying[-1], data_dependent=True))
            else:
                dims.append(size if isinstance(size, SymbolicDim) else graph.make_shape([size]).dims[0])
        invariant = Shape(dims)
        if tensor.shape.rank is not None and not invariant.is_compatible_with(tensor.shape):
            raise ShapeError(
                f'while_loop: "{tensor.name}" of type {tensor.type} does not fit its shape invariant {wanted}. {where}'
            )
        types.append(TensorType(tensor.dtype, invariant))
    return types, tuple(varying)


def _flat_shapes(structure: Any, shapes: Any, where: str) -> list[Any]:
    """Return the shapes that stand at the leaves of a structure; a shape may be a list itself."""
    if isinstance(structure, dict) and isinstance(shapes, dict) and structure.keys() == shapes.keys():
        return [leaf for key in sorted(structure) for leaf in _flat_shapes(structure[key], shapes[key], where)]
    if isinstance(structure, (list, tuple)) and isinstance(shapes, (list, tuple)) and len(structure) == len(shapes):
        return [leaf for one, two in zip(structure, shapes, strict=True) for leaf in _flat_shapes(one, two, where)]
    if isinstance(structure, (dict, list, tuple)):
        raise InvalidArgumentError(
            f"while_loop: shape_invariants {shapes!r} has not the structure of loop_vars. {where}"
        )
    return [shapes]


def _check_condition(condition: Any, where: str) -> None:
    if len(condition.outputs) != 1:
        raise InvalidArgumentError(
            f"while_loop: cond returns {len(condition.outputs)} values; return one truth value. {where}"
        )
    try:
        check_predicate("while_loop", condition.outputs[0].type)
    except (DTypeError, ShapeError) as error:
        raise type(error)(f"{error} {condition.outputs[0].op.where()}") from error
    for op in condition.graph.get_operations():
        if isinstance(op.definition, AssignVariable):
            raise InvalidArgumentError(f"while_loop: cond writes a variable; do so in body. {op.where()}")


def _check_variable(
    path: str, first: Tensor, before: TensorType, after: Tensor, varying: Iterable[str], where: str
) -> None:
    what = f'while_loop: {path} ("{first.name}")'
    if before.dtype is not after.dtype:
        raise DTypeError(
            f'{what} is {before} at the beginning and {after.type} after an iteration (node "{after.op.name}"); keep '
            f"its dtype, by dt.cast if need be. {where}"
        )
    if before.rank is None or after.shape.rank is None:
        return
    own = {Symbol(name) for name in varying}
    if before.rank == after.shape.rank and all(
        not own.isdisjoint(symbols_of(mine)) or _may_be_equal(mine, theirs)
        for mine, theirs in zip(before.dims, after.shape.dims, strict=True)
    ):
        return
    advice = "keep its rank, by dt.reshape or dt.squeeze"
    if before.rank == after.shape.rank:
        loose = [None if mine != theirs else mine for mine, theirs in zip(before.dims, after.shape.dims, strict=True)]
        advice = f"keep its shape, or pass shape_invariants with {loose} for it, where None is a size that may change"
    raise ShapeError(
        f'{what} is {before} at the beginning and {after.type} after an iteration (node "{after.op.name}"); '
        f"{advice}. {where}"
    )


def _may_be_equal(before: Dim, after: Dim) -> bool:
    """Whether two sizes are equal, or a feed can make them so: one of them is a size that is fed."""
    if before == after:
        return True
    plain = all(isinstance(one, int) or (isinstance(one, Symbol) and not one.data_dependent) for one in (before, after))
    return plain and not definitely_different(before, after)


# Scans. --------------------------------------------------------------------------------------------------------------


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
        _may_be_equal(mine, theirs) for mine, theirs in zip(first.shape.dims, after.shape.dims, strict=True)
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
        return nest.pack(structure, _maybe_stopped(results, back_prop))


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
        return nest.pack(structure[0], _maybe_stopped(results, back_prop))


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
        return nest.pack(structure, _maybe_stopped(finals, back_prop))
