"""``while_loop``: repeating a function as long as a condition holds."""

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
from dovetail.ops.loops import INDEX_TYPE, While
from dovetail.ops.sizes import opaque_name
from dovetail.ops.state import AssignVariable
from dovetail.types.dims import Dim, Symbol, SymbolicDim, definitely_different, symbols_of
from dovetail.types.shapes import Shape, TensorType

__all__ = ["may_be_equal", "stopped_unless", "while_history", "while_loop"]


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
        shape_invariants: the structure of ``loop_vars`` with a shape for each, in which ``None``, or a symbol that the
            initial value does not have, stands for a size that may change from one iteration to the next; by default
            every shape stays as it is at the beginning.
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
    variables = list(loop_vars) if isinstance(loop_vars, (list, tuple)) else [loop_vars]
    after, _ = _looped(cond, body, variables, shape_invariants, name, maximum_iterations)
    result = nest.pack(variables, stopped_unless(back_prop, after))
    return result[0] if len(result) == 1 and not return_same_structure else _like(loop_vars, result)


def while_history(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Sequence[Any],
    shape_invariants: Any = None,
    name: str | None = None,
    maximum_iterations: Any = None,
) -> tuple[list[Any], list[Any]]:
    """Repeat ``body`` as long as ``cond`` holds, and keep what the loop variables were on the way.

    The arguments and errors are those of ``while_loop``. Only what is used of the history is kept, and gradients flow
    through it.

    Returns:
        The loop variables at the end; and with a new first axis, as long as there were iterations, what they were at
        the beginning of each.

    Example:
        >>> (last,), (path,) = while_history(lambda x: x < 20, lambda x: 2 * x, [3])
        >>> dt.Session().run([last, path])
        [np.int32(24), array([ 3,  6, 12], dtype=int32)]
    """
    variables = list(loop_vars)
    after, history = _looped(cond, body, variables, shape_invariants, name, maximum_iterations)
    return nest.pack(variables, after), nest.pack(variables, history)


def _looped(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    variables: list[Any],
    shape_invariants: Any,
    name: str | None,
    maximum_iterations: Any,
) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    """Make the loop; returns what its variables are at the end, and at the beginning of each iteration."""
    graph = get_default_graph()
    source = graph.current_source()
    where = f"(at {source})"
    if not all(map(callable, (cond, body))):
        raise DTypeError(f"while_loop: cond and body are functions of the loop variables. {where}")
    if not nest.flatten(variables):
        raise InvalidArgumentError(f"while_loop: there are no loop variables; give at least one. {where}")
    with graph.name_scope(name or "while") as scope:
        paths = [f"loop_vars{path}" for path, _ in nest.flatten_with_paths(variables)]
        initial = [as_tensor(one) for one in nest.flatten(variables)]
        limit = None if maximum_iterations is None else as_tensor(maximum_iterations, INDEX_TYPE.dtype)
        label = opaque_name(scope.rstrip("/"))
        types, varying = _invariants(graph, variables, initial, shape_invariants, label, where)
        owners = nest.owners(variables)

        def structured(leaves: Sequence[Tensor]) -> Any:
            for index, (owner, leaf) in enumerate(zip(owners, leaves, strict=True)):
                if owner is not None and owner.grows:
                    owner.in_loop(leaf, _varying_size(label, index, 0))
            return nest.pack(variables, leaves)

        def condition(index: Tensor, *leaves: Tensor) -> Any:
            result = cond(*structured(leaves))
            return result if limit is None else _within(index, limit, as_tensor(result))

        def iteration(index: Tensor, *leaves: Tensor) -> list[Tensor]:
            result = body(*structured(leaves))
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
    return node.outputs[: len(initial)], node.outputs[len(initial) : 2 * len(initial)]


def _like(loop_vars: Any, result: list[Any]) -> Any:
    return nest.pack(loop_vars, nest.flatten(result)) if isinstance(loop_vars, (list, tuple)) else result


def _within(index: Tensor, limit: Tensor, result: Tensor) -> Tensor:
    from dovetail.ops.math import cast, logical_and

    return logical_and(index < cast(limit, INDEX_TYPE.dtype), result)


def stopped_unless(back_prop: bool, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return the results of a loop, as constants for gradients unless these are to flow through."""
    from dovetail.ops.math import stop_gradient

    return [one if back_prop or not one.dtype.is_inexact else stop_gradient(one) for one in tensors]


def _invariants(
    graph: Graph, variables: Any, initial: Sequence[Tensor], shape_invariants: Any, label: str, where: str
) -> tuple[list[TensorType], tuple[str, ...]]:
    """Return the types of the loop variables inside, and the names of the sizes that may change."""
    growing = [owner is not None and owner.grows for owner in nest.owners(variables)]
    if shape_invariants is not None:
        given = _flat_shapes(variables, list(shape_invariants), where)
    elif any(growing):
        given = [tensor.shape for tensor in initial]
    else:
        return [tensor.type for tensor in initial], ()
    types: list[TensorType] = []
    varying: list[str] = []
    for index, (tensor, shape, grows) in enumerate(zip(initial, given, growing, strict=True)):
        if shape is None or (isinstance(shape, Shape) and shape.rank is None):
            if grows:
                varying.append(_varying_size(label, index, 0).name)
            types.append(TensorType(tensor.dtype, Shape(None)))
            continue
        wanted = [None, *list(shape)[1:]] if grows else list(shape)
        if tensor.shape.rank is not None and tensor.shape.rank != len(wanted):
            raise ShapeError(
                f'while_loop: shape_invariants gives {wanted} for "{tensor.name}" of type {tensor.type}; the ranks '
                f"differ. {where}"
            )
        known = tensor.shape.dims if tensor.shape.rank is not None else (None,) * len(wanted)
        dims: list[Dim] = []
        for axis, (size, first) in enumerate(zip(wanted, known, strict=True)):
            if size is None or (isinstance(size, Symbol) and size != first):
                own = _varying_size(label, index, axis)
                dims.append(own)
                varying.append(own.name)
            else:
                dims.append(size if isinstance(size, SymbolicDim) else graph.make_shape([size]).dims[0])
        invariant = Shape(dims)
        if tensor.shape.rank is not None and not invariant.is_compatible_with(tensor.shape):
            raise ShapeError(
                f'while_loop: "{tensor.name}" of type {tensor.type} does not fit its shape invariant {wanted}. {where}'
            )
        types.append(TensorType(tensor.dtype, invariant))
    return types, tuple(varying)


def _varying_size(label: str, index: int, axis: int) -> Symbol:
    """Return what a size of a loop variable is inside, where it may change."""
    return Symbol(f"{label}.in.{index}.{axis}", data_dependent=True)


def _flat_shapes(structure: Any, shapes: Any, where: str) -> list[Any]:
    """Return the shapes that stand at the leaves of a structure; a shape may be a list itself.

    What knows the shapes of its parts itself, as a ``TensorArray``, keeps them.
    """
    if isinstance(structure, nest.Nested):
        return [as_tensor(leaf).shape for leaf in nest.flatten(structure)]
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
        not own.isdisjoint(symbols_of(mine)) or may_be_equal(mine, theirs)
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


def may_be_equal(before: Dim, after: Dim) -> bool:
    """Whether two sizes are equal, or a feed can make them so: one of them is a size that is fed."""
    if before == after:
        return True
    plain = all(isinstance(one, int) or (isinstance(one, Symbol) and not one.data_dependent) for one in (before, after))
    return plain and not definitely_different(before, after)
