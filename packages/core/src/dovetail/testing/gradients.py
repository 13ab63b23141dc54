"""``assert_gradients``: what a graph says of derivatives, beside what differences say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from dovetail.compiler.lower import needed_operations
from dovetail.errors import DTypeError, InvalidArgumentError
from dovetail.graph.convert import as_tensor
from dovetail.graph.graph import Graph, GraphKeys, session_stack
from dovetail.graph.operation import Operation, Tensor
from dovetail.ops.arithmetic import add_n
from dovetail.ops.complex_numbers import real
from dovetail.ops.gradients import gradients
from dovetail.ops.reductions import reduce_sum
from dovetail.ops.state import VariableHandle
from dovetail.session.config import ConfigProto
from dovetail.session.session import Session
from dovetail.testing.widening import widened

__all__ = ["assert_gradients"]

Array = np.ndarray[Any, np.dtype[Any]]

_ORDERS = ("first", "second", "third", "fourth")


def assert_gradients(
    ys: Any,
    xs: Any,
    feed_dict: Mapping[Any, Any] | None = None,
    session: Session | None = None,
    *,
    order: int = 2,
    step: float = 1e-6,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    elements: int = 32,
    seed: int = 0,
) -> None:
    """Make sure that the gradients of a graph are the derivatives of what it computes.

    What ``ys`` need is computed in a copy of the graph in which all that is of lesser precision is float64; the graph
    itself gets no nodes. A random weighting makes one number of ``ys``; its gradients are compared with central
    differences, element by element, and for higher orders a random weighting of the gradients takes its place.

    Args:
        ys: a tensor or several.
        xs: tensors or variables to differentiate with respect to; no derivative is taken where a function has a kink,
            such as ``relu`` at 0, so choose their values beside it.
        feed_dict: values of placeholders.
        session: where variables have their values; by default the default session, or else one in which all of them
            are initialized.
        order: up to which order to compare.
        step: how far to go from a value in each direction.
        rtol: the part of the greatest derivative of an ``xs`` that its derivatives may be off.
        atol: how much they may be off besides.
        elements: how many elements of each of ``xs`` to look at, chosen at random; ``-1`` for all.
        seed: of the random weightings and choices.

    Raises:
        AssertionError: a derivative is off; the message tells of the worst.
        DTypeError: one of ``xs`` is neither floating nor complex.
        GradientError: there is an operation without a gradient on the way.
        InvalidArgumentError: the order is not from 1 to 4, or ``ys`` are not finite or differ from run to run.

    Example:
        >>> x = dt.placeholder(dt.float32, [None, 3])
        >>> y = dt.layers.dense(x, 2, activation="tanh")
        >>> dt.testing.assert_gradients(y, [x, *dt.trainable_variables()], {x: [[0.1, 0.2, 0.3]]})
    """
    if order not in range(1, len(_ORDERS) + 1):
        raise InvalidArgumentError(f"assert_gradients: order is {order}; use 1 to {len(_ORDERS)}.")
    values = [as_tensor(one) for one in _listed(ys)]
    graph = values[0].graph
    sources = [_tensor_of(graph, x) for x in _listed(xs)]
    case = _Case(graph, values, sources, _known(graph, values, sources, feed_dict, session))
    rng = np.random.default_rng(seed)
    case.weigh(case.ys, rng)
    for name in _ORDERS[:order]:
        if not case.compare(name, step, rtol, atol, elements, rng):
            break


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _tensor_of(graph: Graph, x: Any) -> Tensor:
    tensor: Tensor = graph.as_graph_element(x, allow_operation=False)
    if not tensor.dtype.is_inexact:
        raise DTypeError(
            f'assert_gradients: "{tensor.name}" is {tensor.type}; only floating and complex tensors have gradients. '
            f"{tensor.op.where()}"
        )
    return tensor


def _known(
    graph: Graph,
    ys: Sequence[Tensor],
    xs: Sequence[Tensor],
    feed_dict: Mapping[Any, Any] | None,
    session: Session | None,
) -> dict[Tensor, Array]:
    """Return by tensor what is fed and what the variables are."""
    found = session or (session_stack()[-1] if session_stack() else None)
    if found is None:
        found = Session(graph=graph, config=ConfigProto(backends={"CPU": "reference"}))
        keys = (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES)
        found.run([variable.initializer for key in keys for variable in graph.get_collection(key)])
    needed = needed_operations([*ys, *xs], (), {})
    handles = [op.outputs[0] for op in needed if isinstance(op.definition, VariableHandle)]
    feeds = {graph.as_graph_element(key): np.asarray(value) for key, value in (feed_dict or {}).items()}
    return dict(zip(handles, found.run(handles), strict=True)) | feeds


@final
class _Case:
    """One number that depends on ``xs``, in float64."""

    def __init__(
        self,
        graph: Graph,
        ys: Sequence[Tensor],
        xs: Sequence[Tensor],
        feeds: Mapping[Tensor, Array],
    ) -> None:
        copied = widened([*ys, *xs], "assert_gradients")
        self.ys = [_counterpart(copied, one) for one in ys]
        self.xs = [_counterpart(copied, one) for one in xs]
        self.names = [x.name for x in xs]
        self.feeds = {_counterpart(copied, key): value for key, value in feeds.items() if key.op.name in copied}
        self.what = f'"{ys[0].name}" {ys[0].op.where()}'
        self.graph = self.ys[0].graph
        self.session = Session(graph=self.graph, config=ConfigProto(backends={"CPU": "reference"}))
        self.number = self.ys[0]
        self.values: list[Array] = [np.asarray(value) for value in self.run(self.xs)]

    def run(self, fetches: Any) -> Any:
        return self.session.run(fetches, self.feeds)

    def weigh(self, tensors: Sequence[Tensor], rng: np.random.Generator) -> None:
        """Make one number of tensors."""
        with self.graph.as_default():
            weights = [_weights(rng, value) for value in self.run(list(tensors))]
            self.number = add_n([reduce_sum(real(one * weight)) for one, weight in zip(tensors, weights, strict=True)])
        first, again = self.run(self.number), self.run(self.number)
        if not np.isfinite(first):
            raise InvalidArgumentError(
                f"assert_gradients: {self.what} or a derivative of it holds {first}; choose values where all is finite."
            )
        if first != again:
            raise InvalidArgumentError(
                f"assert_gradients: {self.what} is {first} in one run and {again} in the next; leave out what draws "
                "random numbers or changes variables."
            )

    def compare(
        self, order: str, step: float, rtol: float, atol: float, elements: int, rng: np.random.Generator
    ) -> bool:
        """Compare the gradients of the number with differences, and weigh them; false where it depends on nothing."""
        with self.graph.as_default():
            found = gradients(self.number, self.xs)
            grads = [None if one is None else as_tensor(one) for one in found]
        present = [one for one in grads if one is not None]
        claims = iter(self.run(present))
        for index, grad in enumerate(grads):
            claimed = np.zeros_like(self.values[index]) if grad is None else np.asarray(next(claims))
            self._compare_one(order, index, claimed, (step, rtol, atol), elements, rng)
        if present:
            self.weigh(present, rng)
        return bool(present)

    def _compare_one(
        self,
        order: str,
        index: int,
        claimed: Array,
        limits: tuple[float, float, float],
        elements: int,
        rng: np.random.Generator,
    ) -> None:
        step, rtol, atol = limits
        count = claimed.size if elements < 0 else min(elements, claimed.size)
        places = np.sort(rng.permutation(claimed.size)[:count])
        said = claimed.reshape(-1)[places]
        measured = np.array([self._difference(index, int(place), step) for place in places])
        allowed = atol + rtol * np.max(np.abs(np.concatenate([said, measured])), initial=0.0)
        off = np.abs(said - measured)
        wrong = ~(off <= allowed)
        if not np.any(wrong):
            return
        worst = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
        place = [int(axis) for axis in np.unravel_index(places[worst], claimed.shape)]
        raise AssertionError(
            f'the {order} derivative of {self.what} with respect to "{self.names[index]}" is off at '
            f"{int(wrong.sum())} of {count} elements. The worst is at {place}: the graph says {said[worst]:.9g}, "
            f"differences say {measured[worst]:.9g}; they are {off[worst]:.3g} apart, {allowed:.3g} is allowed."
        )

    def _difference(self, index: int, place: int, step: float) -> complex:
        """Return the derivative: of a complex number that by its real part plus i times that by its imaginary part."""
        along = self._slope(index, place, step)
        return along + 1j * self._slope(index, place, step * 1j) if self.values[index].dtype.kind == "c" else along

    def _slope(self, index: int, place: int, step: complex) -> float:
        ends = []
        for shift in (step, -step):
            moved = self.values[index].copy()
            moved.reshape(-1)[place] += shift
            ends.append(float(self.session.run(self.number, {**self.feeds, self.xs[index]: moved})))
        return (ends[0] - ends[1]) / (2.0 * abs(step))


def _weights(rng: np.random.Generator, value: Any) -> Array:
    """Draw numbers of the shape of a value, complex ones if it is."""
    found = rng.normal(size=np.shape(value))
    return np.asarray(found + 1j * rng.normal(size=np.shape(value)) if np.iscomplexobj(value) else found)


def _counterpart(copied: Mapping[str, Operation], tensor: Tensor) -> Tensor:
    return copied[tensor.op.name].outputs[tensor.value_index]
