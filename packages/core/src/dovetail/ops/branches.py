"""``cond`` and its relatives: computing one of several branches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np

from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import get_default_graph
from dovetail.graph.op import Body, Signature
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.registry import primitive
from dovetail.graph.subgraph import Subgraph, trace
from dovetail.ops import nest
from dovetail.ops.bodies import ControlOp, as_output, close, escaped, is_resource, output_types, replay, trace_structure
from dovetail.ops.sizes import opaque_dim, opaque_name
from dovetail.types.dims import Dim, Symbol, dim_max
from dovetail.types.dtypes import bool_
from dovetail.types.shapes import Shape, TensorType

__all__ = ["Cond", "case", "cond", "smart_cond", "switch_case"]


def check_predicate(operation: str, predicate: TensorType) -> None:
    """Make sure that a value decides between two ways.

    Raises:
        DTypeError: it is no truth value.
        ShapeError: it is more than one.
    """
    if predicate.dtype is not bool_:
        raise DTypeError(f"{operation}: the predicate is {predicate}; give a truth value, as a comparison does.")
    if predicate.rank not in (0, None):
        raise ShapeError(
            f"{operation}: the predicate is {predicate}; give a single one, by dt.reduce_all or dt.reduce_any."
        )


@primitive
@final
class Cond(ControlOp):
    """One of two bodies, chosen by a truth value.

    Inputs are the truth value and the arguments, which both bodies take; outputs are those of the body chosen.
    """

    conditional = True
    then_body: Body
    else_body: Body

    def branch(self, predicate: bool) -> Any:
        """Return the body for a truth value."""
        return self.then_body if predicate else self.else_body

    def infer(self, predicate: TensorType, *arguments: TensorType) -> Signature:
        """Types of the bodies' outputs, with a size that only a run knows wherever the two differ."""
        check_predicate("cond", predicate)
        given = frozenset[Symbol]().union(*(one.shape.symbols for one in arguments))
        branches = []
        for body in (self.then_body, self.else_body):
            known = body.symbols | given
            types = output_types(body, arguments)
            branches.append([escaped(one, known, self.label, index) for index, one in enumerate(types)])
        pairs = zip(*branches, strict=True)
        return tuple([self._merge(then, other, index) for index, (then, other) in enumerate(pairs)])

    def _merge(self, then: TensorType, other: TensorType, index: int) -> TensorType:
        if then.dtype is not other.dtype:
            raise DTypeError(f"cond: output {index} is {then} in one branch and {other} in the other; use dt.cast.")
        if then.rank is None or then.rank != other.rank:
            return TensorType(then.dtype, Shape(None))
        dims = [
            mine if mine == theirs else opaque_dim(f"{self.label}.{index}", axis)
            for axis, (mine, theirs) in enumerate(zip(then.dims, other.dims, strict=True))
        ]
        return TensorType(then.dtype, Shape(dims))

    def flops(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Dim:
        """Those of the dearer branch."""
        return dim_max(self.then_body.flops, self.else_body.flops)

    def reference(self, predicate: Any, *arguments: Any, then_body: Any, else_body: Any, sizes: Any) -> Any:
        """Run the body chosen."""
        results = (then_body if predicate else else_body)(*arguments)
        return results[0] if len(results) == 1 else results

    def gradient(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], grads: Sequence[Any], *, needed: Sequence[int]
    ) -> list[Tensor | None]:
        """One of the two bodies' gradients: each computes its branch anew and goes back through it."""
        from dovetail.ops.arrays import zeros_like
        from dovetail.ops.gradients import backpropagate

        graph = get_default_graph()
        arguments = inputs[1:]
        given = [index for index, grad in enumerate(grads) if grad is not None]
        wanted = [index - 1 for index in needed if inputs[index].dtype.is_inexact]
        count = len(arguments)
        resources = [index for index, tensor in enumerate(arguments) if is_resource(tensor)]

        def backward(body: Subgraph, name: str) -> Subgraph:
            def function(*tensors: Tensor) -> list[Tensor]:
                values = replay(
                    body, tensors[:count], [body.outputs[i] for i in given], [body.inputs[i] for i in resources]
                )
                found = backpropagate(values, [tensors[i] for i in wanted], tensors[count:])
                return [zeros_like(tensors[i]) if one is None else one for i, one in zip(wanted, found, strict=True)]

            types = [*body.input_types, *(body.outputs[i].type for i in given)]
            return trace(function, types, outer=graph, prefix=graph.unique_name(name))

        then_body, else_body = self.branch(True), self.branch(False)
        closed = close(graph, [backward(then_body, "then"), backward(else_body, "else")])
        op = Cond(opaque_name("cond"), *closed.bodies)
        node = graph.create(op, [*inputs, *(grads[i] for i in given), *closed.captures], control_inputs=closed.awaited)
        return _spread(node, needed, [index + 1 for index in wanted])


def _spread(node: Operation, needed: Sequence[int], places: Sequence[int]) -> list[Tensor | None]:
    found = dict(zip(places, node.outputs, strict=True))
    return [found.get(index) for index in needed]


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Callable[[], Any] | None = None,
    fn2: Callable[[], Any] | None = None,
) -> Any:
    """Return what ``true_fn`` makes where ``pred`` is true, else what ``false_fn`` makes; only that branch runs.

    What a branch does to variables happens when it is the one that runs. Tensors from outside are computed in either
    case.

    Args:
        pred: a truth value; a Python ``bool`` picks a branch right away.
        true_fn: a function without arguments that returns tensors, operations, numbers, or nested lists, tuples and
            dicts of them.
        false_fn: another one, which returns the same structure with the same dtypes.
        strict: whether a list or tuple of one value stays one; by default the value itself is returned.
        name: the scope of the nodes.
        fn1: an older name of ``true_fn``.
        fn2: an older name of ``false_fn``.

    Returns:
        The structure that the branches return. Sizes in which they differ are known only when it runs. An operation
        becomes a truth value.

    Raises:
        DTypeError: ``pred`` is no truth value, a branch is no function, or the dtypes differ.
        ShapeError: ``pred`` has more than one element.
        InvalidArgumentError: the branches return different structures, or nothing.

    Example:
        >>> x = dt.placeholder(dt.float32, [])
        >>> y = dt.cond(x > 0.0, lambda: x, lambda: -x)
        >>> dt.Session().run(y, {x: -2.0})
        np.float32(2.0)
    """
    graph = get_default_graph()
    source = graph.current_source()
    branches: list[tuple[str, str, Callable[[], Any]]] = []
    given = (fn1 if true_fn is None else true_fn, fn2 if false_fn is None else false_fn)
    for part, label, function in zip(("then", "else"), ("true_fn", "false_fn"), given, strict=True):
        if function is None or not callable(function):
            raise DTypeError(f"cond: {label} is {function!r}; give a function without arguments. (at {source})")
        branches.append((part, f"cond: {label} (at {source})", function))
    if isinstance(pred, (bool, np.bool_)):
        _, what, function = branches[0 if pred else 1]
        with graph.name_scope(name or "cond"):
            return _unpacked(nest.map_structure(lambda leaf: as_output(what, leaf), function()), strict)
    with graph.name_scope(name or "cond") as scope:
        predicate = as_tensor(pred, bool_ if isinstance(pred, (list, tuple)) else None)
        try:
            check_predicate("cond", predicate.type)
        except (DTypeError, ShapeError) as error:
            raise type(error)(f"{error} {predicate.op.where()} (at {source})") from error
        bodies, results = [], []
        for part, what, function in branches:
            body, result = trace_structure(function, (), outer=graph, prefix=scope + part, what=what)
            bodies.append(body)
            results.append(result)
        _check_alike(bodies, results, f"(at {source})")
        closed = close(graph, bodies)
        op = Cond(opaque_name(scope.rstrip("/")), *closed.bodies)
        node = graph.create(op, [predicate, *closed.captures], control_inputs=closed.awaited)
        return _unpacked(nest.pack(results[0], node.outputs), strict)


def _unpacked(result: Any, strict: bool) -> Any:
    return result[0] if not strict and isinstance(result, (list, tuple)) and len(result) == 1 else result


def _check_alike(bodies: Sequence[Subgraph], results: Sequence[Any], where: str) -> None:
    found = nest.difference(*results)
    if found is not None:
        raise InvalidArgumentError(
            f"cond: the structures that true_fn and false_fn return {found}. Return the same structure "
            f"from both. {where}"
        )
    paths = [path for path, _ in nest.flatten_with_paths(results[0])]
    for path, then, other in zip(paths, bodies[0].outputs, bodies[1].outputs, strict=True):
        if then.dtype is not other.dtype:
            raise DTypeError(
                f'cond: output{path or ""} is {then.type} from true_fn (node "{then.op.name}") and {other.type} from '
                f'false_fn (node "{other.op.name}"). Make the dtypes equal by dt.cast. {where}'
            )


def smart_cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: str | None = None) -> Any:
    """Return ``cond``, or only call one of the functions where ``pred`` is known now: a Python ``bool``, or 0 or 1.

    Example:
        >>> smart_cond(True, lambda: "dropout", lambda: "none")
        'dropout'
    """
    if isinstance(pred, (bool, np.bool_)) or (type(pred) is int and pred in (0, 1)):
        return true_fn() if pred else false_fn()
    return cond(pred, true_fn, false_fn, name=name)


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """Return what the function of the first true predicate makes.

    Args:
        pred_fn_pairs: pairs of a truth value and a function without arguments, or a dict of them.
        default: the function for when none is true; without it a run fails then.
        exclusive: whether a run fails when more than one is true.
        strict: as for ``cond``.
        name: the scope of the nodes.

    Raises:
        InvalidArgumentError: there are no pairs, or one is not a pair.

    Example:
        >>> x = dt.placeholder(dt.int32, [])
        >>> y = dt.case([(x < 0, lambda: -1), (x > 0, lambda: 1)], default=lambda: 0)
        >>> dt.Session().run(y, {x: 5})
        np.int32(1)
    """
    from dovetail.ops.arrays import stack
    from dovetail.ops.assertions import Assertion

    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, Mapping) else pred_fn_pairs)
    if not pairs or not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        raise InvalidArgumentError(f"case: {pred_fn_pairs!r} is no list of pairs of a predicate and a function.")
    graph = get_default_graph()
    with graph.name_scope(name):
        predicates = [as_tensor(predicate) for predicate, _ in pairs]
        checks: list[Operation] = []
        if default is None or exclusive:
            flags = stack(predicates)
            if default is None:
                checks.append(
                    Assertion("case: none of the predicates is true and there is no default.")(_any(flags), flags)
                )
            if exclusive:
                checks.append(Assertion("case: more than one predicate is true.")(_at_most_one(flags), flags))
        result = default
        for predicate, (_, function) in zip(reversed(predicates), reversed(pairs), strict=True):
            result = function if result is None else _either(predicate, function, result)
        with graph.control_dependencies(checks):
            found = result() if result is not None else None
            return _unpacked(nest.map_structure(_done, found) if checks else found, strict)


def switch_case(
    branch_index: Any,
    branch_fns: Mapping[int, Callable[[], Any]] | Sequence[Any],
    default: Callable[[], Any] | None = None,
    name: str = "switch_case",
) -> Any:
    """Return what the function of a number makes.

    Args:
        branch_index: the number, an integer scalar.
        branch_fns: functions without arguments: a list, whose places are the numbers, a dict by numbers, or pairs of
            number and function.
        default: the function for other numbers; that of the greatest number unless given.
        name: the scope of the nodes.

    Raises:
        InvalidArgumentError: there are no functions.

    Example:
        >>> which = dt.placeholder(dt.int32, [])
        >>> y = dt.switch_case(which, [lambda: 10, lambda: 20], default=lambda: -1)
        >>> [dt.Session().run(y, {which: number}) for number in (0, 1, 5)]
        [np.int32(10), np.int32(20), np.int32(-1)]
    """
    from dovetail.ops.comparison import equal

    items = list(branch_fns.items() if isinstance(branch_fns, Mapping) else branch_fns)
    if items and callable(items[0]):
        items = list(enumerate(items))
    if not items:
        raise InvalidArgumentError("switch_case: there are no functions; give at least one.")
    items.sort(key=lambda item: item[0])
    otherwise = items[-1][1] if default is None else default
    index = as_tensor(branch_index)
    with get_default_graph().name_scope(name):
        return case([(equal(index, number), function) for number, function in items], otherwise)


def _either(predicate: Tensor, function: Callable[[], Any], otherwise: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: cond(predicate, function, otherwise, strict=True)


def _done(value: Any) -> Tensor:
    from dovetail.ops.math import identity

    return identity(as_output("case: a function", value))


def _any(flags: Tensor) -> Tensor:
    from dovetail.ops.reductions import reduce_any

    return reduce_any(flags)


def _at_most_one(flags: Tensor) -> Tensor:
    from dovetail.ops.math import cast
    from dovetail.ops.reductions import reduce_sum
    from dovetail.types.dtypes import int32

    return reduce_sum(cast(flags, int32)) < 2
