"""``gradients``: reverse differentiation of graphs, to any order, as nodes of the same graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dovetail.errors import DTypeError, GradientError, ShapeError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import Graph, get_default_graph
from dovetail.graph.operation import Operation, Tensor
from dovetail.graph.subgraph import BodyGraph, BodyInput
from dovetail.ops.composites import CompositeOp, Vjp
from dovetail.ops.indexed_slices import IndexedSlices, add_gradients, densify

__all__ = ["backpropagate", "gradients"]

Gradient = Tensor | IndexedSlices


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
) -> list[Any]:
    """Return the sum over ``ys`` of their derivatives with respect to each of ``xs``.

    Args:
        ys: a tensor or several, floating; complex ones need a ``grad_ys``.
        xs: tensors or variables to differentiate with respect to.
        grad_ys: a gradient for each of ``ys`` to begin with, ones by default. A gradient of a complex tensor is the
            derivative by its real part plus i times that by its imaginary part.
        name: the scope of the nodes made.
        colocate_gradients_with_ops: gradients always run where their operation does; here for TensorFlow 1 programs.
        gate_gradients: has no effect; here for TensorFlow 1 programs.
        aggregation_method: has no effect; here for TensorFlow 1 programs.
        stop_gradients: tensors that count as constant in others; for those among ``xs`` the derivatives are partial.

    Returns:
        A gradient for each of ``xs``: a tensor, ``IndexedSlices`` where only rows of it were gathered, or ``None``
        where no ``ys`` depends on it.

    Raises:
        GradientError: the way from ``ys`` to ``xs`` leads through an operation that has no gradient.
        DTypeError: one of ``ys`` is not floating, or complex without a ``grad_ys``.

    Example:
        >>> x = dt.constant(3.0)
        >>> (dx,) = dt.gradients(x * x, x)
        >>> dt.Session().run(dx)
        np.float32(6.0)
    """
    ys_list = [as_tensor(y) for y in _listed(ys)]
    xs_list = _listed(xs)
    starts: list[Tensor | None] = [None] * len(ys_list)
    if grad_ys is not None:
        given = _listed(grad_ys)
        if len(given) != len(ys_list):
            raise ShapeError(f"gradients: {len(ys_list)} ys but {len(given)} grad_ys; give one for each, or None.")
        starts = [None if g is None else as_tensor(g, y.dtype) for g, y in zip(given, ys_list, strict=True)]
    graph = get_default_graph()
    with graph.name_scope(name):
        for y, start in zip(ys_list, starts, strict=True):
            if y.dtype.is_complex and start is None:
                raise DTypeError(
                    f'gradients: "{y.name}" is {y.dtype.name}, of which no one number is differentiated; give grad_ys, '
                    f"or make it real by dt.abs or dt.real. {y.op.where()}"
                )
            if not y.dtype.is_inexact:
                raise DTypeError(
                    f'gradients: "{y.name}" is {y.dtype.name}; only floating and complex tensors have gradients. '
                    f"{y.op.where()}"
                )
        stopped = [] if stop_gradients is None else _listed(stop_gradients)
        stops = [tensor for one in stopped for tensor in _tensors_of(one, graph)]
        targets: list[list[Tensor]] = [_tensors_of(x, graph) for x in xs_list]
        flat = [tensor for group in targets for tensor in group]
        found = iter(_backpropagate(ys_list, flat, starts, stops))
        result: list[Any] = []
        for group in targets:
            parts = [one for one in (next(found) for _ in group) if one is not None]
            result.append(add_gradients(parts) if parts else None)
        return result


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _tensors_of(x: Any, graph: Graph) -> list[Tensor]:
    """The tensors through which ``x`` enters the graph: itself, or every reading of a variable."""
    readings = getattr(x, "_readings", None)
    if readings is not None:
        return list(readings())
    return [as_tensor(x)]


def backpropagate(ys: Sequence[Tensor], xs: Sequence[Tensor], grad_ys: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Return dense gradients of ``ys``, weighted by ``grad_ys``, with respect to ``xs``; ``None`` where independent."""
    return [None if one is None else densify(one) for one in _backpropagate(ys, xs, grad_ys, ())]


def _backpropagate(
    ys: Sequence[Tensor], xs: Sequence[Tensor], grad_ys: Sequence[Tensor | None], stops: Sequence[Tensor]
) -> list[Gradient | None]:
    from dovetail.ops.arrays import ones_like

    graph = get_default_graph()
    pending: dict[Tensor, list[Gradient]] = {}
    for y, start in zip(ys, grad_ys, strict=True):
        if start is None:
            start = ones_like(y)
        elif start.shape.rank is not None and y.shape.rank is not None and not start.shape.is_compatible_with(y.shape):
            raise ShapeError(
                f'gradients: grad_ys of type {start.type} does not fit "{y.name}" of type {y.type}. {y.op.where()}'
            )
        pending.setdefault(y, []).append(start)
    active, dependent = _active_operations(ys, xs, stops)
    wanted, stopped = set(xs), set(stops)
    final: dict[Tensor, Gradient] = {}
    for op in reversed(active):
        grads: list[Gradient | None] = []
        for tensor in op.outputs:
            parts = pending.pop(tensor, None)
            total = add_gradients(parts) if parts else None
            if total is not None and tensor in wanted:
                final[tensor] = total
            grads.append(None if tensor in stopped else total)
        if all(one is None for one in grads):
            continue
        inputs = _inputs_of(op)
        needed = [i for i, tensor in enumerate(inputs) if tensor in dependent]
        with graph.source(op.source), graph.name_scope(f"{op.name.rpartition('/')[2]}_grad"):
            for index, grad in zip(needed, _gradients_of(op, grads, needed), strict=True):
                if grad is not None:
                    pending.setdefault(inputs[index], []).append(grad)
    return [final[x] if x in final else add_gradients(pending[x]) if x in pending else None for x in xs]


def _active_operations(
    ys: Sequence[Tensor], xs: Sequence[Tensor], stops: Sequence[Tensor]
) -> tuple[list[Operation], set[Tensor]]:
    """Return, in order of creation, the operations through which ``ys`` depend on ``xs``, and the tensors that do."""
    stopped = set(stops)
    seen: set[Operation] = set()
    waiting = [y.op for y in ys]
    while waiting:
        op = waiting.pop()
        if op not in seen:
            seen.add(op)
            waiting.extend(tensor.op for tensor in _inputs_of(op))
    dependent = set(xs)
    active = []
    for op in sorted(seen, key=_order):
        if op.definition.differentiable and any(tensor in dependent for tensor in _inputs_of(op)):
            active.append(op)
            dependent.update(t for t in op.outputs if t.dtype.is_inexact and t not in stopped)
    return active, dependent


def _inputs_of(op: Operation) -> tuple[Tensor, ...]:
    """What a node takes; an input of a body takes the tensor around the body that it stands for."""
    graph = op.graph
    if isinstance(graph, BodyGraph) and isinstance(op.definition, BodyInput):
        around = graph.captured_from(op.outputs[0])
        return () if around is None else (around,)
    return op.inputs


def _order(op: Operation) -> tuple[int, int]:
    """Nodes of graphs further out come first, as nothing there takes what a body makes."""
    depth, graph = 0, op.graph
    while isinstance(graph, BodyGraph) and graph.outer is not None:
        depth, graph = depth + 1, graph.outer
    return depth, op.index


def _gradients_of(op: Operation, grads: Sequence[Gradient | None], needed: Sequence[int]) -> list[Gradient | None]:
    from dovetail.ops.arrays import zeros_like

    definition = op.definition
    if isinstance(definition, BodyInput):
        return list(grads)
    dense = [one if one is None or definition.passes_slices else densify(one) for one in grads]
    rule = definition.gradient
    deferred = not definition.gradient_without_ranks and any(tensor.shape.rank is None for tensor in op.inputs)
    if deferred if rule is not None else isinstance(definition, CompositeOp):
        known = tuple(i for i, one in enumerate(dense) if one is not None)
        result = Vjp(definition, tuple(needed), known)(*op.inputs, *(dense[i] for i in known))
        return list(result) if isinstance(result, tuple) else [result]
    if rule is None:
        raise GradientError(
            f"{op.type} has no gradient, yet one is asked for through it; use dt.stop_gradient on its output where it "
            f"should count as constant. {op.where()}"
        )
    if definition.partial_gradient:
        return list(rule(op.inputs, op.outputs, dense, needed=needed))
    filled = [
        zeros_like(tensor) if one is None and tensor.dtype.is_inexact else one
        for tensor, one in zip(op.outputs, dense, strict=True)
    ]
    found = list(rule(op.inputs, op.outputs, filled))
    if len(found) != len(op.inputs):
        raise GradientError(
            f"the gradient of {op.type} gave {len(found)} values for {len(op.inputs)} inputs. {op.where()}"
        )
    return [found[i] for i in needed]
